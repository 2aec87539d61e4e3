"""Filters from OpenCV that stylize photos without a network: a baseline that a style should beat."""

import cv2
import numpy as np

_SIGMA_PX = 60
_BLOCK_PX = 9  # side of the block that edges are darker than: OpenCV's usual "cartoon effect"
_LEVELS_BELOW_MEAN = 6


def stylization(photo: np.ndarray) -> np.ndarray:
    """Apply `cv2.stylization`: smooth the photo between edges, and darken it at them (Gastal and Oliveira 2011).

    Args:
      photo: uint8 RGB [H, W, 3].

    Returns:
      uint8 RGB [H, W, 3].
    """
    bgr = photo[..., ::-1].copy()
    return cv2.stylization(bgr, sigma_s=_SIGMA_PX, sigma_r=0.45)[..., ::-1]


def drawn_edges(photo: np.ndarray) -> np.ndarray:
    """Apply `cv2.edgePreservingFilter`, and draw black lines where the photo is darker than its surroundings.

    Args:
      photo: uint8 RGB [H, W, 3].

    Returns:
      uint8 RGB [H, W, 3].
    """
    flat = cv2.edgePreservingFilter(photo, flags=cv2.RECURS_FILTER, sigma_s=_SIGMA_PX, sigma_r=0.4)
    luminance = cv2.medianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), 5)
    lines = cv2.adaptiveThreshold(
        luminance, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, _BLOCK_PX, _LEVELS_BELOW_MEAN
    )
    return np.bitwise_and(flat, lines[..., np.newaxis])
