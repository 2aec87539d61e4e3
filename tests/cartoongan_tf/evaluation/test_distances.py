"""Each measure by hand, and on sets of pictures whose order is known: drawings, other drawings, these with their edges
smoothed, photo-like pictures, and noise."""

import itertools

import cv2
import keras
import numpy as np
import pytest

from cartoongan_tf.evaluation import distances
from cartoongan_tf.evaluation.distances import Sample, resampling_weights
from cartoongan_tf.media import image_measures
from cartoongan_tf.models import losses, pixels, vgg19
from tests.helpers import draw_photo_like

ONCE = np.ones((1, 2))


@pytest.fixture(scope="module")
def samples(picture_sets):
    """Their style features: one crop a picture, VGG19 with random kernels."""
    extractor = vgg19.build_vgg19_layers("random", ["block1_conv1", "block1_conv2"])
    features = {}
    for name, pictures in picture_sets.items():
        _, maps = extractor(pixels.to_float(np.stack(pictures)))
        style = keras.ops.convert_to_numpy(maps).mean((1, 2))
        features[name] = Sample(style.astype(np.float64), np.arange(24))
    scale = distances.scaler([features["drawings"], features["photos"]])
    return {name: scale(sample) for name, sample in features.items()}


@pytest.mark.parametrize("distance", [distances.kernel_distance, distances.frechet_distance])
def test_distances_know_the_order(distance, samples):
    weights = np.ones((1, 24))
    names = ("other drawings", "smoothed", "photos", "noise")
    values = {name: distance(samples["drawings"], samples[name], weights, weights)[0] for name in names}
    assert all(nearer < farther for nearer, farther in itertools.pairwise(values.values())), values
    reversed_value = distance(samples["photos"], samples["drawings"], weights, weights)[0]
    assert values["photos"] == pytest.approx(reversed_value, rel=1e-6)


def test_the_kernel_distance_by_hand():
    """One feature, so the kernel is (x y + 1)^3."""
    sample = Sample(np.array([[0.0], [1.0]]), np.array([0, 1]))
    other = Sample(np.array([[2.0], [3.0]]), np.array([0, 1]))
    within = 1.0
    within_other = 7.0**3
    between = np.mean([1.0, 1.0, 3.0**3, 4.0**3])
    expected = within + within_other - 2 * between
    assert distances.kernel_distance(sample, other, ONCE, ONCE) == pytest.approx([expected])


def test_crops_of_one_picture_are_no_pair():
    """A third crop, of a picture that has one already, makes pairs with crops of other pictures only."""
    sample = Sample(np.array([[0.0], [1.0], [5.0]]), np.array([0, 1, 1]))
    other = Sample(np.array([[2.0], [3.0]]), np.array([0, 1]))
    within = np.mean([1.0, 1.0])
    between = np.mean([(x * y + 1) ** 3 for x in (0, 1, 5) for y in (2, 3)])
    expected = within + 7.0**3 - 2 * between
    assert distances.kernel_distance(sample, other, ONCE, ONCE) == pytest.approx([expected])


def test_a_photo_and_its_drawing_are_no_pair():
    """Drawings that change nothing are at no distance on average: with the pairs of a photo and itself they would be
    nearer than that."""
    rng = np.random.default_rng(0)
    weights = np.ones((1, 8))
    values = {True: [], False: []}
    for _ in range(200):
        features = np.repeat(rng.normal(size=(8, 4)), 3, 0) + 0.1 * rng.normal(size=(24, 4))
        sample = Sample(features, np.repeat(np.arange(8), 3))
        for same_pictures in (True, False):
            values[same_pictures].append(distances.kernel_distance(sample, sample, weights, weights, same_pictures)[0])
    assert np.allclose(values[True], 0) and np.mean(values[False]) < -1


def test_the_kernel_distance_of_equal_distributions_is_zero_on_average():
    rng = np.random.default_rng(0)
    weights = np.ones((1, 10))
    pictures = np.arange(40) % 10
    values = []
    for _ in range(200):
        sample = Sample(rng.normal(size=(40, 8)), pictures)
        other = Sample(rng.normal(size=(40, 8)), pictures)
        values.append(distances.kernel_distance(sample, other, weights, weights)[0])
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(200) and min(values) < 0


