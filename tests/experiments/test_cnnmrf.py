import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models import pixels
from experiments.baselines.cnnmrf import CNNMRF, best_matches, mean_square, patches_of, pyramid_sizes, variation
from tests.helpers import draw


@pytest.fixture(scope="module")
def method():
    return CNNMRF.load("random")


def test_patches_by_hand():
    features = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1)
    patches = patches_of(tf.constant(features)).numpy()
    assert patches.tolist() == [[0, 1, 2, 4, 5, 6, 8, 9, 10], [1, 2, 3, 5, 6, 7, 9, 10, 11]]


def test_the_best_match_has_the_largest_normalised_cross_correlation():
    style = tf.constant([[10.0, 10.0], [0.1, 0.0], [0.0, 3.0]])
    patches = tf.constant([[5.0, 0.5], [1.0, 8.0], [2.0, 2.1]])
    # By product alone, the first would be taken for all of them.
    assert best_matches(patches, style).numpy().tolist() == [1, 2, 0]


def test_many_patches_are_matched_in_parts():
    rng = np.random.default_rng(0)
    patches = tf.constant(rng.normal(size=(23, 5)), tf.float32)
    style = tf.constant(rng.normal(size=(11, 5)), tf.float32)
    at_once = best_matches(patches, style)
    np.testing.assert_array_equal(best_matches(patches, style, rows_at_once=4), at_once)


def test_energies_by_hand():
    picture = tf.constant([[[[0.0], [2.0]], [[1.0], [5.0]]]])
    # Down: 1 and 3; to the right: 2 and 4.
    np.testing.assert_allclose(variation(picture), (1 + 9) / 2 + (4 + 16) / 2)
    np.testing.assert_allclose(mean_square(tf.constant([1.0, 4.0]), tf.constant([0.0, 2.0])), 2.5)


def test_pyramid():
    for size, sizes in {
        (256, 192): [(64, 48), (128, 96), (256, 192)],
        (100, 60): [(100, 60)],
        (128, 130): [(64, 65), (128, 130)],
        (40, 300): [(40, 300)],
    }.items():
        assert pyramid_sizes(size) == sizes, size


def test_steps_lower_the_energy(method):
    photo = draw(0, 48, 64)
    style = draw(1, 40, 40)
    drawing = method.draw(photo, style, num_steps=14)
    assert drawing.shape == photo.shape and drawing.dtype == np.uint8
    content = method.content(pixels.to_float(photo[np.newaxis]))
    style_patches = method.patches(pixels.to_float(style[np.newaxis]))

    def energy(picture):
        batch = pixels.to_float(picture[np.newaxis])
        return float(method.energy(batch, method.matches(batch, style_patches), content))

    assert energy(drawing) < 0.8 * energy(photo)


def test_a_photo_in_its_own_style_stays(method):
    photo = draw(0, 48, 48)
    drawn = method.draw(photo, photo, num_steps=6)
    assert np.abs(drawn.astype(int) - photo).mean() < 6
