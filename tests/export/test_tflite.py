"""TFLite files, run in the interpreter that phones use."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from cartoongan_tf import Cartoonizer
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.tflite_model import TFLiteGenerator
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.models.generator_file import load_generator
from export import parity, tflite, tflite_file
from export.tflite_file import Metadata
from tests.helpers import draw

METADATA = Metadata("demo-fp16", "Draws circles.", "cartoongan-tf 7", "Ana", "CC0-1.0")
FREE_SIZE = tuple(tflite.BUDGETS_DB)


@pytest.fixture(scope="module")
def calibration():
    return [parity.fitting(draw(seed, 300, 300), tflite.FIRST_SIZE_PX) for seed in range(2)]


@pytest.fixture(scope="module")
def contents(generator, calibration):
    """The contents of a file of each kind."""
    made = {kind: tflite.convert(generator, kind, METADATA, None, calibration) for kind in FREE_SIZE}
    return made | {"fixed": tflite.convert(generator, "fp16", METADATA, (64, 32))}


def _photo(seed, height, width):
    return np.random.default_rng(seed).uniform(-1, 1, (1, height, width, 3)).astype(np.float32)


@pytest.mark.parametrize("kind, tolerance", [("fp32", 1e-4), ("fp16", 2e-2)])
def test_any_size_draws_what_keras_draws(generator, contents, kind, tolerance):
    run = TFLiteGenerator(contents[kind], kind)
    for seed, size in enumerate([(8, 8), (64, 96), (12, 40)]):
        photo = _photo(seed, *size)
        np.testing.assert_allclose(run(photo), generator(photo), atol=tolerance)


@pytest.mark.parametrize("kind", FREE_SIZE)
def test_photos_are_drawn_within_the_budget(generator, contents, kind):
    photos = [parity.fitting(draw(seed, 64, 80)) for seed in range(3)]
    run = TFLiteGenerator(contents[kind], kind)
    found = parity.compare([run(photo) for photo in photos], [np.asarray(generator(photo)) for photo in photos])
    # Random weights are harder to round than trained ones, which keep the budget: see test_export_model.
    assert found.psnr_db >= {"int8": 36.0, "dynamic": 20.0, "int8_full": 20.0}.get(kind, tflite.BUDGETS_DB[kind])
    assert found.psnr_db < 160  # it is another arithmetic


def test_each_choice_of_int8_is_nearer_and_larger(generator):
    photo = parity.fitting(draw(0, 64, 80))
    made = [tflite.convert(generator, "int8", METADATA, kept_float=names) for names in tflite.choices("int8")]
    scores = [
        parity.psnr(TFLiteGenerator(content, "int8")(photo), np.asarray(generator(photo)), 2.0) for content in made
    ]
    assert len(made) == 3 and scores == sorted(set(scores)) and scores[-1] > tflite.BUDGETS_DB["int8"]
    assert sorted(map(len, made)) == list(map(len, made))
    assert tflite.choices("fp16").keys() == {""}


@pytest.mark.parametrize("kind", FREE_SIZE)
def test_height_and_width_are_free(contents, kind):
    interpreter = Interpreter(model_content=contents[kind])
    details = [interpreter.get_input_details()[0], interpreter.get_output_details()[0]]
    for end in details:
        assert end["dtype"] == (np.uint8 if kind == "int8_full" else np.float32)
        assert list(end["shape_signature"]) == [-1, -1, -1, 3]
    assert list(details[0]["shape"]) == [1, *tflite.FIRST_SIZE_PX, 3]


@pytest.mark.parametrize("kind", FREE_SIZE)
def test_it_runs_without_being_asked_for_a_size(contents, kind):
    """As a phone does that knows nothing of resizing: by its signature, at the size that the file begins with."""
    interpreter = Interpreter(model_content=contents[kind])
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["photo"], "outputs": ["cartoon"]}}
    run = interpreter.get_signature_runner("serving_default")
    photo = np.zeros((1, *tflite.FIRST_SIZE_PX, 3), np.uint8 if kind == "int8_full" else np.float32)
    assert run(photo=photo)["cartoon"].shape == photo.shape


def test_the_fixed_file_takes_its_size_alone_and_asks_for_none(generator, contents):
    """GPU delegates take neither SHAPE nor tensors of free size."""
    run = TFLiteGenerator(contents["fixed"], "fixed")
    assert run.size == (64, 32)
    np.testing.assert_allclose(run(_photo(0, 64, 32)), generator(_photo(0, 64, 32)), atol=2e-2)
    with pytest.raises(RuntimeError, match="dimension"):
        run(_photo(0, 32, 64))
    details = Interpreter(model_content=contents["fixed"]).get_tensor_details()
    assert not [tensor["name"] for tensor in details if -1 in tensor["shape_signature"]]
    assert "SHAPE" not in tflite_file.operators(contents["fixed"])


@pytest.mark.parametrize("architecture", ["paper", "light"])
def test_the_fixed_file_is_all_that_gpu_delegates_take(contents, light_path, architecture):
    """By the list in TensorFlow's gpu_compatibility.cc."""
    fixed = contents["fixed"]
    if architecture == "light":
        fixed = tflite.convert(load_generator(light_path), "fp16", METADATA, (64, 32))
    taken = {"ADD", "CONCATENATION", "CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "MEAN", "MUL", "PAD", "RSQRT"}
    assert set(tflite_file.operators(fixed)) <= taken | {"SQUARED_DIFFERENCE", "STRIDED_SLICE", "SUB", "TANH"}


@pytest.mark.parametrize("path", ["generator_path", "light_path"])
@pytest.mark.parametrize("precision, size", [("fp32", None), ("fp16", (64, 32))])
def test_xnnpack_takes_the_file_whole(path, precision, size, request):
    """What it leaves to other code splits the graph into several of its parts."""
    content = tflite.convert(load_generator(request.getfixturevalue(path)), precision, METADATA, size)
    interpreter = Interpreter(model_content=content)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (1, *(size or (64, 32)), 3))
    interpreter.allocate_tensors()
    assert [details["op_name"] for details in interpreter._get_ops_details()].count("DELEGATE") == 1


