"""TFLite files, run in the interpreter that phones use."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils

from cartoongan_tf import Cartoonizer
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.tflite_model import SIGNATURES, TFLiteGenerator
from cartoongan_tf.media import image_measures
from cartoongan_tf.models.generator import build_generator
from export import parity, tflite, tflite_file
from tests.helpers import draw

KINDS = tuple(tflite.BUDGETS_DB)
ARCHITECTURES = ("paper", "light", "narrow")
FIXED_SIZE = (64, 32)


@pytest.fixture(scope="module")
def contents(converted):
    """The contents of a file of each kind, of the paper's architecture."""
    return {kind: converted("paper", kind) for kind in KINDS} | {"fixed": converted("paper", "fp16", FIXED_SIZE)}


def _photo(seed, height, width):
    return np.random.default_rng(seed).uniform(-1, 1, (1, height, width, 3)).astype(np.float32)


@pytest.mark.parametrize("kind, tolerance", [("fp32", 1e-4), ("fp16", 2e-2)])
def test_any_size_draws_what_keras_draws(generator, contents, kind, tolerance):
    run = TFLiteGenerator(contents[kind], kind)
    for seed, size in enumerate([(8, 8), (64, 96), (12, 40)]):
        photo = _photo(seed, *size)
        np.testing.assert_allclose(run(photo), generator(photo), atol=tolerance)


@pytest.mark.parametrize("architecture, num_photos", [("paper", 3), ("light", 1)])
def test_photos_are_drawn_within_the_budget(generators, converted, architecture, num_photos):
    generator = generators[architecture]
    photos = [parity.fitting(draw(seed, 64, 80)) for seed in range(num_photos)]
    cartoons = [np.asarray(generator(photo)) for photo in photos]
    # Random weights are harder to round than trained ones, which keep the budget: see test_export_model.
    lowest = tflite.BUDGETS_DB | {"int8": 36.0, "dynamic": 20.0, "int8_full": 20.0}
    for kind in KINDS:
        run = TFLiteGenerator(converted(architecture, kind), kind)
        psnr_db = parity.compare([run(photo) for photo in photos], cartoons).psnr_db
        assert lowest[kind] <= psnr_db < np.inf, kind  # it is another arithmetic


@pytest.mark.slow
def test_each_choice_of_int8_is_nearer_and_larger(generator, converted):
    choices = list(tflite.choices("int8"))
    contents = [converted("paper", "int8", None, kept_float) for kept_float in choices]
    photo = parity.fitting(draw(0, 64, 80))
    cartoon = np.asarray(generator(photo))
    scores = [image_measures.psnr(TFLiteGenerator(content, "int8")(photo), cartoon, 2.0) for content in contents]
    sizes = [len(content) for content in contents]
    assert len(choices) == 3 and choices[0] == ""
    assert scores == sorted(set(scores)) and scores[-1] > tflite.BUDGETS_DB["int8"]
    assert sizes == sorted(set(sizes))
    assert tflite.choices("fp16").keys() == {""}


def test_height_and_width_are_free(contents):
    for kind in KINDS:
        interpreter = Interpreter(model_content=contents[kind])
        photo = interpreter.get_input_details()[0]
        cartoon = interpreter.get_output_details()[0]
        for details in (photo, cartoon):
            assert details["dtype"] == (np.uint8 if kind == "int8_full" else np.float32), kind
            assert list(details["shape_signature"]) == [-1, -1, -1, 3], kind
        assert list(photo["shape"]) == [1, *tflite.FIRST_SIZE_PX, 3], kind


@pytest.mark.parametrize("kind", KINDS)
def test_it_runs_without_being_asked_for_a_size(contents, kind):
    """A phone that does not resize calls the signature at the file's first size."""
    interpreter = Interpreter(model_content=contents[kind])
    expected = {
        "serving_default": {"inputs": ["photo"], "outputs": ["cartoon"]},
        "film": {"inputs": ["keep", "photo", "statistics"], "outputs": ["cartoon", "statistics"]},
    }
    assert interpreter.get_signature_list() == expected
    run = interpreter.get_signature_runner("serving_default")
    photo = np.zeros((1, *tflite.FIRST_SIZE_PX, 3), np.uint8 if kind == "int8_full" else np.float32)
    assert run(photo=photo)["cartoon"].shape == photo.shape


