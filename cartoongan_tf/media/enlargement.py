"""Enlargement of cartoons: edges and lines stay crisp, flat regions stay flat. Knows nothing of TensorFlow.

Interpolation makes each edge as wide as the factor, and keeps the steps of the small picture's pixels along it. So the
enlarged picture is blurred, which rounds the steps. A shock filter (Osher and Rudin 1990) then moves the values on
either side of the middle of an edge to the level of that side. docs/large_pictures.md compares it with other methods.
"""

import math

import cv2
import numpy as np

# Lengths in pixels of the small picture, but for the last one.
_STEP_BLUR_PX = 0.6
_CURVATURE_BLUR_PX = 0.5
_SHOCK_RADIUS_PX = 1.0
_FULL_SHOCK_LEVELS = 2.0  # grey levels per squared pixel: the curvature from which a value moves all the way
_ANTIALIASING_PX = 0.5  # pixels of the large picture

_ROWS = 512  # number of rows to sharpen at a time, which bounds the memory


def enlarge(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarge a cartoon.

    Args:
      picture: uint8 RGB or RGBA [H, W, 3 or 4].
      height, width: size of the result in pixels, at least H and W.

    Returns:
      the same [height, width, 3 or 4]; the picture itself if it has that size.
    """
    if picture.shape[:2] == (height, width):
        return picture
    factor = max(height / picture.shape[0], width / picture.shape[1])
    large = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    reach = math.ceil(_SHOCK_RADIUS_PX * factor + 4 * (_STEP_BLUR_PX + _CURVATURE_BLUR_PX) * factor + 4)
    sharp = np.empty_like(large)
    for start in range(0, height, _ROWS):
        top = max(0, start - reach)
        rows = _sharpen(large[top : start + _ROWS + reach], factor)
        sharp[start : start + _ROWS] = rows[start - top :][:_ROWS]
    return sharp


def _sharpen(large: np.ndarray, factor: float) -> np.ndarray:
    """Make the edges of a picture that was enlarged by a factor smooth and narrow: uint8 [H, W, C]."""
    radius = math.ceil(_SHOCK_RADIUS_PX * factor)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    smooth = cv2.GaussianBlur(large, (0, 0), _STEP_BLUR_PX * factor)
    blurred = cv2.GaussianBlur(smooth.astype(np.float32), (0, 0), _CURVATURE_BLUR_PX * factor)
    curvature = cv2.Laplacian(blurred, cv2.CV_32F, ksize=3) * (factor**2 / _FULL_SHOCK_LEVELS)
    level = np.where(curvature < 0, cv2.dilate(smooth, disc), cv2.erode(smooth, disc))
    share = np.minimum(np.abs(curvature), 1)
    shocked = np.rint(smooth + share * (level.astype(np.float32) - smooth)).astype(np.uint8)
    return cv2.GaussianBlur(shocked, (0, 0), _ANTIALIASING_PX)
