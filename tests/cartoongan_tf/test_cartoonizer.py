import shutil

import numpy as np
import pytest

from cartoongan_tf import Cartoonizer, pixels
from cartoongan_tf.checkpoints import load_generator
from cartoongan_tf.errors import InputError
from export.saved_model import export_saved_model
from export.tflite import export_tflite
from tests.helpers import draw


@pytest.fixture(scope="module")
def models(generator_path, tmp_path_factory):
    """The same generator in every form."""
    folder = tmp_path_factory.mktemp("models")
    generator = load_generator(generator_path)
    version = export_saved_model(generator, folder / "serving")
    for precision in ("fp32", "fp16"):
        export_tflite(generator, folder / f"{precision}.tflite", precision)
    return {
        "keras": generator_path,
        "saved_model": version,
        "base_path": folder / "serving",
        "fp32": folder / "fp32.tflite",
        "fp16": folder / "fp16.tflite",
    }


@pytest.mark.parametrize("form", ["keras", "saved_model", "base_path", "fp32", "fp16"])
@pytest.mark.parametrize("height, width", [(1, 1), (2, 9), (61, 83), (64, 32)])
def test_every_form_draws_the_same_at_every_size(models, form, height, width):
    picture = draw(0, height, width)
    before = picture.copy()
    cartoon = Cartoonizer.load(models[form])(picture)
    assert cartoon.dtype == np.uint8 and cartoon.shape == picture.shape
    expected = np.asarray(pixels.cartoonize(load_generator(models["keras"]), picture[None]))[0]
    tolerance = 3 if form == "fp16" else 1
    assert np.abs(cartoon.astype(int) - expected).max() <= tolerance
    np.testing.assert_array_equal(picture, before)


def test_the_drawing_is_not_the_photo(models):
    """Guards the comparisons above against a model that does nothing."""
    picture = draw(0)
    cartoon = Cartoonizer.load(models["keras"])(picture)
    assert np.abs(cartoon.astype(int) - picture).mean() > 5 and cartoon.std() > 5


def test_one_cartoonizer_draws_sizes_in_any_order(models):
    for form in ("keras", "fp32"):
        cartoonizer = Cartoonizer.load(models[form])
        first = cartoonizer(draw(0, 40, 24))
        cartoonizer(draw(1, 8, 100))
        np.testing.assert_array_equal(cartoonizer(draw(0, 40, 24)), first)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(models, picture):
    with pytest.raises(ValueError, match=r"uint8 RGB \[H, W, 3\]"):
        Cartoonizer.load(models["keras"])(picture)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda path: path / "none.keras", "no such model"),
        (lambda path: _text(path / "a.keras"), r"a\.keras: damaged, or not a \.keras file"),
        (lambda path: _text(path / "a.tflite"), r"a\.tflite: not a \.tflite file"),
        (lambda path: _text(path / "a.h5"), r"give a \.keras file"),
        (lambda path: path, r"no saved_model\.pb"),
        (lambda path: _text(path / "1" / "saved_model.pb").parent, "cannot be used"),
    ],
)
def test_models_that_cannot_be_read_are_named(tmp_path, make, message):
    path = make(tmp_path)
    with pytest.raises(InputError, match=message) as error:
        Cartoonizer.load(path)
    assert str(path) in str(error.value)


def _text(path):
    path.parent.mkdir(exist_ok=True)
    path.write_text("hello")
    return path


def test_the_newest_version_is_taken_by_number(models, tmp_path):
    for version in ("2", "10"):
        shutil.copytree(models["saved_model"], tmp_path / version)
    (tmp_path / "2" / "saved_model.pb").write_text("broken")
    Cartoonizer.load(tmp_path)


def test_the_package_imports_without_tensorflow():
    import subprocess
    import sys

    script = "import sys, cartoongan_tf, cartoongan_tf.train, export.export_model, data_pipeline.build_tfrecords; "
    script += "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
