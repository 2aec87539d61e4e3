import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models.augmentation import NUM_DRAWS, augment

SIZE = 16
NO_COLOR = [0.5, 0.5, 0.5]  # draws of brightness, saturation and contrast that change nothing


def _pictures(count=1):
    return np.random.default_rng(0).uniform(-1, 1, (count, SIZE, SIZE, 3)).astype(np.float32)


def _draws(*rows):
    return np.array(rows, np.float32)


def _moved_and_cut(picture, draws):
    """Do with loops what `augment` does by "geometry": a reference."""
    down, right = (int(draw * 5) - 2 for draw in draws[3:5])  # an eighth of 16 pixels is 2
    top, left = (int(draw * 17) - 4 for draw in draws[5:7])  # half of them is 8, and a square may leave the picture
    expected = np.zeros_like(picture)
    for row in range(SIZE):
        for column in range(SIZE):
            is_inside = 0 <= row - down < SIZE and 0 <= column - right < SIZE
            is_cut = top <= row < top + 8 and left <= column < left + 8
            if is_inside and not is_cut:
                expected[row, column] = picture[row - down, column - right]
    return expected


def test_geometry_against_loops():
    pictures = _pictures(40)
    draws = np.random.default_rng(1).uniform(0, 1, (40, NUM_DRAWS)).astype(np.float32)
    draws[0], draws[1] = 0.0, 0.999  # as far as it goes
    changed = np.asarray(augment(pictures, draws, "geometry"))
    for picture, row, ours in zip(pictures, draws, changed, strict=True):
        np.testing.assert_allclose(ours, _moved_and_cut(picture, row), atol=1e-6)


def test_colors_change_before_the_geometry():
    picture = _pictures()
    for draws in ([0.9, 0.5, 0.5], [0.5, 0.1, 0.5], [0.5, 0.5, 0.2], [0.3, 0.8, 0.9]):
        brightness, saturation, contrast = draws
        expected = picture + brightness - 0.5
        grey = expected.mean(-1, keepdims=True)
        expected = grey + 2 * saturation * (expected - grey)
        expected = expected.mean() + (0.5 + contrast) * (expected - expected.mean())
        geometry = [0.1, 0.9, 0.3, 0.6]
        ours = np.asarray(augment(picture, _draws(draws + geometry), "all"))
        np.testing.assert_allclose(ours[0], _moved_and_cut(expected[0], [0, 0, 0, *geometry]), atol=1e-5)


def test_colors_in_the_middle_stay():
    draws = _draws([*NO_COLOR, 0.1, 0.9, 0.3, 0.6])
    ours = np.asarray(augment(_pictures(), draws, "all"))
    np.testing.assert_allclose(ours, augment(_pictures(), draws, "geometry"), atol=1e-5)


def test_each_move_is_as_likely_as_another():
    """Five moves of 16 pixels: two up, one up, none, one down, two down."""
    pictures = np.repeat(_pictures(), 1000, 0)
    draws = np.tile(_draws([*NO_COLOR, 0.5, 0.5, 0.999, 0.999]), (1000, 1))
    draws[:, 3] = (np.arange(1000) + 0.5) / 1000
    changed = np.asarray(augment(pictures, draws, "geometry"))
    rows = [np.flatnonzero(np.isclose(picture[7, 0], _pictures()[0, :, 0]).all(-1)).item() for picture in changed]
    numbers, counts = np.unique(rows, return_counts=True)
    assert numbers.tolist() == [5, 6, 7, 8, 9] and counts.tolist() == [200] * 5


def test_gradients_reach_what_is_left_of_a_picture():
    pictures = tf.constant(_pictures())
    draws = _draws([*NO_COLOR, 0.999, 0.5, 0.0, 0.0])
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        total = tf.reduce_sum(augment(pictures, draws, "geometry"))
    expected = np.ones((SIZE, SIZE, 3))
    expected[14:] = 0  # moved out, two rows
    expected[:2, :4] = 0  # cut out: a quarter of the square lies in the picture
    np.testing.assert_array_equal(tape.gradient(total, pictures)[0], expected)


def test_an_unknown_kind_is_an_error():
    with pytest.raises(ValueError, match="colors"):
        augment(_pictures(), _draws([0.5] * NUM_DRAWS), "colors")
