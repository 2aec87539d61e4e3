"""Cartoons without clear edges, for the edge-promoting loss (section 3.2.1, Figure 3).

Find edge pixels with Canny, dilate them, blur inside the dilated regions. The paper gives no sizes; these are the
ones that every re-implementation uses: Canny(100, 200), one dilation by 5x5, a Gaussian of 5x5.
"""

import cv2
import numpy as np

CANNY_THRESHOLDS = (100, 200)
DILATION_PX = 5
KERNEL_PX = 5


def smooth_edges(cartoon: np.ndarray) -> np.ndarray:
    """Blur a cartoon near its edges and nowhere else.

    Args:
      cartoon: uint8 RGB [H, W, 3].

    Returns:
      uint8 RGB [H, W, 3]: the Gaussian blur of the cartoon (reflected at the borders) inside the dilated edge
      regions, the cartoon itself outside them.
    """
    blurred = cv2.GaussianBlur(cartoon, (KERNEL_PX, KERNEL_PX), 0, borderType=cv2.BORDER_REFLECT_101)
    return np.where(edge_region(cartoon)[..., np.newaxis], blurred, cartoon)


def edge_region(cartoon: np.ndarray) -> np.ndarray:
    """Where a cartoon's edges are, dilated: bool [H, W] of a uint8 RGB [H, W, 3]."""
    edges = cv2.Canny(cv2.cvtColor(cartoon, cv2.COLOR_RGB2GRAY), *CANNY_THRESHOLDS)
    return cv2.dilate(edges, np.ones((DILATION_PX, DILATION_PX), np.uint8)) > 0
