"""Cartoons with smoothed edges, for the edge-promoting loss (section 3.2.1, Figure 3).

Find edge pixels with Canny, dilate them, and blur inside the dilated regions. The paper gives no sizes. The defaults
are those of every re-implementation: Canny(100, 200), one dilation by 5x5, a Gaussian of 5x5.
"""

import dataclasses
from typing import Literal

import cv2
import numpy as np

Kind = Literal["gaussian", "mean"]
MAX_PX = 99  # a larger kernel or dilation leaves no part of a picture sharp


@dataclasses.dataclass(frozen=True)
class Smoothing:
    """Parameters of edge detection and blur; `prepare.PreparationConfig` checks their ranges.

    Attributes:
      kind: "gaussian" as in the paper, or "mean", the plain average over the kernel, as in the authors' code.
      kernel_px: side of the blur's kernel, odd, from 3 to MAX_PX. A Gaussian's sigma follows from it.
      dilation_px: side of the square that edges are dilated by, odd, from 1 to MAX_PX; 1 leaves them as Canny finds
        them.
      canny_low, canny_high: Canny's thresholds on the gradient of the grey cartoon (3x3 Sobel, |dx| + |dy|): edges
        start at the high one and continue down to the low one.
      feather_px: distance outside the region over which the blur fades out, from 0 to MAX_PX; 0, as in the paper, ends
        it at the region's border.
    """

    kind: Kind = "gaussian"
    kernel_px: int = 5
    dilation_px: int = 5
    canny_low: int = 100
    canny_high: int = 200
    feather_px: int = 0


PAPER = Smoothing()


def smooth_edges(cartoon: np.ndarray, smoothing: Smoothing = PAPER) -> np.ndarray:
    """Blur a cartoon near its edges and nowhere else.

    Args:
      cartoon: uint8 RGB [H, W, 3].
      smoothing: parameters of edge detection and blur.

    Returns:
      uint8 RGB [H, W, 3]: the blurred cartoon (reflected at the borders) inside the dilated edge regions, and the
      cartoon itself outside them. With `feather_px` the two are blended outside: at distance d from the region
      (Euclidean, in pixels) the share of the blurred cartoon is max(0, 1 - d / (feather_px + 1)).
    """
    region = _edge_mask(cartoon, smoothing)
    blurred = _blur(cartoon, smoothing)
    if smoothing.feather_px:
        return _blend(cartoon, blurred, _blur_shares(region, smoothing.feather_px))
    return cv2.copyTo(blurred, region, cartoon.copy())


def edge_pixels(cartoon: np.ndarray, smoothing: Smoothing = PAPER) -> np.ndarray:
    """Find the edges of a cartoon, uint8 RGB [H, W, 3], as Canny does, one pixel wide: bool [H, W]."""
    return _canny(cartoon, smoothing) > 0


def edge_region(cartoon: np.ndarray, smoothing: Smoothing = PAPER) -> np.ndarray:
    """Find the dilated edges of a cartoon, uint8 RGB [H, W, 3]: bool [H, W]."""
    return _edge_mask(cartoon, smoothing) > 0


def _canny(cartoon: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    """Return uint8 [H, W]: 255 on edges, else 0."""
    return cv2.Canny(cv2.cvtColor(cartoon, cv2.COLOR_RGB2GRAY), smoothing.canny_low, smoothing.canny_high)


def _edge_mask(cartoon: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    """Return uint8 [H, W]: 255 in the dilated edge regions, else 0."""
    square = np.ones((smoothing.dilation_px, smoothing.dilation_px), np.uint8)
    return cv2.dilate(_canny(cartoon, smoothing), square)


def _blur(cartoon: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    kernel = (smoothing.kernel_px, smoothing.kernel_px)
    if smoothing.kind == "mean":
        return cv2.blur(cartoon, kernel, borderType=cv2.BORDER_REFLECT_101)
    return cv2.GaussianBlur(cartoon, kernel, 0, borderType=cv2.BORDER_REFLECT_101)


def _blur_shares(region: np.ndarray, feather_px: int) -> np.ndarray:
    """Return the share of the blurred cartoon in each pixel: float32 [H, W, 1], 1 in the region."""
    if not region.any():
        return np.zeros((*region.shape, 1), np.float32)
    distance = cv2.distanceTransform(cv2.bitwise_not(region), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.maximum(1 - distance / np.float32(feather_px + 1), 0)[..., np.newaxis]


def _blend(cartoon: np.ndarray, blurred: np.ndarray, blur_shares: np.ndarray) -> np.ndarray:
    blended = cartoon + blur_shares * (blurred.astype(np.float32) - cartoon)
    return np.rint(blended).astype(np.uint8)