def test_the_fixed_file_takes_its_size_alone_and_asks_for_none(generator, contents):
    """GPU delegates take neither SHAPE nor tensors of free size."""
    run = TFLiteGenerator(contents["fixed"], "fixed")
    assert run.size == FIXED_SIZE
    photo = _photo(0, *FIXED_SIZE)
    np.testing.assert_allclose(run(photo), generator(photo), atol=2e-2)
    with pytest.raises(RuntimeError, match="dimension"):
        run(_photo(0, 32, 64))
    details = Interpreter(model_content=contents["fixed"]).get_tensor_details()
    assert not [tensor["name"] for tensor in details if -1 in tensor["shape_signature"]]
    assert "SHAPE" not in tflite_file.operators(contents["fixed"])


def test_the_fixed_file_is_all_that_gpu_delegates_take(converted):
    """By the list in TensorFlow's gpu_compatibility.cc."""
    taken = {"ADD", "CONCATENATION", "CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "MEAN", "MUL", "PAD", "RSQRT"}
    taken |= {"SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB", "TANH"}
    for architecture in ARCHITECTURES:
        for signature in SIGNATURES:
            operators = tflite_file.operators(converted(architecture, "fp16", FIXED_SIZE), signature)
            assert set(operators) <= taken, (architecture, signature)


def test_xnnpack_takes_the_whole_file(converted):
    """XNNPACK would split the graph into several parts around operators that it leaves to other code."""
    for architecture in ARCHITECTURES:
        for precision, size in (("fp32", None), ("fp16", FIXED_SIZE)):
            interpreter = Interpreter(model_content=converted(architecture, precision, size))
            interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (1, *FIXED_SIZE, 3))
            interpreter.allocate_tensors()
            names = [details["op_name"] for details in interpreter._get_ops_details()]
            assert names.count("DELEGATE") == 1, (architecture, precision)


def test_the_light_generator_s_half_precision_file_is_small(generators, converted):
    """2.2 MB at full size: two bytes for each weight, and what the small one takes beside its weights."""
    overhead = len(converted("light", "fp16")) - 2 * generators["light"].count_params()
    assert 0 < overhead < 80_000
    assert 2 * build_generator("light").count_params() + overhead <= 2.2e6


def test_cartoonize_draws_with_every_file_of_free_size(contents, tmp_path):
    for kind in KINDS:
        (tmp_path / f"{kind}.tflite").write_bytes(contents[kind])
        assert Cartoonizer.load(tmp_path / f"{kind}.tflite")(draw(0, 31, 42)).shape == (31, 42, 3)
    (tmp_path / "fixed.tflite").write_bytes(contents["fixed"])
    with pytest.raises(InputError, match=r"fixed\.tflite.*32 x 64"):
        Cartoonizer.load(tmp_path / "fixed.tflite")


def test_only_builtin_operators(contents):
    for kind, content in contents.items():
        for signature in SIGNATURES:
            operators = tflite_file.operators(content, signature)
            assert operators and not [name for name in operators if name.startswith("CUSTOM")], (kind, signature)
    details = Interpreter(model_content=contents["fp32"])._get_ops_details()
    names = {operation["op_name"] for operation in details} - {"DELEGATE"}
    assert names == set(tflite_file.operators(contents["fp32"]))


def test_weights_take_what_their_bytes_take(generator, contents):
    """The graphs for pictures and for films share them."""
    num_weights = generator.count_params()
    kernels = sum(np.prod(weights.shape) for weights in generator.weights if len(weights.shape) == 4)
    for kind, num_bytes in (("fp32", 4 * num_weights), ("fp16", 2 * num_weights), ("int8", kernels)):
        buffers = flatbuffer_utils.read_model_from_bytearray(contents[kind]).buffers
        assert num_bytes <= sum(len(buffer.data) for buffer in buffers if buffer.data is not None) < num_bytes + 20_000
        assert num_bytes < len(contents[kind]) < num_bytes + 160_000, kind
    assert len(contents["int8"]) < len(contents["fp16"]) < len(contents["fp32"])


def test_kernels_are_int8(contents):
    for kind in ("int8", "dynamic", "int8_full"):
        details = Interpreter(model_content=contents[kind]).get_tensor_details()
        kernels = [
            tensor
            for tensor in details
            if tensor["dtype"] == np.int8 and len(tensor["quantization_parameters"]["scales"]) > 1
        ]
        assert len(kernels) >= 10, kind
        assert all(len(kernel["shape"]) == 4 for kernel in kernels), kind


