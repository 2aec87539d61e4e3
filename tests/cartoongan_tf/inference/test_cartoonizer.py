import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf import Cartoonizer
from cartoongan_tf.base import memory
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference import banded, blending
from cartoongan_tf.inference.cartoonizer import USABLE_SHARE
from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels
from cartoongan_tf.models.generator_file import load_generator
from export import tflite
from export.serving import saved_model
from export.tflite_file import Metadata
from tests.helpers import draw

MAX_PIXELS = 100 * 100  # of the SavedModel


@pytest.fixture(scope="module")
def models(generator_path, tmp_path_factory):
    """The same generator in every form."""
    folder = tmp_path_factory.mktemp("models")
    generator = load_generator(generator_path)
    version = folder / "serving" / "1"
    saved_model.write_version(generator, version, "demo", draw(0), MAX_PIXELS)
    for precision in ("fp32", "fp16"):
        (folder / f"{precision}.tflite").write_bytes(tflite.convert(generator, precision, Metadata("demo")))
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
        np.zeros((1, 8, 8, 4), np.uint8),
        np.zeros((1, 1, 8, 8, 3), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros((0, 8, 8, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(models, picture):
    with pytest.raises(ValueError, match=r"uint8 RGB \[H, W, 3\]"):
        Cartoonizer.load(models["keras"])(picture)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda path: path / "none.keras", "no such file, and no style"),
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


@pytest.mark.parametrize("form", ["keras", "saved_model", "fp32"])
def test_a_batch_is_its_pictures(models, form):
    cartoonizer = Cartoonizer.load(models[form])
    batch = np.stack([draw(seed, 21, 34) for seed in range(3)])
    one_by_one = np.stack([cartoonizer(picture) for picture in batch])
    np.testing.assert_allclose(cartoonizer(batch).astype(int), one_by_one, atol=1)


@pytest.mark.parametrize("form", ["keras", "saved_model", "fp32"])
def test_threads_may_share_it(models, form):
    """Pictures of different sizes at once, against the same ones in turn."""
    cartoonizer = Cartoonizer.load(models[form])
    photos = [draw(seed, 20 + 5 * seed, 90 - 4 * seed) for seed in range(8)]
    expected = [cartoonizer(photo) for photo in photos]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(3):
            for cartoon, one in zip(threads.map(cartoonizer, photos), expected, strict=True):
                np.testing.assert_allclose(cartoon.astype(int), one, atol=1)


def test_taste(models):
    cartoonizer, photo = Cartoonizer.load(models["keras"]), draw(0)
    cartoon = cartoonizer(photo)
    np.testing.assert_array_equal(cartoonizer(photo, strength=0), photo)
    np.testing.assert_array_equal(cartoonizer(photo, strength=0.5), blending.blend(photo, cartoon, 0.5))
    np.testing.assert_array_equal(cartoonizer(photo, keep_colors=True), blending.keep_colors(photo, cartoon))


def _with_memory(monkeypatch, cartoonizer, photo, whole_pictures):
    """Say that there is memory for so many pictures in one piece."""
    needed = cartoonizer._form.bytes_per_pixel * photo.shape[0] * photo.shape[1]
    monkeypatch.setattr(memory, "available_bytes", lambda: whole_pictures * needed / USABLE_SHARE)


def _refuse(image):
    raise AssertionError("drawn in one piece")


def test_the_way_is_chosen_by_the_memory_at_hand(models, monkeypatch):
    monkeypatch.setattr(banded, "BAND_BYTES", 1)
    cartoonizer, photo = Cartoonizer.load(models["keras"]), draw(0)
    expected = cartoonizer(photo)
    _with_memory(monkeypatch, cartoonizer, photo, 1.01)
    np.testing.assert_array_equal(cartoonizer(photo), expected)
    _with_memory(monkeypatch, cartoonizer, photo, 0.99)
    monkeypatch.setattr(cartoonizer._form, "draw", _refuse)
    np.testing.assert_allclose(cartoonizer(photo).astype(int), expected, atol=1)


def test_the_way_can_be_told(models, monkeypatch):
    photo = draw(0)
    whole, bands = (Cartoonizer.load(models["keras"], method) for method in ("whole", "banded"))
    expected = whole(photo)
    monkeypatch.setattr(bands._form, "draw", _refuse)
    np.testing.assert_allclose(bands(photo).astype(int), expected, atol=1)
    _with_memory(monkeypatch, whole, photo, 0.01)
    np.testing.assert_array_equal(whole(photo), expected)


@pytest.mark.parametrize("form, named", [("saved_model", "a SavedModel"), ("fp32", "a .tflite file")])
def test_other_forms_say_that_they_draw_in_one_piece_and_what_fits(models, monkeypatch, form, named):
    with pytest.raises(InputError, match=f"{named} cannot draw in bands"):
        Cartoonizer.load(models[form], "banded")
    cartoonizer, photo = Cartoonizer.load(models[form]), draw(0, 60, 80)
    _with_memory(monkeypatch, cartoonizer, photo, 0.25)
    with pytest.raises(InputError, match=rf"80 x 60 pixels.*--long_side=\d+ fits.*{named} draws") as error:
        cartoonizer(photo)
    long_side = int(re.search(r"--long_side=(\d+)", str(error.value))[1])
    assert 30 <= long_side <= 40
    assert cartoonizer(pictures.shrink(photo, long_side)).shape[1] == long_side


def test_a_picture_that_fits_neither_way_is_refused_with_the_size_that_does(models, monkeypatch):
    cartoonizer, photo = Cartoonizer.load(models["keras"]), draw(0)
    monkeypatch.setattr(memory, "available_bytes", lambda: 10)
    with pytest.raises(InputError, match=r"80 x 60 pixels take about .*; free some memory"):
        cartoonizer(photo)


def test_all_forms_know_how_large_their_tensors_are(models):
    """The first layer has 4 filters: 16 bytes a pixel for each of the tensors that count."""
    for form in ("keras", "saved_model", "fp32", "fp16"):
        form = Cartoonizer.load(models[form])._form
        assert form.bytes_per_pixel == pytest.approx(16 * form.peak_tensors, rel=0.02)


def test_a_device_that_runs_out_of_memory_draws_in_bands(models, monkeypatch):
    """A GPU's memory cannot be asked for beforehand; its error stands in for it here."""
    photo = draw(0)
    cartoonizer, whole = Cartoonizer.load(models["keras"]), Cartoonizer.load(models["keras"], "whole")
    expected, expected_film = cartoonizer(photo), cartoonizer.film()(photo[np.newaxis])

    def fail(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    for one in (cartoonizer, whole):
        monkeypatch.setattr(one._form, "_draw", fail)
        monkeypatch.setattr(one._form, "_draw_film", fail)
    np.testing.assert_allclose(cartoonizer(photo).astype(int), expected, atol=1)
    np.testing.assert_allclose(cartoonizer.film()(photo[np.newaxis]).astype(int), expected_film, atol=1)
    with pytest.raises(InputError, match=r"out of memory .*--method=auto"):
        whole(photo)
    served = Cartoonizer.load(models["saved_model"])
    monkeypatch.setattr(served._form, "_signature", fail)
    with pytest.raises(InputError, match=r"out of memory .* a SavedModel draws a picture in one piece"):
        served(photo)


def test_the_package_imports_without_tensorflow():
    import subprocess
    import sys

    script = "import sys, cartoongan_tf, cartoongan_tf.train, export.export_model, data_pipeline.build_tfrecords; "
    script += "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_a_saved_models_limit_is_for_each_picture(models):
    cartoonizer = Cartoonizer.load(models["saved_model"])
    assert cartoonizer(np.stack([draw(seed, 100, 90) for seed in range(3)])).shape == (3, 100, 90, 3)
    with pytest.raises(InputError, match=r"1: 1 pictures of 100 x 101 pixels are more than .* --long_side"):
        cartoonizer(draw(0, 101, 100))
