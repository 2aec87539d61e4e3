import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf import Cartoonizer
from cartoongan_tf.base import memory
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference import band_plan, blending
from cartoongan_tf.inference.planning import USABLE_SHARE
from cartoongan_tf.inference.runtimes import load_runtime
from cartoongan_tf.inference.saved_model_runtime import SavedModelRuntime
from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels
from cartoongan_tf.models.generator_file import load_generator
from tests.helpers import draw


@pytest.fixture(scope="module")
def runtimes(models, runtime):
    """The runtime of each file, loaded once; tests change them through monkeypatch alone."""
    others = {kind: load_runtime(path) for kind, path in models.items() if kind != "keras"}
    return {"keras": runtime, **others}


@pytest.mark.slow
def test_every_runtime_gives_the_same_at_every_size(models, runtimes):
    generator = load_generator(models["keras"])
    for height, width in ((1, 1), (2, 9), (61, 83), (64, 32)):
        picture = draw(0, height, width)
        before = picture.copy()
        expected = np.asarray(pixels.cartoonize(generator, picture[None]))[0]
        for kind, runtime in runtimes.items():
            case = f"{kind}, {height} x {width}"
            cartoon = Cartoonizer(runtime)(picture)
            assert cartoon.dtype == np.uint8 and cartoon.shape == picture.shape, case
            tolerance = 3 if kind == "fp16" else 1
            assert np.abs(cartoon.astype(int) - expected).max() <= tolerance, case
            np.testing.assert_array_equal(picture, before, case)


def test_the_cartoon_is_not_the_photo(cartoon):
    """Guards the comparisons above against a model that does nothing."""
    assert np.abs(cartoon.astype(int) - draw(0)).mean() > 5 and cartoon.std() > 5


def test_one_cartoonizer_takes_sizes_in_any_order(runtimes):
    for kind in ("keras", "fp32"):
        cartoonizer = Cartoonizer(runtimes[kind])
        first = cartoonizer(draw(0, 40, 24))
        cartoonizer(draw(1, 8, 100))
        np.testing.assert_array_equal(cartoonizer(draw(0, 40, 24)), first, kind)


def test_other_arrays_and_strengths_are_refused(cartoonizer):
    for picture in (
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((1, 8, 8, 4), np.uint8),
        np.zeros((1, 1, 8, 8, 3), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros((0, 8, 8, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match=re.escape(str(list(picture.shape)))):
            cartoonizer(picture)
    for strength in (-0.1, 1.1):
        with pytest.raises(ValueError, match=str(strength)):
            cartoonizer(draw(0), strength)
        with pytest.raises(ValueError, match=str(strength)):
            cartoonizer.film(strength=strength)


def _text(path):
    path.parent.mkdir(exist_ok=True)
    path.write_text("hello")
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path / "none.keras",
        lambda path: _text(path / "a.keras"),
        lambda path: _text(path / "a.tflite"),
        lambda path: _text(path / "a.h5"),
        lambda path: path,
        lambda path: _text(path / "1" / "saved_model.pb").parent,
    ],
    ids=["missing", "no .keras", "no .tflite", "unknown suffix", "empty folder", "no SavedModel"],
)
def test_models_that_cannot_be_read_are_named(tmp_path, make):
    path = make(tmp_path)
    with pytest.raises(InputError, match=re.escape(f"{path}: ")):
        Cartoonizer.load(path)


def test_the_newest_version_is_taken_by_number(models, tmp_path, cartoon):
    shutil.copytree(models["saved_model"], tmp_path / "10")
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "saved_model.pb").write_text("broken")
    newest = Cartoonizer.load(tmp_path)(draw(0))
    np.testing.assert_allclose(newest.astype(int), cartoon, atol=1)


def test_a_batch_is_its_pictures(runtimes):
    batch = np.stack([draw(seed, 21, 34) for seed in range(3)])
    for kind in ("keras", "saved_model", "fp32"):
        cartoonizer = Cartoonizer(runtimes[kind])
        one_by_one = np.stack([cartoonizer(picture) for picture in batch])
        np.testing.assert_allclose(cartoonizer(batch).astype(int), one_by_one, atol=1, err_msg=kind)


@pytest.mark.parametrize("kind", ["keras", "saved_model", "fp32"])
def test_threads_may_share_it(runtimes, kind):
    """Pictures of different sizes at once, against the same ones in turn."""
    cartoonizer = Cartoonizer(runtimes[kind])
    photos = [draw(seed, 20 + 5 * seed, 90 - 4 * seed) for seed in range(8)]
    expected = [cartoonizer(photo) for photo in photos]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(2):
            for cartoon, one in zip(threads.map(cartoonizer, photos), expected, strict=True):
                np.testing.assert_allclose(cartoon.astype(int), one, atol=1)


def test_strength_and_colours(cartoonizer, cartoon):
    photo = draw(0)
    np.testing.assert_array_equal(cartoonizer(photo, strength=0), photo)
    np.testing.assert_array_equal(cartoonizer(photo, strength=0.5), blending.blend(photo, cartoon, 0.5))
    np.testing.assert_array_equal(cartoonizer(photo, keep_colors=True), blending.keep_colors(photo, cartoon))


def _set_memory(monkeypatch, runtime, photo, whole_pictures):
    """Pretend that there is memory for so many pictures in one piece."""
    needed = runtime.bytes_per_pixel * photo.shape[0] * photo.shape[1]
    monkeypatch.setattr(memory, "available_bytes", lambda: whole_pictures * needed / USABLE_SHARE)


