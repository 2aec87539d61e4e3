"""What stylised photos before networks did, from OpenCV: the least that a style must do better than."""

import cv2
import numpy as np

_SIGMA_PX = 60
_BLOCK_PX, _BELOW_MEAN = 9, 6  # of the threshold that finds edges: OpenCV's usual "cartoon effect"


def stylization(photo: np.ndarray) -> np.ndarray:
    """`cv2.stylization`: smoothed between edges, and darker at them (Gastal and Oliveira 2011).

    Args:
      photo: uint8 RGB [H, W, 3].

    Returns:
      the same.
    """
    return cv2.stylization(photo[..., ::-1].copy(), sigma_s=_SIGMA_PX, sigma_r=0.45)[..., ::-1]


def drawn_edges(photo: np.ndarray) -> np.ndarray:
    """`cv2.edgePreservingFilter`, with black lines where the photo is darker than around; as `stylization`."""
    flat = cv2.edgePreservingFilter(photo, flags=cv2.RECURS_FILTER, sigma_s=_SIGMA_PX, sigma_r=0.4)
    light = cv2.medianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), 5)
    method, kind = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    lines = cv2.adaptiveThreshold(light, 255, method, kind, _BLOCK_PX, _BELOW_MEAN)
    return flat & lines[..., np.newaxis]
