"""Lines along the edges of a picture: a difference of Gaussians that follows the picture's own flow.

Kang, Lee and Chui, "Coherent Line Drawing", NPAR 2007 (after the paper's reference [33]); with the smooth threshold
of Winnemoeller, Olsen and Gooch, "Real-Time Video Abstraction", SIGGRAPH 2006.
"""

import math

import cv2
import numpy as np

_SURROUND = 1.6  # sigma of the surround in those of the center: nearest to a Laplacian (Marr and Hildreth 1980)
_BORDER = cv2.BORDER_REFLECT


def edge_tangents(luminance: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the direction along the nearest edge at each pixel, from the smoothed structure tensor.

    Args:
      luminance: float32 [H, W].
      sigma: standard deviation of the smoothing, in pixels.

    Returns:
      x and y of the unit tangents, float32 [H, W] each; 0 where nothing changes.
    """
    dx = cv2.Sobel(luminance, cv2.CV_32F, 1, 0, borderType=_BORDER)
    dy = cv2.Sobel(luminance, cv2.CV_32F, 0, 1, borderType=_BORDER)
    xx, xy, yy = (
        cv2.GaussianBlur(product, (0, 0), sigma, borderType=_BORDER) for product in (dx * dx, dx * dy, dy * dy)
    )
    # The tensor turned to its eigenvector of the smaller eigenvalue: half the angle of its traceless part.
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(math.pi / 2)
    is_edge = (xx + yy > 1e-12).astype(np.float32)
    return np.cos(angle) * is_edge, np.sin(angle) * is_edge


def flow_difference_of_gaussians(
    luminance: np.ndarray, tangents: tuple[np.ndarray, np.ndarray], sigma: float, flow_sigma: float
) -> np.ndarray:
    """Filter across edges by a difference of Gaussians, then along them by a Gaussian.

    Args:
      luminance: float32 [H, W].
      tangents: result of `edge_tangents`.
      sigma: standard deviation of the center across edges, in pixels: lines are about twice as wide.
      flow_sigma: standard deviation along edges, in pixels: longer lines, less noise.

    Returns:
      float32 [H, W]: below 0 on the dark side of edges and on dark lines.
    """
    across = _difference_across(luminance, tangents, sigma)
    return _smooth_along(across, tangents, flow_sigma)


def _difference_across(luminance, tangents, sigma: float) -> np.ndarray:
    tangent_x, tangent_y = tangents
    columns, rows = _pixel_grid(luminance.shape)
    center = np.zeros_like(luminance)
    surround = np.zeros_like(luminance)
    radius = math.ceil(2 * _SURROUND * sigma)
    offsets = np.arange(-radius, radius + 1)
    center_weights = _gaussian(offsets, sigma)
    surround_weights = _gaussian(offsets, _SURROUND * sigma)
    for offset, center_weight, surround_weight in zip(offsets, center_weights, surround_weights, strict=True):
        step = np.float32(offset)
        sample = _sample(luminance, columns + step * tangent_y, rows - step * tangent_x)
        center += center_weight * sample
        surround += surround_weight * sample
    return center - surround


def _smooth_along(values, tangents, sigma: float) -> np.ndarray:
    """Average along streamlines of the tangents, both ways, in steps of a pixel."""
    radius = math.ceil(2 * sigma)
    weights = _gaussian(np.arange(-radius, radius + 1), sigma)[radius:]
    result = weights[0] * values
    for sign in (1, -1):
        columns, rows = _pixel_grid(values.shape)
        step_x, step_y = (np.float32(sign) * tangent for tangent in tangents)
        for weight in weights[1:]:
            columns += step_x
            rows += step_y
            result += weight * _sample(values, columns, rows)
            next_x, next_y = (_sample(tangent, columns, rows) for tangent in tangents)
            # A tangent has no sign: take the one that goes on in the line's direction.
            turn = np.copysign(np.float32(1), next_x * step_x + next_y * step_y)
            step_x, step_y = next_x * turn, next_y * turn
    return result


def _gaussian(offsets: np.ndarray, sigma: float) -> np.ndarray:
    """Return the weights of a Gaussian at integer offsets, with the sum 1."""
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def _pixel_grid(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return columns, rows


def _sample(values: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=_BORDER)
