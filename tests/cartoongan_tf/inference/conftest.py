"""The small generator, loaded once for all tests of inference."""

import shutil

import pytest

from cartoongan_tf import Cartoonizer
from cartoongan_tf.inference.runtimes import load_runtime
from cartoongan_tf.models.generator_file import load_generator
from export import drawing_file, tflite
from export.serving import saved_model
from export.tflite_metadata import Metadata
from tests.helpers import draw

MAX_PIXELS = 100 * 100  # of the SavedModel


@pytest.fixture
def no_gpu(monkeypatch):
    """Let LiteRT draw where there is a GPU, too."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(scope="session")
def runtime(generator_path):
    """The runtime of the small generator; tests change it through monkeypatch alone."""
    return load_runtime(generator_path)


@pytest.fixture(scope="session")
def cartoonizer(runtime):
    return Cartoonizer(runtime)


@pytest.fixture(scope="session")
def cartoon(cartoonizer):
    """The cartoon of `draw(0)`."""
    return cartoonizer(draw(0))


@pytest.fixture(scope="session")
def models(generator_path, tmp_path_factory):
    """The same generator in a file of every kind."""
    folder = tmp_path_factory.mktemp("models")
    generator = load_generator(generator_path)
    version = folder / "serving" / "1"
    saved_model.write_version(generator, version, "demo", draw(0), MAX_PIXELS)
    for precision in ("fp32", "fp16"):
        (folder / f"{precision}.tflite").write_bytes(tflite.convert(generator, precision, Metadata("demo")))
    return {
        "keras": generator_path,
        "saved_model": version,
        "fp32": folder / "fp32.tflite",
        "fp16": folder / "fp16.tflite",
    }


@pytest.fixture(scope="session")
def tflite_beside(light_path, tmp_path_factory):
    """The small light generator, with its .tflite file beside it."""
    return _with_tflite(light_path, tmp_path_factory.mktemp("light"))


@pytest.fixture(scope="session")
def paired(generator_path, tmp_path_factory):
    """The small generator with norms, and its .tflite file."""
    return _with_tflite(generator_path, tmp_path_factory.mktemp("paired"))


def _with_tflite(keras_path, folder):
    """Copy a generator into a folder, and write its .tflite file beside it."""
    path = folder / "generator.keras"
    shutil.copy(keras_path, path)
    drawing_file.write_beside(path)
    return path
