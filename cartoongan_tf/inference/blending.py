"""How much of the photo a cartoon keeps: a matter of taste, applied to the pixels of both."""

from collections.abc import Callable

import cv2
import numpy as np

_ROWS = 256  # worked on at a time: Lab takes 24 bytes a pixel


def blend_with_photo(photos: np.ndarray, cartoons: np.ndarray, strength: float, with_photo_colors: bool) -> np.ndarray:
    """Return cartoons with as much of the photos as asked for, uint8 RGB [N, H, W, 3] each; see `Cartoonizer`."""
    if with_photo_colors:
        cartoons = np.stack([keep_colors(*pair) for pair in zip(photos, cartoons, strict=True)])
    return blend(photos, cartoons, strength)


def blend(photo: np.ndarray, cartoon: np.ndarray, strength: float) -> np.ndarray:
    """Mix photo and cartoon, uint8 RGB [..., 3] each; strength 1 is the cartoon, 0 the photo."""
    if strength == 1:
        return cartoon
    return _by_rows(lambda p, c: cv2.addWeighted(c, strength, p, 1 - strength, 0), photo, cartoon)


def keep_colors(photo: np.ndarray, cartoon: np.ndarray) -> np.ndarray:
    """The cartoon's light with the photo's colours: L of the one and a, b of the other in CIELAB.

    Args:
      photo, cartoon: uint8 RGB [H, W, 3] of one size.

    Returns:
      uint8 RGB [H, W, 3]; colours that sRGB cannot show at that light are clipped.
    """
    return _by_rows(_with_light_of, photo, cartoon)


def _with_light_of(photo: np.ndarray, cartoon: np.ndarray) -> np.ndarray:
    lab, light = (cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab) for rgb in (photo, cartoon))
    lab[..., 0] = light[..., 0]
    return (cv2.cvtColor(lab, cv2.COLOR_Lab2RGB).clip(0, 1) * 255).round().astype(np.uint8)


def _by_rows(function: Callable, photo: np.ndarray, cartoon: np.ndarray) -> np.ndarray:
    result = np.empty_like(cartoon)
    for start in range(0, len(cartoon), _ROWS):
        rows = slice(start, start + _ROWS)
        result[rows] = function(photo[rows], cartoon[rows])
    return result