def test_int8_full_computes_in_int8_but_for_what_enlarges(contents):
    counts = tflite_file.operators(contents["int8_full"])
    assert counts["QUANTIZE"] >= 5 and counts["CAST"] == 2 and "MEAN" in counts
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(contents["int8_full"], 0))
    graph = model.subgraphs[0]
    num_convolutions = 0
    for operator in graph.operators:
        if model.operatorCodes[operator.opcodeIndex].builtinCode != schema.BuiltinOperator.CONV_2D:
            continue
        num_convolutions += 1
        output = graph.tensors[operator.outputs[0]]
        expected = schema.TensorType.FLOAT32 if b"up" in output.name else schema.TensorType.INT8
        assert output.type == expected, output.name
    assert num_convolutions == counts["CONV_2D"]


def test_another_generator_is_another_picture(contents):
    other = build_generator("paper", width=4, num_blocks=1)
    photo = parity.fitting(draw(0, 64, 80))
    similarity = parity.compare([TFLiteGenerator(contents["fp32"], "fp32")(photo)], [np.asarray(other(photo))])
    assert similarity.psnr_db < 30 and similarity.ssim < 0.9


def test_a_file_that_takes_no_pictures_is_refused():
    function = tf.function(lambda x: x + 1.0).get_concrete_function(tf.TensorSpec([1, 5]))
    content = tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()
    with pytest.raises(InputError, match=r"a\.tflite.*float32 \[1, 5\]"):
        TFLiteGenerator(content, "a.tflite")


def _metadata_buffer(content):
    model = schema.Model.GetRootAsModel(content, 0)
    entries = {model.Metadata(index).Name(): model.Metadata(index) for index in range(model.MetadataLength())}
    buffer = model.Buffers(entries[b"TFLITE_METADATA"].Buffer())
    # The quantizer's buffers lie after the flatbuffer.
    return bytes(content[buffer.Offset() :][: buffer.Size()] if buffer.Offset() > 1 else buffer.DataAsNumpy())


@pytest.mark.parametrize("kind", [*KINDS, "fixed"])
def test_metadata_is_what_tensorflows_own_reader_reads(contents, kind):
    readers = pytest.importorskip(
        "tensorflow_lite_support.metadata.metadata_schema_py_generated",
        reason="tflite-support, the reader, is not installed (pip install --no-deps tflite-support==0.4.4)",
    )
    content = _metadata_buffer(contents[kind])
    assert readers.ModelMetadata.ModelMetadataBufferHasIdentifier(content, 0)
    metadata = readers.ModelMetadataT.InitFromObj(readers.ModelMetadata.GetRootAsModelMetadata(content, 0))
    assert (metadata.name, metadata.author, metadata.license) == (b"demo-fp16", b"Ana", b"CC0-1.0")
    assert (metadata.description, metadata.version) == (b"Draws circles.", b"cartoongan-tf 7")
    assert metadata.minParserVersion == b"1.0.0"
    (graph,) = metadata.subgraphMetadata
    (photo,) = graph.inputTensorMetadata
    (cartoon,) = graph.outputTensorMetadata
    mean, std, low, high = (0, 1, 0, 255) if kind == "int8_full" else (127.5, 127.5, -1, 1)
    for tensor, name in ((photo, b"photo"), (cartoon, b"cartoon")):
        assert tensor.name == name and list(tensor.dimensionNames) == [b"batch", b"height", b"width", b"channel"]
        assert tensor.content.contentPropertiesType == readers.ContentProperties.ImageProperties
        image = tensor.content.contentProperties
        assert image.colorSpace == readers.ColorSpaceType.RGB
        size = (image.defaultSize.height, image.defaultSize.width) if image.defaultSize else None
        assert size == (FIXED_SIZE if kind == "fixed" else None)
        (unit,) = tensor.processUnits
        assert unit.optionsType == readers.ProcessUnitOptions.NormalizationOptions
        assert (list(unit.options.mean), list(unit.options.std)) == ([mean], [std])
        assert (list(tensor.stats.min), list(tensor.stats.max)) == ([low], [high])
