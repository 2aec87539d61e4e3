"""Enlarged cartoons: crisp edges, no halo, flat regions and thin lines as they were."""

import cv2
import numpy as np
import pytest

from cartoongan_tf.media import image_measures
from cartoongan_tf.media.enlargement import enlarge

FACTORS = (1.25, 2, 3, 5)


def _picture() -> np.ndarray:
    """Return a disc, a line of three pixels and a step, 90 x 120."""
    picture = np.full((90, 120, 3), (230, 200, 160), np.uint8)
    picture[:, 80:] = (40, 90, 150)
    cv2.circle(picture, (40, 45), 25, (200, 40, 40), -1, cv2.LINE_AA)
    cv2.line(picture, (5, 80), (70, 5), (20, 20, 20), 3, cv2.LINE_AA)
    return picture


def _cubic(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("factor", FACTORS)
def test_edges_are_sharper_and_colours_stay(factor):
    picture = _picture()
    height, width = (round(side * factor) for side in picture.shape[:2])
    large = enlarge(picture, height, width)
    assert large.shape == (height, width, 3)
    assert image_measures.edge_sharpness(large) > image_measures.edge_sharpness(_cubic(picture, height, width)) + 0.04
    back = cv2.resize(large, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(back.astype(int) - picture).mean() < 4
    assert np.abs(large.astype(int).mean((0, 1)) - picture.mean((0, 1))).max() < 3


@pytest.mark.parametrize("factor", FACTORS)
def test_a_step_stays_narrow_and_has_no_halo(factor):
    step = np.full((20, 40, 3), 60, np.uint8)
    step[:, 20:] = 180
    large = enlarge(step, round(20 * factor), round(40 * factor)).astype(int)
    assert (large.min(), large.max()) == (60, 180)
    row = large[len(large) // 2, :, 0]
    assert (np.diff(row) >= 0).all()
    assert ((row > 70) & (row < 170)).sum() <= 4
    assert abs(np.searchsorted(row, 120) - 20 * factor) <= 1


def test_a_flat_or_shaded_region_stays_as_it_is():
    flat = np.full((30, 40, 3), (13, 140, 255), np.uint8)
    assert (enlarge(flat, 95, 133) == flat[0, 0]).all()
    shade = np.broadcast_to(np.linspace(40, 90, 100).astype(np.uint8)[:, np.newaxis], (60, 100, 3)).copy()
    difference = enlarge(shade, 240, 400).astype(int) - _cubic(shade, 240, 400)
    assert np.abs(difference).max() <= 3


def test_bands_of_rows_leave_no_seam(monkeypatch):
    picture = _picture()
    whole = enlarge(picture, 360, 480)
    monkeypatch.setattr("cartoongan_tf.media.enlargement._ROWS", 37)
    np.testing.assert_array_equal(enlarge(picture, 360, 480), whole)


def test_a_picture_of_that_size_is_returned():
    picture = _picture()
    assert enlarge(picture, 90, 120) is picture
