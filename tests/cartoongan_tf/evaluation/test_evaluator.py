import dataclasses
import gc
import itertools

import keras
import numpy as np
import pytest

from cartoongan_tf.evaluation import evaluator as evaluators
from cartoongan_tf.evaluation.evaluator import Evaluator, EvaluatorConfig, style_layer
from tests.helpers import draw

CONFIG = EvaluatorConfig(vgg19_weights="random", num_crops=40, crop_px=32, num_resamplings=20)


def _photo(seed):
    noise = np.random.default_rng(seed).integers(0, 128, (60, 80, 3), np.uint8)
    return draw(seed, 60, 80) // 2 + noise


PHOTOS = [_photo(seed) for seed in range(5)]
CARTOONS = [draw(seed, 70, 64) for seed in range(50, 54)]


@pytest.fixture(scope="module")
def evaluator():
    return Evaluator.build(PHOTOS, CARTOONS, CONFIG, shown=[1, 3])


def test_the_layer_suits_the_number_of_crops():
    for num_crops, layer in {1000: "block3_conv4", 700: "block2_conv2", 20: "block1_conv2"}.items():
        assert style_layer(num_crops) == layer, num_crops


def test_drawings_like_the_cartoons_are_nearer_than_noise(evaluator):
    rng = np.random.default_rng(0)
    seeds = itertools.cycle(range(50, 54))
    good = evaluator.row("good", lambda photo: draw(next(seeds), *photo.shape[:2]))
    bad = evaluator.row("bad", lambda photo: rng.integers(0, 256, photo.shape, np.uint8))
    for name in ("kid_to_cartoons", "fd_to_cartoons", "color_to_cartoons"):
        assert good.estimates[name].value < bad.estimates[name].value
    photos_kid = evaluator.photos_row().estimates["kid_to_cartoons"].value
    expected = good.estimates["kid_to_cartoons"].value / photos_kid - 1
    assert good.estimates["kid_change"].value == pytest.approx(expected)


def test_a_method_that_changes_nothing_has_the_photos_measures(evaluator):
    """The crops are at the same places in all rows."""
    same = evaluator.row("same", lambda photo: photo, step=7)
    untouched = evaluator.photos_row()
    for name, estimate in untouched.estimates.items():
        assert same.estimates[name].value == pytest.approx(estimate.value), name
    assert same.estimates["kid_change"].value == pytest.approx(0)
    assert same.estimates["kid_to_photos"].value == pytest.approx(0, abs=1e-9)
    assert same.estimates["fd_to_photos"].value == pytest.approx(0, abs=1e-3)
    assert same.step == 7 and list(same.drawings) == [1, 3]
    np.testing.assert_array_equal(same.drawings[3], PHOTOS[3])


def test_content_is_that_of_each_drawings_own_photo(evaluator):
    """A fifth of the crops, in the second of three batches, has a distance of its own; the others have none."""
    one_changed = evaluator.row("one", lambda photo: photo // 2 if photo is PHOTOS[2] else photo)
    all_changed = evaluator.row("all", lambda photo: photo // 2)
    one = one_changed.estimates["content_distance"].value
    assert 0 < one < 0.5 * all_changed.estimates["content_distance"].value


def test_the_halves_of_the_cartoons_are_compared(evaluator):
    measures = evaluator.cartoons_row().estimates
    assert list(measures) == ["edge_density", "edge_sharpness", "flatness", "kid_to_cartoons", "fd_to_cartoons"]
    others = Evaluator.build(PHOTOS[:2], CARTOONS[:3], dataclasses.replace(CONFIG, num_crops=6))
    assert "kid_to_cartoons" not in others.cartoons_row().estimates, "each half needs two pictures"


def test_inceptions_fid_is_a_column_of_its_own(monkeypatch):
    def build_small_inception(weights):
        assert weights == "weights.h5"
        crop = keras.Input((None, None, 3))
        pooled = keras.layers.GlobalAveragePooling2D()(crop)
        return keras.Model(crop, pooled)

    monkeypatch.setattr(evaluators, "build_inception", build_small_inception)
    config = dataclasses.replace(CONFIG, inception_weights="weights.h5", num_crops=10, num_resamplings=2)
    estimates = Evaluator.build(PHOTOS, CARTOONS, config).row("half", lambda photo: photo // 2).estimates
    assert estimates["inception_fid_to_cartoons"].value > 0
    assert estimates["inception_fid_to_cartoons"].value != estimates["fd_to_cartoons"].value
    assert np.isnan(estimates["inception_fid_to_cartoons"].low)


@pytest.mark.slow
def test_inception_itself(tmp_path):
    weights = tmp_path / "inception.weights.h5"
    keras.applications.InceptionV3(include_top=False, weights=None).save_weights(weights)
    config = dataclasses.replace(CONFIG, inception_weights=str(weights), num_crops=2, num_resamplings=2)
    small = Evaluator.build(PHOTOS[:2], CARTOONS[:2], config)
    assert small.photos.inception.features.shape == (2, 2048)
    assert small.row("half", lambda photo: photo // 2).estimates["inception_fid_to_cartoons"].value > 0
    del small
    keras.backend.clear_session()
    gc.collect()