def _refuse(image):
    raise AssertionError("run in one piece")


def test_the_method_is_chosen_by_the_available_memory(runtimes, monkeypatch, cartoon):
    monkeypatch.setattr(band_plan, "BAND_BYTES", 1)
    runtime, photo = runtimes["keras"], draw(0)
    cartoonizer = Cartoonizer(runtime)
    _set_memory(monkeypatch, runtime, photo, 1.01)
    np.testing.assert_array_equal(cartoonizer(photo), cartoon)
    _set_memory(monkeypatch, runtime, photo, 0.99)
    monkeypatch.setattr(runtime, "draw", _refuse)
    np.testing.assert_allclose(cartoonizer(photo).astype(int), cartoon, atol=1)


def test_the_method_can_be_chosen(runtimes, monkeypatch, cartoon):
    runtime, photo = runtimes["keras"], draw(0)
    _set_memory(monkeypatch, runtime, photo, 0.01)
    np.testing.assert_array_equal(Cartoonizer(runtime, "whole")(photo), cartoon)
    _set_memory(monkeypatch, runtime, photo, 100)
    monkeypatch.setattr(runtime, "draw", _refuse)
    np.testing.assert_allclose(Cartoonizer(runtime, "banded")(photo).astype(int), cartoon, atol=1)


@pytest.mark.parametrize("kind, name", [("saved_model", "a SavedModel"), ("fp32", "a .tflite file")])
def test_other_runtimes_have_no_bands_and_name_the_size_that_fits(runtimes, monkeypatch, kind, name):
    runtime, photo = runtimes[kind], draw(0, 60, 80)
    with pytest.raises(InputError, match=f"{name}.*--method"):
        Cartoonizer(runtime, "banded")
    cartoonizer = Cartoonizer(runtime)
    monkeypatch.setattr(type(runtime), "held_bytes", 0.0)  # of the pictures in other tests
    _set_memory(monkeypatch, runtime, photo, 0.25)
    with pytest.raises(InputError, match=rf"80 x 60 pixels.*--long_side=\d+ fits.*{name}") as error:
        cartoonizer(photo)
    long_side = int(re.search(r"--long_side=(\d+)", str(error.value))[1])
    assert 30 <= long_side <= 40
    assert cartoonizer(pictures.shrink(photo, long_side)).shape[1] == long_side


def test_memory_that_a_runtime_keeps_counts_for_the_next_picture(models, monkeypatch):
    """An interpreter keeps its tensors, so that the next photo of the same size needs no more."""
    runtime, photo = load_runtime(models["fp32"]), draw(0, 60, 80)
    cartoonizer = Cartoonizer(runtime)
    cartoonizer(photo)
    assert runtime.held_bytes == pytest.approx(runtime.bytes_per_pixel * 60 * 80)
    _set_memory(monkeypatch, runtime, photo, 0.1)
    cartoonizer(photo)
    with pytest.raises(InputError, match="160 x 120 pixels"):
        cartoonizer(draw(0, 120, 160))


def test_a_picture_that_fits_by_no_method_is_refused(cartoonizer, monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 10)
    with pytest.raises(InputError, match=r"80 x 60 pixels take about .*; free some memory"):
        cartoonizer(draw(0))


def test_all_runtimes_know_how_large_their_tensors_are(runtimes):
    """The first layer has 4 filters: 16 bytes a pixel for each of the tensors that count."""
    for kind, runtime in runtimes.items():
        assert runtime.bytes_per_pixel == pytest.approx(16 * runtime.peak_tensors, rel=0.02), kind


def test_a_device_that_runs_out_of_memory_uses_bands(models, monkeypatch, cartoonizer, cartoon):
    """A GPU's memory cannot be asked for beforehand; its error stands in for it here."""
    photo = draw(0)
    expected_film = cartoonizer.film()(photo[np.newaxis])

    def fail(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    fail.variables = []
    with monkeypatch.context() as loading:
        loading.setattr(tf, "function", lambda *_, **__: fail)
        runtime = load_runtime(models["keras"])
    np.testing.assert_allclose(Cartoonizer(runtime)(photo).astype(int), cartoon, atol=1)
    film = Cartoonizer(runtime).film()
    np.testing.assert_allclose(film(photo[np.newaxis]).astype(int), expected_film, atol=1)
    with pytest.raises(InputError, match=r"--method=auto"):
        Cartoonizer(runtime, "whole")(photo)
    with pytest.raises(InputError, match=r"--method=auto"):
        Cartoonizer(runtime, "whole").film()(photo[np.newaxis])
    served = Cartoonizer(SavedModelRuntime(models["saved_model"], None, fail))
    with pytest.raises(InputError, match=r"OOM.*a SavedModel.*\.keras"):
        served(photo)


def test_the_package_imports_without_tensorflow():
    script = "import sys, cartoongan_tf, cartoongan_tf.train, export.export_model, data_pipeline.build_tfrecords; "
    script += "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_a_saved_models_limit_is_for_each_picture(runtimes):
    cartoonizer = Cartoonizer(runtimes["saved_model"])
    assert cartoonizer(np.stack([draw(seed, 100, 90) for seed in range(3)])).shape == (3, 100, 90, 3)
    with pytest.raises(InputError, match=r"1: 1 pictures of 100 x 101 pixels .* --long_side"):
        cartoonizer(draw(0, 101, 100))
