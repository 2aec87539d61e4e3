"""L0 gradient minimization: the picture with few changes of colour that is nearest to a given one.

Xu, Lu, Xu and Jia, "Image Smoothing via L0 Gradient Minimization", SIGGRAPH Asia 2011: the paper's reference [35].
"""

import numpy as np
from scipy import fft

_BETA_MAX = 1e5  # as the authors end


def l0_smooth(picture: np.ndarray, strength: float, growth: float = 2.0) -> np.ndarray:
    """Flatten a picture: where its colour changes little it does not change at all, and edges stay sharp.

    Minimizes the squared distance to the picture plus `strength` times the number of pixels where the result changes,
    by half-quadratic splitting (algorithm 1). The borders are reflecting: the sides of a picture do not touch.

    Args:
      picture: float32 [H, W, C] in [0, 1].
      strength: the authors' lambda; 0.002 to 0.2. More of it merges more regions.
      growth: the authors' kappa, above 1: factor of the weight between two iterations. 2 takes 20 iterations; 4 takes
        half of them, and leaves a little more texture.

    Returns:
      float32 [H, W, C], within rounding in [0, 1].
    """
    height, width = picture.shape[:2]
    planes = _pad_for_transform(picture.astype(np.float32).transpose(2, 0, 1))
    transformed = _transform(planes)
    curvature = _laplacian_eigenvalues(*planes.shape[1:])
    beta = 2 * strength
    while beta < _BETA_MAX:
        spectrum = _transform(_divergence(*_large_gradients(planes, strength / beta)))
        spectrum *= np.float32(beta)
        spectrum += transformed
        spectrum /= 1 + np.float32(beta) * curvature
        planes = fft.idctn(spectrum, axes=(1, 2), norm="ortho", overwrite_x=True)
        beta *= growth
    return np.ascontiguousarray(planes[:, :height, :width].transpose(1, 2, 0))


def _pad_for_transform(planes: np.ndarray) -> np.ndarray:
    """Continue [C, H, W] by reflection at the right and below, to sizes that are transformed fast."""
    _, height, width = planes.shape
    below, right = (fft.next_fast_len(size, real=True) - size for size in (height, width))
    return np.pad(planes, ((0, 0), (0, below), (0, right)), mode="symmetric")


def _transform(planes: np.ndarray) -> np.ndarray:
    return fft.dctn(planes, axes=(1, 2), norm="ortho", overwrite_x=False)


def _laplacian_eigenvalues(height: int, width: int) -> np.ndarray:
    """Return the eigenvalues of the negative Laplacian with reflecting borders: float32 [H, W]."""
    rows = 2 - 2 * np.cos(np.pi * np.arange(height) / height)
    columns = 2 - 2 * np.cos(np.pi * np.arange(width) / width)
    return (rows[:, None] + columns).astype(np.float32)


def _large_gradients(planes: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the differences to the next column and row, and 0 where their squares sum up to less than a threshold."""
    gradient_x = np.zeros_like(planes)
    gradient_y = np.zeros_like(planes)
    np.subtract(planes[:, :, 1:], planes[:, :, :-1], out=gradient_x[:, :, :-1])
    np.subtract(planes[:, 1:], planes[:, :-1], out=gradient_y[:, :-1])
    energy = np.einsum("chw,chw->hw", gradient_x, gradient_x) + np.einsum("chw,chw->hw", gradient_y, gradient_y)
    is_large = (energy >= threshold).astype(np.float32)
    gradient_x *= is_large
    gradient_y *= is_large
    return gradient_x, gradient_y


def _divergence(gradient_x: np.ndarray, gradient_y: np.ndarray) -> np.ndarray:
    """Return the negative divergence: the transpose of the differences, applied to them."""
    result = gradient_x + gradient_y
    np.negative(result, out=result)
    result[:, :, 1:] += gradient_x[:, :, :-1]
    result[:, 1:] += gradient_y[:, :-1]
    return result
