import cv2
import numpy as np
import pytest

from data_pipeline.edge_smoothing import edge_region, smooth_edges
from tests.helpers import draw


def smooth_edges_slowly(cartoon: np.ndarray) -> np.ndarray:
    """The same by the formula, pixel by pixel: Canny, the 5x5 maximum of it, a weighted sum around each pixel."""
    height, width = cartoon.shape[:2]
    edges = np.pad(cv2.Canny(cv2.cvtColor(cartoon, cv2.COLOR_RGB2GRAY), 100, 200), 2)
    padded = np.pad(cartoon.astype(float), ((2, 2), (2, 2), (0, 0)), mode="reflect")
    column = cv2.getGaussianKernel(5, 0)
    kernel = (column @ column.T)[..., np.newaxis]
    smoothed = cartoon.astype(float)
    for y, x in np.ndindex(height, width):
        if edges[y : y + 5, x : x + 5].any():
            smoothed[y, x] = (padded[y : y + 5, x : x + 5] * kernel).sum((0, 1))
    return smoothed


@pytest.mark.parametrize("seed, height, width", [(0, 60, 80), (1, 33, 47), (2, 64, 64), (3, 5, 9)])
def test_within_one_level_of_the_formula_everywhere(seed, height, width):
    cartoon = draw(seed, height, width)
    smoothed = smooth_edges(cartoon)
    assert smoothed.dtype == np.uint8 and smoothed.shape == cartoon.shape
    assert np.abs(smoothed - smooth_edges_slowly(cartoon)).max() <= 1


def test_noise_full_of_edges_agrees_too():
    cartoon = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    assert np.abs(smooth_edges(cartoon) - smooth_edges_slowly(cartoon)).max() <= 1


def test_only_edge_regions_change():
    cartoon = draw(4)
    smoothed, region = smooth_edges(cartoon), edge_region(cartoon)
    assert 0 < region.mean() < 1
    np.testing.assert_array_equal(smoothed[~region], cartoon[~region])
    assert (smoothed[region] != cartoon[region]).any()


def test_a_picture_without_edges_is_left_alone():
    flat = np.full((20, 30, 3), 77, np.uint8)
    np.testing.assert_array_equal(smooth_edges(flat), flat)


def test_the_input_is_not_changed():
    cartoon = draw(5)
    before = cartoon.copy()
    smooth_edges(cartoon)
    np.testing.assert_array_equal(cartoon, before)
