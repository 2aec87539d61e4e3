import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models.disturbance import MOVES_PX, NUM_DRAWS, disturb, inside, through_window

SIZE = 32
SEEN = SIZE - MOVES_PX
NO_CHANGE = (0.5, 0.0)  # of brightness and of noise


def _photo(seed=0, num_pictures=3):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (num_pictures, SIZE, SIZE, 3)).astype(np.float32)


def _draws(*rows):
    return np.array(rows, np.float32).reshape(-1, NUM_DRAWS)


def _noise(num_pictures=3):
    return np.random.default_rng(1).normal(size=(num_pictures, SEEN, SEEN, 3)).astype(np.float32)


def test_each_picture_is_seen_through_its_own_window():
    """From 0 to 8 pixels down and to the right, and nothing else is changed."""
    photo = _photo()
    draws = _draws((0, 0.999, *NO_CHANGE), (0.5, 0, *NO_CHANGE), (0.34, 0.12, *NO_CHANGE))
    disturbed = disturb(photo, draws, _noise())
    assert disturbed.shape == (3, SEEN, SEEN, 3)
    for index, (top, left) in enumerate([(0, 8), (4, 0), (3, 1)]):
        np.testing.assert_array_equal(disturbed[index], photo[index, top : top + SEEN, left : left + SEEN])
    np.testing.assert_array_equal(through_window(photo, draws), disturbed)


def test_all_places_are_as_likely():
    draws = np.random.default_rng(2).uniform(size=(900, NUM_DRAWS)).astype(np.float32)
    rows = np.tile(np.arange(SIZE, dtype=np.float32)[:, None, None], (900, 1, SIZE, 1))
    tops = through_window(rows, draws)[:, 0, 0, 0].numpy()
    counts = np.bincount(tops.astype(int), minlength=MOVES_PX + 1)
    assert len(counts) == 9 and counts.min() > 60


def test_brightness_and_noise_are_small():
    photo = _photo()
    noise = _noise()
    draws = _draws((0, 0, 0.999999, 0), (0, 0, 0, 0), (0, 0, 0.5, 0.5))
    change = 127.5 * (disturb(photo, draws, noise) - photo[:, :SEEN, :SEEN])
    np.testing.assert_allclose(change[0], 5, atol=1e-3)
    np.testing.assert_allclose(change[1], -5, atol=1e-3)
    np.testing.assert_allclose(change[2], 1.5 * noise[2], atol=1e-3)


def test_white_stays_white():
    disturbed = disturb(np.ones((1, SIZE, SIZE, 3), np.float32), _draws((0, 0, 1, 1)), _noise(1))
    assert disturbed.numpy().max() == 1.0


def test_gradients_go_back_to_where_the_window_was():
    generated = tf.Variable(_photo(num_pictures=1))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(through_window(generated, _draws((0.5, 0.999, *NO_CHANGE))))
    gradient = np.zeros((SIZE, SIZE))
    gradient[4 : 4 + SEEN, 8:] = 1
    np.testing.assert_array_equal(tape.gradient(total, generated)[0, ..., 0], gradient)


@pytest.mark.parametrize("size", [24, 120])
def test_inside_leaves_the_borders_out(size):
    pictures = np.arange(size * size, dtype=np.float32).reshape(1, size, size, 1)
    np.testing.assert_array_equal(inside(pictures), pictures[:, 8:-8, 8:-8])
