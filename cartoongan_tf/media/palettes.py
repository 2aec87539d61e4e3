"""The main colours of a set of cartoons, and other colours drawn towards them."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

ENOUGH_PICTURES = 32  # more of them hardly change a style's main colours
_PIXELS_A_PICTURE = 4096
_ATTEMPTS = 4
_NEAR = 12.0  # CIELAB: a palette's colours within about this distance share a pixel
_KMEANS_END = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 0.1)


def find_palette(pictures: Sequence[np.ndarray], num_colors: int) -> np.ndarray:
    """Find the main colours of pictures by k-means in CIELAB, always the same for the same pictures.

    Args:
      pictures: uint8 RGB [H, W, 3] each.
      num_colors: number of colours, from 1 to the number of pixels.

    Returns:
      uint8 RGB [num_colors, 3], the most frequent one first.
    """
    pixels = np.concatenate([_sample(picture) for picture in pictures])
    cv2.setRNGSeed(0)
    no_labels: Any = None  # OpenCV's types do not know that there may be none
    _, owners, centers = cv2.kmeans(pixels, num_colors, no_labels, _KMEANS_END, _ATTEMPTS, cv2.KMEANS_PP_CENTERS)
    order = np.argsort(-np.bincount(owners[:, 0], minlength=num_colors), kind="stable")
    rgb = cv2.cvtColor(centers[order][np.newaxis], cv2.COLOR_LAB2RGB)[0]
    return np.clip(255 * rgb + 0.5, 0, 255).astype(np.uint8)


def _sample(picture: np.ndarray) -> np.ndarray:
    """Return evenly spaced pixels of a picture in CIELAB, float32 [N, 3]."""
    pixels = picture.reshape(-1, 3)
    sampled = pixels[:: max(1, len(pixels) // _PIXELS_A_PICTURE)]
    return to_lab(sampled)


def to_lab(colors: np.ndarray) -> np.ndarray:
    """Convert uint8 RGB [N, 3] to CIELAB, float32 [N, 3]."""
    return cv2.cvtColor(colors[np.newaxis].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]


def draw_towards(lab: np.ndarray, palette: np.ndarray, strength: float) -> np.ndarray:
    """Move the hue and saturation of each pixel towards the colours of a palette that are near it.

    Brightness stays, so tones and shadows do too.

    Args:
      lab: CIELAB, float32 [H, W, 3].
      palette: uint8 RGB [N, 3].
      strength: share of the way, 0 to 1.

    Returns:
      CIELAB, float32 [H, W, 3].
    """
    colors = to_lab(palette)
    distances = np.stack([np.square(lab - color).sum(-1) for color in colors])
    weights = np.exp(-0.5 * (distances - distances.min(0)) / _NEAR**2)
    target = np.einsum("nhw,nc->hwc", weights, colors[:, 1:]) / weights.sum(0)[..., np.newaxis]
    moved = lab.copy()
    moved[..., 1:] += np.float32(strength) * (target - lab[..., 1:])
    return moved
