import cv2
import numpy as np
import pytest

from benchmarks.edge_smoothing import blur_by_loop, smooth_by_loop
from data_pipeline.edge_smoothing import Smoothing, edge_pixels, edge_region, smooth_edges
from tests.helpers import draw

SMOOTHINGS = [
    Smoothing(),
    Smoothing(kernel_px=3, dilation_px=1),
    Smoothing(kernel_px=9, dilation_px=7),
    Smoothing(canny_low=20, canny_high=60),
    Smoothing("mean"),
    Smoothing("mean", kernel_px=3, dilation_px=3),
    Smoothing("mean", kernel_px=7, dilation_px=1),
]


def _noise(height, width):
    """Return a picture full of edges, up to the borders."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def _region_slowly(cartoon, smoothing):
    """Find the pixels that have an edge in the square around them, one by one."""
    height, width = cartoon.shape[:2]
    edges = cv2.Canny(cv2.cvtColor(cartoon, cv2.COLOR_RGB2GRAY), smoothing.canny_low, smoothing.canny_high)
    size = smoothing.dilation_px
    edges = np.pad(edges, size // 2)
    around = [edges[y : y + size, x : x + size].any() for y, x in np.ndindex(height, width)]
    return np.array(around).reshape(height, width)


def _kernel(smoothing):
    size = smoothing.kernel_px
    if smoothing.kind == "mean":
        return np.full((size, size), 1 / size**2)
    column = cv2.getGaussianKernel(size, 0)
    return column @ column.T


@pytest.mark.parametrize("smoothing", SMOOTHINGS, ids=str)
def test_within_one_level_of_the_formula_everywhere(smoothing):
    for picture in (draw(0, 60, 80), draw(1, 33, 47), draw(3, 5, 9), _noise(21, 34)):
        region = _region_slowly(picture, smoothing)
        np.testing.assert_array_equal(edge_region(picture, smoothing), region)
        smoothed = smooth_edges(picture, smoothing)
        assert smoothed.dtype == np.uint8 and smoothed.shape == picture.shape
        assert np.abs(smoothed - blur_by_loop(picture, region, _kernel(smoothing))).max() <= 1, picture.shape
        np.testing.assert_array_equal(smoothed[~region], picture[~region])


@pytest.mark.parametrize("kind", ["gaussian", "mean"])
def test_tiny_pictures_are_reflected_as_often_as_it_takes(kind):
    smoothing = Smoothing(kind, kernel_px=7, canny_low=0, canny_high=0)
    for shape in ((1, 1), (1, 6), (7, 1), (2, 2), (3, 5)):
        picture = _noise(*shape)
        region = _region_slowly(picture, smoothing)
        smoothed = smooth_edges(picture, smoothing)
        assert np.abs(smoothed - blur_by_loop(picture, region, _kernel(smoothing))).max() <= 1, shape


def test_the_defaults_are_what_other_implementations_do():
    for picture in (draw(5), _noise(30, 40)):
        assert np.abs(smooth_edges(picture) - smooth_by_loop(picture)).max() <= 1


def test_the_region_is_the_edges_widened():
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[:, 15:] = 255
    edges = edge_pixels(picture)
    columns = np.flatnonzero(edges.any(0))
    assert edges[:, columns].all() and len(columns) == 1 and columns[0] in (14, 15)
    widened = np.flatnonzero(edge_region(picture, Smoothing(dilation_px=7)).all(0))
    np.testing.assert_array_equal(widened, np.arange(columns[0] - 3, columns[0] + 4))
    np.testing.assert_array_equal(edge_region(picture, Smoothing(dilation_px=1)), edges)


def test_only_edge_regions_change():
    cartoon = draw(4)
    smoothed = smooth_edges(cartoon)
    region = edge_region(cartoon)
    assert 0 < region.mean() < 1
    np.testing.assert_array_equal(smoothed[~region], cartoon[~region])
    assert (smoothed[region] != cartoon[region]).any()


def test_a_picture_without_edges_is_left_alone():
    flat = np.full((20, 30, 3), 77, np.uint8)
    for feather_px in (0, 3):
        np.testing.assert_array_equal(smooth_edges(flat, Smoothing(feather_px=feather_px)), flat)


def test_the_input_is_not_changed():
    cartoon = draw(5)
    before = cartoon.copy()
    for feather_px in (0, 3):
        smooth_edges(cartoon, Smoothing(feather_px=feather_px))
        np.testing.assert_array_equal(cartoon, before)


def _striped(kernel_px, feather_px):
    """Return (picture, smoothed): one edge across fine stripes, which the blur changes equally everywhere."""
    picture = np.full((24, 60, 3), 100, np.uint8)
    picture[::2] = 120  # too weak for Canny
    picture[:, 30:] += 100
    smoothed = smooth_edges(picture, Smoothing(kernel_px=kernel_px, dilation_px=9, feather_px=feather_px))
    return picture.astype(int), smoothed.astype(int)


@pytest.mark.parametrize("feather_px", [1, 3, 6])
def test_the_blur_fades_out_over_the_feather(feather_px):
    picture, hard = _striped(3, 0)
    moved = np.abs(hard - picture)[12, :, 0]
    inside = np.flatnonzero(moved)
    picture, soft = _striped(3, feather_px)
    moved_softly = np.abs(soft - picture)[12, :, 0]
    np.testing.assert_array_equal(moved_softly[inside], moved[inside])
    full = moved[inside[0]]
    ramp = moved_softly[inside[-1] + 1 + np.arange(feather_px)]
    np.testing.assert_allclose(ramp, full * (1 - np.arange(1, feather_px + 1) / (feather_px + 1)), atol=0.5)
    assert (np.diff(ramp) <= 0).all()
    assert not moved_softly[inside[-1] + feather_px + 1 :].any()
    assert not moved_softly[: inside[0] - feather_px].any()


def test_a_feather_changes_nothing_inside_the_region_nor_far_from_it():
    cartoon = draw(6, 90, 120)
    region = edge_region(cartoon)
    hard = smooth_edges(cartoon)
    soft = smooth_edges(cartoon, Smoothing(feather_px=4))
    np.testing.assert_array_equal(soft[region], hard[region])
    disc = np.hypot(*np.mgrid[-4:5, -4:5]) < 5
    far = cv2.dilate(region.astype(np.uint8), disc.astype(np.uint8)) == 0
    assert far.any()
    np.testing.assert_array_equal(soft[far], cartoon[far])
