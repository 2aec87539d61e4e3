"""Mixtures of a photo and its cartoon, made of the pixels of both."""

from collections.abc import Callable

import cv2
import numpy as np

_BLACK = 24  # of 255: the noise of compression in a film's black bars
_ROWS = 256  # number of rows to work on at a time: Lab takes 24 bytes a pixel


def blend_with_photo(photos: np.ndarray, cartoons: np.ndarray, strength: float, with_photo_colors: bool) -> np.ndarray:
    """Return cartoons with the requested share of their photos.

    Args:
      photos, cartoons: uint8 RGB [N, H, W, 3].
      strength: 1 is the cartoon, 0 the photo; values between mix the two.
      with_photo_colors: whether to take the colours from the photos, before mixing.

    Returns:
      uint8 RGB [N, H, W, 3].
    """
    if with_photo_colors:
        cartoons = np.stack([keep_colors(photo, cartoon) for photo, cartoon in zip(photos, cartoons, strict=True)])
    return blend(photos, cartoons, strength)


def blend(photo: np.ndarray, cartoon: np.ndarray, strength: float) -> np.ndarray:
    """Mix photo and cartoon, uint8 RGB [..., 3] each; strength 1 is the cartoon, 0 the photo."""
    if strength == 1:
        return cartoon

    def mix(photo_rows: np.ndarray, cartoon_rows: np.ndarray) -> np.ndarray:
        return cv2.addWeighted(cartoon_rows, strength, photo_rows, 1 - strength, 0)

    return _by_rows(mix, photo, cartoon)


def keep_colors(photo: np.ndarray, cartoon: np.ndarray) -> np.ndarray:
    """Combine the cartoon's lightness with the photo's colours: L of the one, a and b of the other in CIELAB.

    Args:
      photo, cartoon: uint8 RGB [H, W, 3] of one size.

    Returns:
      uint8 RGB [H, W, 3]; colours that sRGB cannot show at that lightness are clipped.
    """
    return _by_rows(_with_lightness_of, photo, cartoon)


def keep_black_bars(frame: np.ndarray, cartoon: np.ndarray) -> np.ndarray:
    """Return the cartoon of a film's frame with the frame's own black bars, on both of two opposite sides.

    Args:
      frame, cartoon: uint8 RGB [H, W, 3] of one size.
    """
    for axis in (0, 1):
        lines = frame.swapaxes(0, axis)
        first = _count_black(lines)
        last = _count_black(lines[::-1])
        if first and last:
            cartoon = cartoon.copy()
            drawn = cartoon.swapaxes(0, axis)
            drawn[:first] = lines[:first]
            drawn[len(lines) - last :] = lines[len(lines) - last :]
    return cartoon


def _count_black(lines: np.ndarray) -> int:
    """Return how many lines, uint8 RGB [N, length, 3], are black from the first one on."""
    return next((i for i, line in enumerate(lines) if line.max() > _BLACK), len(lines))


def _with_lightness_of(photo: np.ndarray, cartoon: np.ndarray) -> np.ndarray:
    lab = _to_lab(photo)
    lab[..., 0] = _to_lab(cartoon)[..., 0]
    rgb = cv2.cvtColor(lab, cv2.COLOR_Lab2RGB).clip(0, 1)
    return (rgb * 255).round().astype(np.uint8)


def _to_lab(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)


def _by_rows(function: Callable, photo: np.ndarray, cartoon: np.ndarray) -> np.ndarray:
    result = np.empty_like(cartoon)
    for start in range(0, len(cartoon), _ROWS):
        rows = slice(start, start + _ROWS)
        result[rows] = function(photo[rows], cartoon[rows])
    return result