def test_the_frechet_distance_by_hand():
    """Between uncorrelated normal distributions it is the squared distance of means and of standard deviations."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2000, 3))
    points = (points - points.mean(0)) / points.std(0)
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T, bias=True))).T  # exactly uncorrelated
    pictures = np.arange(2000) % 2
    sample = Sample(points * [1, 2, 3] + [0, 0, 1], pictures)
    other = Sample(points * [2, 2, 1] + [3, 0, 0], pictures)
    assert distances.frechet_distance(sample, other, ONCE, ONCE) == pytest.approx([(9 + 0 + 1) + (1 + 0 + 4)])
    assert distances.frechet_distance(sample, sample, ONCE, ONCE) == pytest.approx([0], abs=1e-9)


@pytest.mark.parametrize("distance", [distances.kernel_distance, distances.frechet_distance])
def test_a_picture_that_is_taken_twice_counts_twice(distance):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(8, 2))
    pictures = np.repeat([0, 1, 2, 3], 2)
    sample = Sample(features, pictures)
    other = Sample(rng.normal(size=(8, 2)), pictures)
    without_third = Sample(np.concatenate([features[:4], features[6:]]), np.array([0, 0, 1, 1, 2, 2]))
    once = np.ones((1, 4))
    value = distance(sample, other, np.array([[2, 1, 0, 1]]), once)
    assert value == pytest.approx(distance(without_third, other, np.array([[2, 1, 1]]), once))
    assert value != pytest.approx(distance(sample, other, once, once))


def test_scaled_features_count_alike():
    rng = np.random.default_rng(0)
    samples = [
        Sample(rng.normal(0, [1, 1000], (50, 2)), np.zeros(50, int)),
        Sample(rng.normal(5, [1, 1000], (500, 2)), np.zeros(500, int)),
    ]
    scaled = [distances.scaler(samples)(sample).features for sample in samples]
    assert np.mean([(values**2).mean(0) for values in scaled], 0) == pytest.approx([1, 1])
    assert scaled[1][:, 0].mean() > 1


def test_intervals_are_those_of_pictures_and_not_of_crops():
    """A hundred crops of each of four pictures give no narrower interval than four pictures."""
    pictures = np.repeat(np.arange(4), 100)
    values = pictures + np.random.default_rng(0).normal(0, 0.01, 400)
    weights = resampling_weights(4, 2000, seed=(1,))
    assert (resampling_weights(4, 2000, (0, 0)) != resampling_weights(4, 2000, (0, 1))).any()
    assert weights.shape == (2001, 4) and (weights.sum(1) == 4).all()
    estimate = distances.estimate(distances.mean_over_crops(values, pictures, weights))
    assert estimate.value == pytest.approx(1.5, abs=0.01)
    error = np.std([0, 1, 2, 3]) / np.sqrt(4)
    assert (estimate.high - estimate.low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_the_interval_lies_around_the_value_where_resampling_shifts_it():
    values = np.concatenate([[1.0], np.random.default_rng(0).normal(5, 1, 1000)])
    estimate = distances.estimate(values)
    assert estimate.value == 1 and estimate.low == pytest.approx(-0.96, abs=0.2)
    assert estimate.high == pytest.approx(2.96, abs=0.2)


def test_crops_without_a_value_are_left_out():
    values, weights = np.array([1.0, np.nan, 3.0]), np.ones((1, 2))
    assert distances.mean_over_crops(values, np.array([0, 0, 1]), weights) == pytest.approx([2])
    assert np.isnan(distances.mean_over_crops(values * np.nan, np.array([0, 0, 1]), weights)).all()
    assert np.isnan(distances.estimate(np.array([np.nan, 1, 2])).low)


def test_luminance_similarity_is_that_of_tensorflow(picture_sets):
    import tensorflow as tf

    for picture, other in zip(picture_sets["drawings"], picture_sets["photos"], strict=True):
        luminances = [(image @ np.array([0.299, 0.587, 0.114])).astype(np.float32) for image in (picture, other)]
        expected = tf.image.ssim(*(luminance[..., None] for luminance in luminances), max_val=255.0)
        assert image_measures.luminance_similarity(picture, other) == pytest.approx(float(expected), abs=1e-4)


def test_luminance_similarity_knows_the_order(picture_sets):
    photo = picture_sets["photos"][0]
    noise = picture_sets["noise"][0]
    pictures = [photo, cv2.addWeighted(photo, 0.9, noise, 0.1, 0), cv2.addWeighted(photo, 0.6, noise, 0.4, 0), noise]
    values = [image_measures.luminance_similarity(picture, photo) for picture in pictures]
    assert values[0] == pytest.approx(1) and all(more > less for more, less in itertools.pairwise(values))


def test_content_distance_is_the_content_loss_and_knows_the_order(picture_sets):
    extractor = vgg19.build_style_features("random", "block1_conv2")
    photos = [photo[:48, :48] for photo in picture_sets["photos"][:2]]
    blurred = [cv2.GaussianBlur(photo, (5, 5), 0) for photo in photos]
    noise = [picture[:48, :48] for picture in picture_sets["noise"][:2]]
    content = {}
    for name, pictures in {"photos": photos, "blurred": blurred, "noise": noise}.items():
        content[name] = keras.ops.convert_to_numpy(extractor(pixels.to_float(np.stack(pictures)))[1])
    values = {name: distances.content_distance(content[name], content["photos"]) for name in content}
    assert (values["photos"] == 0).all() and (values["blurred"] > 0).all()
    assert (values["blurred"] < values["noise"]).all()
    content_loss = losses.content_loss(content["noise"], content["photos"], "l1")
    np.testing.assert_allclose(values["noise"], content_loss, rtol=1e-5)
    expected = keras.ops.convert_to_numpy(vgg19.build_vgg19_features("random")(pixels.to_float(np.stack(photos))))
    np.testing.assert_allclose(content["photos"], expected, rtol=1e-4, atol=1e-3)


def test_color_shift_sees_colours_and_not_lines():
    photo = draw_photo_like(0)
    lined = photo.copy()
    lined[::16] = 0
    lined[:, ::16] = 0
    red = np.add(photo, [30, 0, 0], dtype=int).clip(0, 255).astype(np.uint8)
    assert image_measures.color_shift(photo, photo) == 0
    assert image_measures.color_shift(red, photo) > 8
    assert image_measures.color_shift(np.zeros_like(photo), np.full_like(photo, 255)) == pytest.approx(100, abs=0.1)
    assert image_measures.color_shift(draw_photo_like(1), photo) > image_measures.color_shift(lined, photo)


def test_color_features_are_those_of_lab():
    half = np.zeros((10, 10, 3), np.uint8)
    half[:5] = 255
    assert image_measures.color_features(half) == pytest.approx([50, 0, 0, 50, 0, 0], abs=0.1)