@pytest.mark.parametrize("kind", FREE_SIZE)
def test_the_light_generator_is_drawn_within_the_budget(light_path, calibration, kind):
    generator, photo = load_generator(light_path), parity.fitting(draw(0, 64, 80))
    run = TFLiteGenerator(tflite.convert(generator, kind, METADATA, None, calibration), kind)
    found = parity.compare([run(photo)], [np.asarray(generator(photo))])
    assert 160 > found.psnr_db >= {"int8": 36.0, "dynamic": 20.0, "int8_full": 20.0}.get(kind, tflite.BUDGETS_DB[kind])


def test_the_light_generator_s_half_precision_file_is_small():
    assert len(tflite.convert(build_generator("light"), "fp16", METADATA)) <= 2.2e6


def test_cartoonize_draws_with_every_file_of_free_size(generator, contents, tmp_path):
    for kind in FREE_SIZE:
        (tmp_path / f"{kind}.tflite").write_bytes(contents[kind])
        assert Cartoonizer.load(tmp_path / f"{kind}.tflite")(draw(0, 31, 42)).shape == (31, 42, 3)
    (tmp_path / "fixed.tflite").write_bytes(contents["fixed"])
    with pytest.raises(InputError, match=r"fixed\.tflite: takes tensors of 32 x 64 pixels alone"):
        Cartoonizer.load(tmp_path / "fixed.tflite")


def test_only_builtin_operators(contents):
    for content in contents.values():
        assert not [name for name in tflite_file.operators(content) if name.startswith("CUSTOM")]
    details = Interpreter(model_content=contents["fp32"])._get_ops_details()
    names = {operation["op_name"] for operation in details} - {"DELEGATE"}
    assert names == set(tflite_file.operators(contents["fp32"]))


def test_weights_take_what_their_bytes_take(generator, contents):
    num_weights = generator.count_params()
    kernels = sum(np.prod(weights.shape) for weights in generator.weights if len(weights.shape) == 4)
    for kind, num_bytes in (("fp32", 4 * num_weights), ("fp16", 2 * num_weights), ("int8", kernels)):
        assert num_bytes < len(contents[kind]) < num_bytes + 80_000, kind
    assert len(contents["int8"]) < len(contents["fp16"]) < len(contents["fp32"])


@pytest.mark.parametrize("kind", ["int8", "dynamic", "int8_full"])
def test_kernels_are_int8(contents, kind):
    details = Interpreter(model_content=contents[kind]).get_tensor_details()
    kernels = [
        tensor
        for tensor in details
        if tensor["dtype"] == np.int8 and len(tensor["quantization_parameters"]["scales"]) > 1
    ]
    assert len(kernels) >= 10
    assert all(len(kernel["shape"]) == 4 for kernel in kernels)


