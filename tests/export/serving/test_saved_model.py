"""The answers of an exported version, in the session that a server runs it in."""

import concurrent.futures
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.framework.types_pb2 import DT_BOOL, DT_FLOAT, DT_INT32, DT_STRING, DT_UINT8
from tensorflow.core.protobuf import saved_model_pb2

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.blending import blend_with_photo
from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels
from export.serving import saved_model
from export.serving.requests import WARMUP_PLACE, read_warmup
from tests.export.serving.mutations import FORMATS, encode
from tests.helpers import REPOSITORY, draw


def _drawn(generator, photo):
    return np.asarray(pixels.cartoonize(generator, photo[np.newaxis]))[0]


def _opened(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def _assert_alike(cartoon, expected):
    assert cartoon.shape == expected.shape
    assert np.abs(cartoon.astype(int) - expected).max() <= 1


def test_pixels_are_drawn_as_keras_draws_them(generator, session):
    for batch, height, width in ((1, 1, 1), (1, 2, 3), (3, 31, 43), (2, 64, 32)):
        images = np.stack([draw(seed, height, width) for seed in range(batch)])
        cartoons = session.predict("serving_default", image=images)["cartoon"]
        assert cartoons.dtype == np.uint8
        _assert_alike(cartoons, np.asarray(pixels.cartoonize(generator, images)))


def test_files_of_all_formats_and_sizes_in_one_request(generator, session):
    photos = [draw(seed, 20 + 7 * seed, 31) for seed in range(len(FORMATS))]
    files = [encode(Image.fromarray(photo), format) for photo, format in zip(photos, FORMATS, strict=True)]
    answers = session.predict("encoded", image_bytes=files)["cartoon_bytes"]
    assert all(answer.startswith(b"\x89PNG") for answer in answers)
    for answer, content in zip(answers, files, strict=True):
        # The JPEG as TensorFlow decodes it, the others as Pillow does: nothing is lost in them.
        is_jpeg = content.startswith(b"\xff\xd8")
        decoded = tf.io.decode_jpeg(content, 3, dct_method="INTEGER_ACCURATE").numpy() if is_jpeg else _opened(content)
        rgb = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")) if decoded.ndim == 2 else decoded
        _assert_alike(_opened(answer), _drawn(generator, rgb))


def test_a_photo_that_lies_on_its_side_comes_back_upright(generator, session):
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = draw(1, 20, 30)
    (answer,) = session.predict("encoded", image_bytes=[encode(photo, "PNG", exif=exif)])["cartoon_bytes"]
    _assert_alike(_opened(answer), _drawn(generator, np.rot90(photo, -1)))


def test_alpha_is_kept(generator, session):
    rgba = np.dstack([draw(1, 20, 30), np.tile(np.arange(30, dtype=np.uint8) * 8 + 1, (20, 1))])
    (answer,) = session.predict("encoded", image_bytes=[encode(Image.fromarray(rgba), "PNG")])["cartoon_bytes"]
    np.testing.assert_array_equal(_opened(answer)[..., 3], rgba[..., 3])
    _assert_alike(_opened(answer)[..., :3], _drawn(generator, rgba[..., :3]))


def test_strength_and_long_side_are_those_of_cartoonize(generator, session):
    photo = draw(1, 40, 60)
    files = [encode(photo, "PNG")] * 4
    strength = np.float32([0, 0.3, 1, 0.3])
    long_side = np.int32([30, 30, 0, 1000])
    answers = session.predict("styled", image_bytes=files, strength=strength, long_side=long_side)["cartoon_bytes"]
    small, mixed, cartoon, large = map(_opened, answers)
    _assert_alike(small, pictures.shrink(photo, 30))
    _assert_alike(mixed, blend_with_photo(small[None], _drawn(generator, small)[None], 0.3, False)[0])
    _assert_alike(cartoon, _drawn(generator, photo))
    _assert_alike(large, blend_with_photo(photo[None], _drawn(generator, photo)[None], 0.3, False)[0])


def _refusal(session, signature, **inputs):
    """The message with which a request is refused."""
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.predict(signature, **inputs)
    return caught.value.message


def test_values_that_cannot_be_used_are_named(session):
    content = encode(draw(0, 9, 9), "PNG")
    for strength, long_side, named in (
        ([1.5], [0], "strength 1.5"),
        ([float("nan")], [0], "strength nan"),
        ([-0.1], [0], "strength -0.1"),
        ([1.0], [-5], "long_side -5"),
        ([1.0, 1.0], [0], "strength has 2 values for 1 pictures"),
        ([1.0], [], "long_side has 0 values"),
    ):
        assert named in _refusal(session, "styled", image_bytes=[content], strength=strength, long_side=long_side)


def test_no_pictures_are_no_cartoons(session):
    assert len(session.predict("encoded", image_bytes=np.array([], object))["cartoon_bytes"]) == 0


def test_pictures_without_pixels_are_refused(session):
    for shape in ((1, 0, 5, 3), (0, 8, 8, 3)):
        message = _refusal(session, "serving_default", image=np.zeros(shape, np.uint8))
        assert f"{shape[0]} pictures of {shape[2]} x {shape[1]} pixels" in message


def test_one_bad_picture_fails_its_request_alone(session):
    good = encode(draw(0, 9, 9), "PNG")
    assert "not a picture" in _refusal(session, "encoded", image_bytes=[good, b"hello"])
    assert session.predict("encoded", image_bytes=[good])


def test_many_threads_get_the_bytes_that_one_gets(session):
    files = [encode(draw(seed, 15 + seed, 20), format) for seed in range(4) for format in FORMATS]

    def ask(content):
        return session.predict("encoded", image_bytes=[content])["cartoon_bytes"][0]

    expected = [ask(content) for content in files]
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, files)) == expected


