"""Lines along edges, against loops over pixels, and on pictures whose lines are known."""

import math

import cv2
import numpy as np
import pytest

from cartoongan_tf.media import flow_lines
from tests.helpers import draw

SIGMA = 1.0
FLOW_SIGMA = 1.5


@pytest.fixture(scope="module")
def luminance():
    return (draw(4, 22, 26).mean(-1) / 255).astype(np.float32)


@pytest.fixture(scope="module")
def tangents(luminance):
    return flow_lines.edge_tangents(luminance, 2.0)


def _reflect(index, size):
    return min(-index - 1 if index < 0 else index, size - 1) if index < size else 2 * size - 1 - index


def _pixel(values, row, column):
    return values[_reflect(row, values.shape[0]), _reflect(column, values.shape[1])]


def _bilinear(values, column, row):
    left, top = math.floor(column), math.floor(row)
    right, below = column - left, row - top
    upper = (1 - right) * _pixel(values, top, left) + right * _pixel(values, top, left + 1)
    lower = (1 - right) * _pixel(values, top + 1, left) + right * _pixel(values, top + 1, left + 1)
    return (1 - below) * upper + below * lower


def _gaussian(sigma, radius):
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return weights / weights.sum()


def _across(luminance, tangent_x, tangent_y, row, column):
    radius = math.ceil(2 * 1.6 * SIGMA)
    offsets = range(-radius, radius + 1)
    samples = [_bilinear(luminance, column + offset * tangent_y, row - offset * tangent_x) for offset in offsets]
    return np.dot(_gaussian(SIGMA, radius) - _gaussian(1.6 * SIGMA, radius), samples)


def _along(values, tangents, row, column):
    radius = math.ceil(2 * FLOW_SIGMA)
    weights = _gaussian(FLOW_SIGMA, radius)[radius:]
    total = weights[0] * values[row, column]
    for sign in (1, -1):
        x, y = column, row
        step = np.array([sign * tangents[0][row, column], sign * tangents[1][row, column]])
        for weight in weights[1:]:
            x, y = x + step[0], y + step[1]
            total += weight * _bilinear(values, x, y)
            following = np.array([_bilinear(tangent, x, y) for tangent in tangents])
            step = -following if following @ step < 0 else following
    return total


def test_tangents_are_eigenvectors_of_the_structure_tensor(luminance, tangents):
    dx, dy = cv2.Sobel(luminance, cv2.CV_32F, 1, 0), cv2.Sobel(luminance, cv2.CV_32F, 0, 1)
    xx, xy, yy = (
        cv2.GaussianBlur(product, (0, 0), 2.0, borderType=cv2.BORDER_REFLECT) for product in (dx * dx, dx * dy, dy * dy)
    )
    checked = 0
    for row in range(3, 19):
        for column in range(3, 23):
            values, vectors = np.linalg.eigh([[xx[row, column], xy[row, column]], [xy[row, column], yy[row, column]]])
            if values[1] > 1.2 * values[0] + 1e-3:
                ours = np.array([tangent[row, column] for tangent in tangents])
                assert abs(ours @ vectors[:, 0]) == pytest.approx(1, abs=0.01)
                checked += 1
    assert checked > 100


def test_the_filter_is_that_of_loops_over_pixels(luminance, tangents):
    result = flow_lines.flow_difference_of_gaussians(luminance, tangents, SIGMA, FLOW_SIGMA)
    across = np.empty(luminance.shape)
    for row, column in np.ndindex(luminance.shape):
        across[row, column] = _across(luminance, tangents[0][row, column], tangents[1][row, column], row, column)
    for row in range(0, 22, 3):
        for column in range(0, 26, 3):
            assert result[row, column] == pytest.approx(_along(across, tangents, row, column), abs=5e-3)
    assert np.abs(result).max() > 0.05


def test_a_flat_picture_has_no_flow_and_no_lines():
    flat = np.full((20, 20), 0.4, np.float32)
    tangents = flow_lines.edge_tangents(flat, 3.0)
    assert not np.any(tangents)
    assert np.abs(flow_lines.flow_difference_of_gaussians(flat, tangents, 1.0, 3.0)).max() < 1e-6


def test_flow_keeps_a_broken_line_together_and_forgets_dots():
    picture = np.full((41, 41), 0.9, np.float32)
    picture[20, 5:36] = 0.1
    picture[20, 20] = 0.9  # a gap
    picture[5, 20] = 0.1  # a dot
    tangents = flow_lines.edge_tangents(picture, 3.0)
    short = flow_lines.flow_difference_of_gaussians(picture, tangents, 1.0, 0.3)
    long = flow_lines.flow_difference_of_gaussians(picture, tangents, 1.0, 4.0)
    assert short[20, 20] > long[20, 20] < -0.05
    assert short[5, 20] < 2 * long[5, 20] < 0
