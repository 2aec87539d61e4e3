"""What can be told of one frame of a film by itself: how light, how sharp, whether it is nothing but text.

Frames are measured at one size, `ANALYSED_PX`: near what training pictures are resized to, so that a blur which
training would never see does not count. Knows nothing of films or of TensorFlow.
"""

from typing import NamedTuple

import cv2
import numpy as np

from data_pipeline.near_duplicates import perceptual_hash

ANALYSED_PX = 480  # longer side
_EDGE_SHARE = 0.02  # of the pixels are taken for the strongest edges: outlines, in a drawing
_MIN_EDGE = 2.0  # grey levels a pixel: below that lies noise
# Tried on title cards and credits in 7 typefaces, 7 pairs of colours and 10 layouts, 5 px high to a fifth of the frame:
# 99% are found; of 304 comic panels and 114 photos none is taken for text.
_BACKGROUND_SHARE = 0.6  # of a text frame; the densest of these cards leave 0.62
_BACKGROUND_LEVELS, _TEXT_LEVELS = 16, 40  # differ so little, so much from the background's colour
_LETTER_HEIGHT = 0.25  # of the frame's, at most: a figure is taller
_STROKE, _SOFT_PX = 0.2, 2.0  # half of a stroke's thickness over the tallest letter's height; what blur adds to it
_MIN_LETTERS, _LETTERS_A_LINE = 3, 3


class FrameMeasures(NamedTuple):
    """What was measured of a frame.

    Attributes:
      brightness: mean of the grey levels, 0 to 255.
      contrast: their standard deviation.
      sharpness: see `sharpness_of`.
      is_text: whether it shows nothing but text on one colour.
      hash: see `near_duplicates.perceptual_hash`.
    """

    brightness: float
    contrast: float
    sharpness: float
    is_text: bool
    hash: int


def measure(picture: np.ndarray) -> FrameMeasures:
    """Measure a frame, uint8 RGB [H, W, 3]; its longer side has `ANALYSED_PX` pixels, or fewer in a smaller film."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    return FrameMeasures(mean, deviation, sharpness_of(grey), is_text(picture), perceptual_hash(picture))


def sharpness_of(grey: np.ndarray) -> float:
    """How steeply the strongest edges of uint8 [H, W] begin and end: second derivative over first, about 0 to 2.

    The quotient does not depend on how strong or how many the edges are, so that one threshold serves line drawings
    and soft paintings. It is taken along x and along y, and the smaller one counts: what moves is blurred one way.
    A picture without edges has 0.
    """
    return min(_sharpness_along(axis, grey) for axis in (0, 1))


def _sharpness_along(axis: int, grey: np.ndarray) -> float:
    x, y = 1 - axis, axis
    slope = np.abs(cv2.Sobel(grey, cv2.CV_32F, x, y, ksize=3, scale=1 / 8))
    bend = np.abs(cv2.Sobel(grey, cv2.CV_32F, 2 * x, 2 * y, ksize=3, scale=1 / 4))
    bend = cv2.dilate(bend, np.ones((1 + 2 * y, 1 + 2 * x), np.uint8))  # it lies beside where the slope is steepest
    rank = round((1 - _EDGE_SHARE) * (slope.size - 1))
    edges = slope >= max(np.partition(slope, rank, axis=None)[rank], _MIN_EDGE)
    return float(np.median(bend[edges] / slope[edges])) if edges.any() else 0.0


def is_text(picture: np.ndarray) -> bool:
    """Whether uint8 RGB [H, W, 3] shows nothing but letters, in lines, on one colour: a title card, or credits."""
    background = np.median(picture[::4, ::4], axis=(0, 1)).astype(np.int16)
    if (_difference(picture[::4, ::4], background) <= _BACKGROUND_LEVELS).mean() < _BACKGROUND_SHARE:
        return False  # soon said of almost every frame
    ink = (_difference(picture, background) > _TEXT_LEVELS).astype(np.uint8)
    num_letters, _, boxes, _ = cv2.connectedComponentsWithStats(ink)
    heights = boxes[1:, cv2.CC_STAT_HEIGHT]
    if num_letters - 1 < max(_MIN_LETTERS, _LETTERS_A_LINE * _num_lines(ink)):
        return False
    tallest = heights.max()
    thickest = cv2.distanceTransform(ink, cv2.DIST_L2, 3).max()
    return bool(tallest <= _LETTER_HEIGHT * len(ink) and thickest <= _STROKE * tallest + _SOFT_PX)


def _difference(picture: np.ndarray, color: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] and int16 [3] -> int16 [H, W], the largest of the three."""
    return np.abs(picture - color).max(-1)


def _num_lines(ink: np.ndarray) -> int:
    """How many rows of letters there are, with rows of nothing between them."""
    written = ink.any(axis=1).astype(np.int8)
    return int((np.diff(written, prepend=0) == 1).sum())
