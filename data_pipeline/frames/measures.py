"""Measures of a single frame: how light and how sharp it is, and whether it is nothing but text.

Frames are measured at one size, `ANALYSED_PX`. It is near the size that training pictures are resized to, so that a
blur too small for training to see does not count. Does not know films, and does not import TensorFlow.
"""

from typing import NamedTuple

import cv2
import numpy as np

from data_pipeline.near_duplicates import perceptual_hash

ANALYSED_PX = 480  # longer side
_EDGE_SHARE = 0.02  # share of the pixels that count as the strongest edges: outlines, in a drawing
_MIN_EDGE = 2.0  # grey levels a pixel; weaker edges may be noise
# Tested on title cards and credits in 7 typefaces, 7 pairs of colours and 10 layouts, with letters from 5 px to a fifth
# of the frame: 99% are recognized. Of 304 comic panels and 114 photos none is taken for text.
_MIN_BACKGROUND_SHARE = 0.6  # of a text frame; the densest of these cards leave 0.62
_BACKGROUND_LEVELS = 16  # the background differs from its own colour by no more
_TEXT_LEVELS = 40  # letters differ from the background's colour by more
_MAX_LETTER_HEIGHT = 0.25  # of the frame's height; a figure is taller
_MAX_STROKE = 0.2  # half of a stroke's thickness divided by the height of the tallest letter
_SOFT_PX = 2.0  # blur adds so much to half of a stroke's thickness
_MIN_LETTERS = 3
_MIN_LETTERS_A_LINE = 3


class FrameMeasures(NamedTuple):
    """The measures of a frame.

    Attributes:
      brightness: mean of the grey levels, 0 to 255.
      contrast: standard deviation of the grey levels.
      sharpness: result of `sharpness_of`.
      is_text: whether it shows nothing but text on one colour.
      hash: result of `near_duplicates.perceptual_hash`.
    """

    brightness: float
    contrast: float
    sharpness: float
    is_text: bool
    hash: int


def measure(picture: np.ndarray) -> FrameMeasures:
    """Measure a frame, uint8 RGB [H, W, 3]; its longer side has `ANALYSED_PX` pixels, or fewer in a smaller film."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    mean, deviation = cv2.meanStdDev(grey)
    return FrameMeasures(
        brightness=float(mean[0, 0]),
        contrast=float(deviation[0, 0]),
        sharpness=sharpness_of(grey),
        is_text=is_text(picture),
        hash=perceptual_hash(picture),
    )


def sharpness_of(grey: np.ndarray) -> float:
    """Measure how abruptly the strongest edges of uint8 [H, W] begin and end: about 0 to 2, and 0 without edges.

    The measure is the second derivative divided by the first. The quotient does not depend on the strength or the
    number of the edges, so one threshold serves line drawings and soft paintings. It is taken along x and along y, and
    the smaller one counts, because motion blurs in one direction.
    """
    return min(_sharpness_along(axis, grey) for axis in (0, 1))


def _sharpness_along(axis: int, grey: np.ndarray) -> float:
    x = 1 - axis
    y = axis
    slope = np.abs(cv2.Sobel(grey, cv2.CV_32F, x, y, ksize=3, scale=1 / 8))
    bend = np.abs(cv2.Sobel(grey, cv2.CV_32F, 2 * x, 2 * y, ksize=3, scale=1 / 4))
    bend = cv2.dilate(bend, np.ones((1 + 2 * y, 1 + 2 * x), np.uint8))  # it lies beside the steepest slope
    rank = round((1 - _EDGE_SHARE) * (slope.size - 1))
    steepest = np.partition(slope, rank, axis=None)[rank]
    is_edge = slope >= max(steepest, _MIN_EDGE)
    return float(np.median(bend[is_edge] / slope[is_edge])) if is_edge.any() else 0.0


def is_text(picture: np.ndarray) -> bool:
    """Return whether uint8 RGB [H, W, 3] shows nothing but lines of letters on one colour: a title card or credits."""
    sample = picture[::4, ::4]
    background = np.median(sample, axis=(0, 1)).astype(np.int16)
    if (_difference(sample, background) <= _BACKGROUND_LEVELS).mean() < _MIN_BACKGROUND_SHARE:
        return False  # true of almost every frame, and fast
    ink = (_difference(picture, background) > _TEXT_LEVELS).astype(np.uint8)
    num_components, _, boxes, _ = cv2.connectedComponentsWithStats(ink)
    num_letters = num_components - 1  # the background is the first component
    if num_letters < max(_MIN_LETTERS, _MIN_LETTERS_A_LINE * _num_lines(ink)):
        return False
    tallest = boxes[1:, cv2.CC_STAT_HEIGHT].max()
    thickest = cv2.distanceTransform(ink, cv2.DIST_L2, 3).max()
    return bool(tallest <= _MAX_LETTER_HEIGHT * len(ink) and thickest <= _MAX_STROKE * tallest + _SOFT_PX)


def _difference(picture: np.ndarray, color: np.ndarray) -> np.ndarray:
    """Return the largest difference in the three channels: uint8 [H, W, 3] and int16 [3] -> int16 [H, W]."""
    return np.abs(picture - color).max(-1)


def _num_lines(ink: np.ndarray) -> int:
    """Count the groups of rows that have ink, separated by empty rows."""
    has_ink = ink.any(axis=1).astype(np.int8)
    return int((np.diff(has_ink, prepend=0) == 1).sum())