def test_every_signature_has_a_warm_up_request_that_is_answered(version, session):
    requests = read_warmup(version)
    assert [request.model_spec.signature_name for request in requests] == [
        "serving_default",
        "encoded",
        "styled",
        "each",
    ]
    for request in requests:
        assert request.model_spec.name == "demo"
        outputs = session.answer(request).outputs
        assert max(output.ByteSize() for output in outputs.values()) > 100
        assert not outputs["status"].string_val or outputs["status"].string_val == [b""]
    assert (version / "assets.extra" / "tf_serving_warmup_requests").is_file()


def test_the_signatures_are_the_documented_ones(version):
    files = {"image_bytes": (DT_STRING, [-1])}
    styled = {**files, "strength": (DT_FLOAT, [-1]), "long_side": (DT_INT32, [-1])}
    documented = {
        "serving_default": ({"image": (DT_UINT8, [-1, -1, -1, 3])}, ["cartoon"]),
        "encoded": (files, ["cartoon_bytes"]),
        "styled": (styled, ["cartoon_bytes"]),
        "each": (
            {**styled, "keep_colors": (DT_BOOL, [-1]), "format": (DT_STRING, [-1])},
            ["cartoon_bytes", "status"],
        ),
    }
    content = (version / "saved_model.pb").read_bytes()
    signatures = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].signature_def
    assert set(documented) == {name for name, signature in signatures.items() if signature.inputs}
    for name, (documented_inputs, outputs) in documented.items():
        signature = signatures[name]
        inputs = {}
        for input_name, info in signature.inputs.items():
            inputs[input_name] = (info.dtype, [dimension.size for dimension in info.tensor_shape.dim])
        assert inputs == documented_inputs, name
        assert sorted(signature.outputs) == outputs and signature.method_name == "tensorflow/serving/predict", name


@pytest.mark.slow
def test_it_runs_in_a_process_that_has_nothing_of_ours(version, session):
    def cli(*arguments):
        command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "run", "--dir", str(version)]
        command += ["--tag_set", "serve", "--outdir", "out", "--overwrite", "--signature_def", *arguments]
        variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"}
        result = subprocess.run(command, cwd=version.parent, env=variables, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
        return result.stdout

    np.save(version.parent / "image.npy", draw(0, 10, 14)[None])
    cli("serving_default", "--inputs", "image=image.npy")
    cartoon = np.load(version.parent / "out" / "cartoon.npy")
    _assert_alike(cartoon, session.predict("serving_default", image=draw(0, 10, 14)[None])["cartoon"])
    shown = cli("encoded", "--input_exprs", f"image_bytes=[{encode(draw(0, 10, 14), 'PNG')!r}]")
    assert "cartoon_bytes" in shown and "PNG" in shown


def test_every_weight_is_stored_once(generator, version):
    stored = sum(path.stat().st_size for path in (version / "variables").glob("variables.data*"))
    assert generator.count_params() * 4 <= stored < generator.count_params() * 4 * 1.2


def test_versions_count_up_and_are_never_overwritten(tmp_path):
    assert saved_model.version_dir(tmp_path / "demo") == tmp_path / "demo" / "1"
    (tmp_path / "demo" / "7").mkdir(parents=True)
    (tmp_path / "demo" / "notes").mkdir()
    assert saved_model.version_dir(tmp_path / "demo") == tmp_path / "demo" / "8"
    assert saved_model.version_dir(tmp_path / "demo", 3) == tmp_path / "demo" / "3"
    with pytest.raises(InputError, match=r"demo.7: .*--model_version"):
        saved_model.version_dir(tmp_path / "demo", 7)


def test_no_operator_needs_more_than_a_stock_server(version):
    """In a process without anything of ours or of Keras's that could have registered more."""
    script = f"""
import json
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.framework import op_def_registry
with open({str(version / "saved_model.pb")!r}, "rb") as file:
    graph = SavedModel.FromString(file.read()).meta_graphs[0].graph_def
ops = {{n.op for n in graph.node}} | {{n.op for f in graph.library.function for n in f.node_def}}
names = {{f.signature.name for f in graph.library.function}}
print(json.dumps(sorted(op for op in ops - names if op_def_registry.get(op) is None or "Py" in op)))
"""
    result = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert json.loads(result.stdout) == []
    assert (version / WARMUP_PLACE).exists()
