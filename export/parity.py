"""How far an exported model is from the Keras generator that it came from."""

import numpy as np
import tensorflow as tf

# Odd ones, ones that need padding, and two that show that sizes are free.
CHECKED_SIZES_PX = ((61, 83), (64, 96), (9, 5))


def check_pictures(seed: int = 0) -> list[np.ndarray]:
    """Pictures to compare on: smooth shading, sharp outlines and some noise; uint8 RGB [H, W, 3] each."""
    rng = np.random.default_rng(seed)
    return [_picture(rng, *size) for size in CHECKED_SIZES_PX]


def _picture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    shading = np.stack([x, y, 1.0 - x * y], -1) * 200.0
    shapes = np.where((np.hypot(x - 0.4, y - 0.4) < 0.25)[..., None], rng.uniform(0, 255, 3), shading)
    return (shapes + rng.normal(0.0, 8.0, shapes.shape)).clip(0, 255).astype(np.uint8)


def on_cpu():
    """Compute the reference on the CPU, in full float32: GPUs round products to TF32."""
    return tf.device("CPU:0")


def psnr(values: np.ndarray, reference: np.ndarray, peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio in dB: infinite where both are equal, -infinite where a value is not finite."""
    error = np.mean(np.square(values.astype(np.float64) - reference.astype(np.float64)))
    if not np.isfinite(error):
        return -np.inf
    return np.inf if error == 0 else float(10 * np.log10(peak**2 / error))
