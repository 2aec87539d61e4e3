import os

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from cartoongan_tf import Cartoonizer
from cartoongan_tf.checkpoints import load_generator
from cartoongan_tf.errors import InputError
from cartoongan_tf.generator import build_generator
from export import parity, tflite


@pytest.fixture(scope="module")
def generator(generator_path):
    return load_generator(generator_path)


@pytest.fixture(scope="module")
def files(generator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tflite")
    for precision in ("fp32", "fp16"):
        tflite.export_tflite(generator, folder / f"{precision}.tflite", precision)
    return folder


def _run(interpreter, photo):
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, photo.shape, strict=True)
    interpreter.allocate_tensors()
    interpreter.set_tensor(index, photo)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.mark.parametrize("precision, tolerance", [("fp32", 1e-4), ("fp16", 2e-2)])
def test_any_size_draws_what_keras_draws(generator, files, precision, tolerance):
    interpreter = Interpreter(str(files / f"{precision}.tflite"))
    for seed, size in enumerate([(8, 8), (64, 96), (12, 40)]):
        photo = np.random.default_rng(seed).uniform(-1, 1, (1, *size, 3)).astype(np.float32)
        np.testing.assert_allclose(_run(interpreter, photo), generator(photo), atol=tolerance)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_height_and_width_are_free_and_floats_go_in_and_out(files, precision):
    interpreter = Interpreter(str(files / f"{precision}.tflite"))
    for details in (interpreter.get_input_details()[0], interpreter.get_output_details()[0]):
        assert details["dtype"] == np.float32
        assert list(details["shape_signature"][1:3]) == [-1, -1] and details["shape"][3] == 3


def test_fp16_is_half_the_size(generator, files):
    sizes = {precision: (files / f"{precision}.tflite").stat().st_size for precision in ("fp32", "fp16")}
    weights = generator.count_params() * 4
    assert weights < sizes["fp32"] < weights + 60_000  # the weights are in the file
    assert sizes["fp16"] - weights / 2 < 60_000


def test_only_builtin_operators(files):
    details = Interpreter(str(files / "fp32.tflite"))._get_ops_details()
    assert not [op["op_name"] for op in details if op["op_name"].startswith(("Flex", "CUSTOM"))]


def test_a_wrong_file_fails_and_is_not_written(generator, tmp_path, monkeypatch):
    convert = tflite._convert
    other = build_generator("paper", width=4, num_blocks=1)
    monkeypatch.setattr(tflite, "_convert", lambda _, precision: convert(other, precision))
    with pytest.raises(ValueError, match=r"a\.tflite: not written.*dB"):
        tflite.export_tflite(generator, tmp_path / "a.tflite", "fp32")
    assert not os.listdir(tmp_path)


def test_a_fixed_size_file_is_refused_by_its_size(generator, tmp_path):
    function = tf.function(generator).get_concrete_function(tf.TensorSpec([1, 32, 32, 3]))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([convert_variables_to_constants_v2(function)])
    (tmp_path / "fixed.tflite").write_bytes(converter.convert())
    with pytest.raises(InputError, match=r"fixed\.tflite: takes float32 \[1, 32, 32, 3\]"):
        Cartoonizer.load(tmp_path / "fixed.tflite")


def test_psnr_by_hand():
    zeros = np.zeros((2, 2))
    assert parity.psnr(zeros, zeros) == np.inf
    assert parity.psnr(zeros + 255, zeros) == pytest.approx(0)
    assert parity.psnr(zeros + 0.2, zeros, peak=2.0) == pytest.approx(20)
    assert parity.psnr(zeros + np.nan, zeros) == -np.inf
