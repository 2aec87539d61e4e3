import cv2
import numpy as np
import pytest

from data_pipeline.edge_smoothing import Smoothing, edge_region, smooth_edges
from data_pipeline.picture_statistics import measure_picture, measure_smoothing
from tests.helpers import draw

PAPER = Smoothing()


def _plain(color, height=32, width=48):
    return np.full((height, width, 3), color, np.uint8)


def _halves(left, right):
    picture = _plain(left)
    picture[:, 24:] = right
    return picture


def _lined(background, line):
    """Return a picture with a line of one pixel in every eighth column: one in eight pixels."""
    picture = _plain(background)
    picture[:, 4::8] = line
    return picture


def _grainy(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3)).astype(np.uint8)


def test_one_colour():
    for level in (0, 77, 255):
        measured = measure_picture(_plain(level), PAPER)
        assert measured.brightness == level and measured.flat_share == 1
        assert measured.contrast == measured.edge_share == measured.outlines == measured.saturation == 0
        assert measured.least_colour == pytest.approx(0, abs=1) and measured.fine_detail == 1


def test_brightness_contrast_and_saturation():
    measured = measure_picture(_halves(40, 140), PAPER)
    assert measured.brightness == 90 and measured.contrast == pytest.approx(50)
    assert measure_picture(_plain((200, 100, 100)), PAPER).saturation == pytest.approx(0.5, abs=0.01)
    assert measure_picture(_plain((0, 0, 255)), PAPER).saturation == 1


def test_edges_are_counted_as_canny_finds_them():
    picture = _halves(40, 140)
    assert measure_picture(picture, PAPER).edge_share == pytest.approx(1 / 48)
    assert measure_picture(picture, Smoothing(canny_low=500, canny_high=500)).edge_share == 0


def test_flat_areas_end_where_levels_differ_by_more_than_four():
    assert measure_picture(_halves(100, 104), PAPER).flat_share == 1
    assert measure_picture(_halves(100, 105), PAPER).flat_share == pytest.approx(1 - 2 / 48)
    assert measure_picture(_grainy(), PAPER).flat_share < 0.05


def test_dark_lines_are_outlines_and_light_ones_their_opposite():
    dark = measure_picture(_lined(100, 20), PAPER).outlines
    light = measure_picture(_lined(20, 100), PAPER).outlines
    assert dark == pytest.approx(np.log((80 / 8 + 0.5) / 0.5)) and light == pytest.approx(-dark)
    assert abs(measure_picture(_halves(20, 100), PAPER).outlines) < 0.1  # an edge is no line
    assert abs(measure_picture(_grainy(), PAPER).outlines) < 0.2


def test_least_colour_is_that_of_a_fifth():
    """A grey part counts once it holds a fifth of the pixels."""
    colored = _plain((200, 60, 60), 40, 50)
    chroma = measure_picture(colored, PAPER).least_colour
    assert 40 < chroma < 80
    colored[:, :9] = 128
    assert measure_picture(colored, PAPER).least_colour == pytest.approx(chroma)
    colored[:, :12] = 128
    assert measure_picture(colored, PAPER).least_colour < 2


def test_enlarging_takes_fine_detail_away():
    picture = draw(0, 96, 96)
    fine = measure_picture(picture, PAPER).fine_detail
    for factor in (2, 3, 4):
        small = cv2.resize(picture, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (96, 96), interpolation=cv2.INTER_CUBIC)
        assert measure_picture(large, PAPER).fine_detail < 0.15 < 0.23 < fine


def test_the_change_by_smoothing():
    cartoon = _halves(40, 140)
    smoothed = cartoon.copy()
    region = edge_region(cartoon)
    smoothed[region, 0] += 6
    measured = measure_smoothing(cartoon, smoothed, PAPER)
    assert measured.region_share == measured.changed_share == pytest.approx(5 / 48)
    assert measured.smoothing_change == pytest.approx(2)  # 6 levels in one channel of three
    assert measure_smoothing(cartoon, cartoon, PAPER).changed_share == 0
    flat = _plain(9)
    assert measure_smoothing(flat, flat, PAPER) == (0, 0, 0)


def test_smoothed_drawings_change_in_their_region_alone():
    cartoon = draw(3)
    measured = measure_smoothing(cartoon, smooth_edges(cartoon), PAPER)
    assert 0 < measured.changed_share <= measured.region_share and measured.smoothing_change > 5