def test_int8_full_computes_in_int8_but_for_what_enlarges(contents):
    counts = tflite_file.operators(contents["int8_full"])
    assert counts["QUANTIZE"] >= 5 and counts["CAST"] == 2 and "MEAN" in counts
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(contents["int8_full"], 0))
    graph = model.subgraphs[0]
    codes = [model.operatorCodes[operator.opcodeIndex].builtinCode for operator in graph.operators]
    convolutions = [
        op for op, code in zip(graph.operators, codes, strict=True) if code == schema.BuiltinOperator.CONV_2D
    ]
    types = {graph.tensors[op.outputs[0]].name.decode(): graph.tensors[op.outputs[0]].type for op in convolutions}
    for name, type in types.items():
        assert type == (schema.TensorType.FLOAT32 if "/up" in name else schema.TensorType.INT8), name


def test_another_generator_is_another_picture(contents):
    other, photo = build_generator("paper", width=4, num_blocks=1), parity.fitting(draw(0, 64, 80))
    found = parity.compare([TFLiteGenerator(contents["fp32"], "fp32")(photo)], [np.asarray(other(photo))])
    assert found.psnr_db < 30 and found.ssim < 0.9


def test_a_file_that_takes_no_pictures_is_refused(tmp_path):
    import tensorflow as tf

    function = tf.function(lambda x: x + 1.0).get_concrete_function(tf.TensorSpec([1, 5]))
    content = tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()
    with pytest.raises(InputError, match=r"a\.tflite: takes float32 \[1, 5\]"):
        TFLiteGenerator(content, "a.tflite")


def _metadata_buffer(content):
    model = schema.Model.GetRootAsModel(content, 0)
    entries = {model.Metadata(index).Name(): model.Metadata(index) for index in range(model.MetadataLength())}
    buffer = model.Buffers(entries[b"TFLITE_METADATA"].Buffer())
    # What the quantizer wrote lies after the flatbuffer.
    return bytes(content[buffer.Offset() :][: buffer.Size()] if buffer.Offset() > 1 else buffer.DataAsNumpy())


@pytest.mark.parametrize("kind", [*FREE_SIZE, "fixed"])
def test_metadata_is_what_tensorflows_own_reader_reads(contents, kind):
    readers = pytest.importorskip(
        "tensorflow_lite_support.metadata.metadata_schema_py_generated",
        reason="tflite-support, the reader, is not installed (pip install --no-deps tflite-support==0.4.4)",
    )
    content = _metadata_buffer(contents[kind])
    assert readers.ModelMetadata.ModelMetadataBufferHasIdentifier(content, 0)
    found = readers.ModelMetadataT.InitFromObj(readers.ModelMetadata.GetRootAsModelMetadata(content, 0))
    assert (found.name, found.author, found.license) == (b"demo-fp16", b"Ana", b"CC0-1.0")
    assert (found.description, found.version) == (b"Draws circles.", b"cartoongan-tf 7")
    assert found.minParserVersion == b"1.0.0"
    (graph,) = found.subgraphMetadata
    (photo,), (cartoon,) = graph.inputTensorMetadata, graph.outputTensorMetadata
    mean, std, low, high = (0, 1, 0, 255) if kind == "int8_full" else (127.5, 127.5, -1, 1)
    for tensor, name in ((photo, b"photo"), (cartoon, b"cartoon")):
        assert tensor.name == name and list(tensor.dimensionNames) == [b"batch", b"height", b"width", b"channel"]
        assert tensor.content.contentPropertiesType == readers.ContentProperties.ImageProperties
        image = tensor.content.contentProperties
        assert image.colorSpace == readers.ColorSpaceType.RGB
        size = (image.defaultSize.height, image.defaultSize.width) if image.defaultSize else None
        assert size == ((64, 32) if kind == "fixed" else None)
        (unit,) = tensor.processUnits
        assert unit.optionsType == readers.ProcessUnitOptions.NormalizationOptions
        assert (list(unit.options.mean), list(unit.options.std)) == ([mean], [std])
        assert (list(tensor.stats.min), list(tensor.stats.max)) == ([low], [high])
