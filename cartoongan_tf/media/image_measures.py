"""Measures of a picture, alone or beside its photo: edges, flat regions, colours, structural similarity."""

import cv2
import numpy as np

_SSIM_SIGMA_PX = 1.5  # this and the next three: Wang et al. 2004
_SSIM_WINDOW_PX = 11
_SSIM_K1 = 0.01
_SSIM_K2 = 0.03
_CANNY = (100, 200)  # the paper's edges are those of the records: data_pipeline.edge_smoothing
_FLAT_LEVELS = 4
_COLOR_BLUR_PX = 8.0
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601's


def luminance_similarity(crop: np.ndarray, photo: np.ndarray) -> float:
    """Return the structural similarity of the luminance: 1 for the photo itself, less for less similar pictures.

    Args:
      crop, photo: uint8 RGB [H, W, 3].
    """
    return structural_similarity(crop @ _LUMINANCE, photo @ _LUMINANCE, peak=255)


def structural_similarity(x: np.ndarray, y: np.ndarray, peak: float) -> float:
    """Return the SSIM (Wang et al. 2004, Gaussian window of 11 px, inside the picture), 1 where both are equal.

    Args:
      x, y: float [H, W]; smaller pictures get a smaller window.
      peak: range of their values.
    """
    radius = (min(_SSIM_WINDOW_PX, *x.shape) - 1) // 2
    inside = slice(radius, -radius or None)

    def mean(values):
        return cv2.GaussianBlur(values, (2 * radius + 1,) * 2, _SSIM_SIGMA_PX)[inside, inside]

    x = x.astype(np.float64)
    y = y.astype(np.float64)
    mean_x = mean(x)
    mean_y = mean(y)
    variances = mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    c1 = (peak * _SSIM_K1) ** 2
    c2 = (peak * _SSIM_K2) ** 2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((similarity / ((mean_x**2 + mean_y**2 + c1) * (variances + c2))).mean())


def psnr(values: np.ndarray, reference: np.ndarray, peak: float = 255.0) -> float:
    """Return the peak signal-to-noise ratio in dB: infinite for equal arrays, -infinite if a value is not finite."""
    error = np.mean(np.square(values.astype(np.float64) - reference.astype(np.float64)))
    if not np.isfinite(error):
        return -np.inf
    return np.inf if error == 0 else float(10 * np.log10(peak**2 / error))


def edge_density(crop: np.ndarray) -> float:
    """Return the share of pixels on an edge (Canny 100, 200), 0 to 1; best near that of the cartoons.

    Args:
      crop: uint8 RGB [H, W, 3].
    """
    return float(_edges(crop).mean())


def edge_sharpness(crop: np.ndarray) -> float:
    """Return the share of an edge's contrast in its steepest step from pixel to pixel, 0 to 1.

    Best near that of the cartoons. 1 is a hard step, 0.5 one over two pixels, 0.33 one over three or more; the contrast
    is that of the 5x5 pixels around. Smoothing lowers it, whatever the contrast; grain raises it. The result is the
    mean over the edges of `edge_density`, and NaN where there are none.

    Args:
      crop: uint8 RGB [H, W, 3].
    """
    light = crop @ _LUMINANCE
    contrast = _span(light)
    steps = [np.abs(np.diff(light, axis=axis, append=light.take([-1], axis))) for axis in (0, 1)]
    steepest = cv2.dilate(np.maximum(*steps), np.ones((3, 3), np.uint8))
    edges = _edges(crop) & (contrast > 0)
    return float(np.minimum(steepest[edges] / contrast[edges], 1).mean()) if edges.any() else np.nan


def _edges(crop: np.ndarray) -> np.ndarray:
    return cv2.Canny(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), *_CANNY) > 0


def flatness(crop: np.ndarray) -> float:
    """Return the share of pixels in a flat region, 0 to 1; best near that of the cartoons.

    A region is flat where the luminance of the 5x5 pixels around spans at most 4 of 255 levels.

    Args:
      crop: uint8 RGB [H, W, 3].
    """
    return float((_span(crop @ _LUMINANCE) <= _FLAT_LEVELS).mean())


def _span(light: np.ndarray) -> np.ndarray:
    """Return the range of the luminance in the 5x5 pixels around each pixel."""
    window = np.ones((5, 5), np.uint8)
    return cv2.dilate(light, window) - cv2.erode(light, window)


def color_shift(crop: np.ndarray, photo: np.ndarray) -> float:
    """Return the distance of the colours from the photo's: CIE76's Delta E after a blur of 8 px, which ignores lines.

    0 is equal, 2 just visible, 100 is black in place of white.

    Args:
      crop, photo: uint8 RGB [H, W, 3].
    """
    lab = cv2.GaussianBlur(_lab(crop), (0, 0), _COLOR_BLUR_PX)
    photo_lab = cv2.GaussianBlur(_lab(photo), (0, 0), _COLOR_BLUR_PX)
    return float(np.linalg.norm(lab - photo_lab, axis=2).mean())


def color_features(crop: np.ndarray) -> np.ndarray:
    """Return mean and standard deviation of L*, a* and b*, float [6], for `frechet_distance`.

    Args:
      crop: uint8 RGB [H, W, 3].
    """
    lab = _lab(crop).reshape(-1, 3)
    return np.concatenate([lab.mean(0), lab.std(0)])


def _lab(crop: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
