"""Cartoons without clear edges, for the edge-promoting loss (section 3.2.1, Figure 3).

Find edge pixels with Canny, dilate them, blur inside the dilated regions. The paper gives no sizes; the defaults are
the ones that every re-implementation uses: Canny(100, 200), one dilation by 5x5, a Gaussian of 5x5.
"""

import dataclasses
from typing import Literal, get_args

import cv2
import numpy as np

from cartoongan_tf.base.errors import InputError

_MAX_PX = 99  # beyond that a picture has no parts that are left sharp
Kind = Literal["gaussian", "mean"]


@dataclasses.dataclass(frozen=True)
class Smoothing:
    """How edges are found and blurred; `InputError` names the flag of a value that cannot be used.

    Attributes:
      kind: "gaussian" as in the paper, or "mean", the plain average of the kernel, as in the authors' own code.
      kernel_px: side of the blur's kernel, odd, from 3 up. A Gaussian's sigma follows from it.
      dilation_px: side of the square that edges are widened by, odd; 1 leaves them as thin as Canny finds them.
      canny_low, canny_high: Canny's thresholds on the grey cartoon's gradient (3x3 Sobel, |dx| + |dy|): edges start
        at the high one and go on down to the low one.
      feather_px: how far outside the region the blur fades out; 0, as in the paper, ends it at once.
    """

    kind: Kind = "gaussian"
    kernel_px: int = 5
    dilation_px: int = 5
    canny_low: int = 100
    canny_high: int = 200
    feather_px: int = 0

    def __post_init__(self):
        if self.kind not in get_args(Kind):
            raise InputError(f"--smoothing={self.kind}: must be one of {', '.join(get_args(Kind))}")
        if not 3 <= self.kernel_px <= _MAX_PX or self.kernel_px % 2 == 0:
            raise InputError(f"--smoothing_kernel_px={self.kernel_px}: must be odd, from 3 to {_MAX_PX}")
        if not 1 <= self.dilation_px <= _MAX_PX or self.dilation_px % 2 == 0:
            raise InputError(f"--edge_dilation_px={self.dilation_px}: must be odd, from 1 to {_MAX_PX}")
        if self.canny_low < 0:
            raise InputError(f"--canny_low={self.canny_low}: must be 0 or more")
        if self.canny_high < self.canny_low:
            raise InputError(f"--canny_high={self.canny_high}: must not be below --canny_low={self.canny_low}")
        if not 0 <= self.feather_px <= _MAX_PX:
            raise InputError(f"--smoothing_feather_px={self.feather_px}: must be from 0 to {_MAX_PX}")


PAPER = Smoothing()


def smooth_edges(cartoon: np.ndarray, smoothing: Smoothing = PAPER) -> np.ndarray:
    """Blur a cartoon near its edges and nowhere else.

    Args:
      cartoon: uint8 RGB [H, W, 3].
      smoothing: how.

    Returns:
      uint8 RGB [H, W, 3]: the blurred cartoon (reflected at the borders) inside the dilated edge regions, the cartoon
      itself outside them. With `feather_px` the two are mixed for that far: at distance d from the region (Euclidean,
      in pixels) the blur's share is 1 - d / (feather_px + 1), and none from there on.
    """
    region = _edge_mask(cartoon, smoothing)
    blurred = _blur(cartoon, smoothing)
    if smoothing.feather_px:
        return _mix(cartoon, blurred, _shares(region, smoothing.feather_px))
    return cv2.copyTo(blurred, region, cartoon.copy())


def edge_pixels(cartoon: np.ndarray, smoothing: Smoothing = PAPER) -> np.ndarray:
    """A cartoon's edges as Canny finds them, one pixel thin: bool [H, W] of a uint8 RGB [H, W, 3]."""
    return _canny(cartoon, smoothing) > 0


def edge_region(cartoon: np.ndarray, smoothing: Smoothing = PAPER) -> np.ndarray:
    """Where a cartoon's edges are, dilated: bool [H, W] of a uint8 RGB [H, W, 3]."""
    return _edge_mask(cartoon, smoothing) > 0


def _canny(cartoon: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    """uint8 [H, W]: 255 on edges, else 0."""
    return cv2.Canny(cv2.cvtColor(cartoon, cv2.COLOR_RGB2GRAY), smoothing.canny_low, smoothing.canny_high)


def _edge_mask(cartoon: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    """uint8 [H, W]: 255 in the dilated edge regions, else 0."""
    square = np.ones((smoothing.dilation_px, smoothing.dilation_px), np.uint8)
    return cv2.dilate(_canny(cartoon, smoothing), square)


def _blur(cartoon: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    kernel = (smoothing.kernel_px, smoothing.kernel_px)
    if smoothing.kind == "mean":
        return cv2.blur(cartoon, kernel, borderType=cv2.BORDER_REFLECT_101)
    return cv2.GaussianBlur(cartoon, kernel, 0, borderType=cv2.BORDER_REFLECT_101)


def _shares(region: np.ndarray, feather_px: int) -> np.ndarray:
    """The blur's share of each pixel: float32 [H, W, 1], 1 in the region."""
    if not region.any():
        return np.zeros((*region.shape, 1), np.float32)
    distance = cv2.distanceTransform(cv2.bitwise_not(region), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.maximum(1 - distance / np.float32(feather_px + 1), 0)[..., np.newaxis]


def _mix(cartoon: np.ndarray, blurred: np.ndarray, shares: np.ndarray) -> np.ndarray:
    mixed = cartoon + shares * (blurred.astype(np.float32) - cartoon)
    return np.rint(mixed).astype(np.uint8)
