"""The sizes of pictures that the generator takes, and the padding of others, without Keras."""

import numpy as np

SIZE_MULTIPLE = 4  # the generator halves height and width twice
MINIMUM_SIZE_PX = 8  # its reflection padding needs two rows at a quarter of the resolution


def next_multiple(size: int) -> int:
    """Return the next multiple of SIZE_MULTIPLE from a number of pixels on."""
    return -(-size // SIZE_MULTIPLE) * SIZE_MULTIPLE


def fitting_side(side: int) -> int:
    """Return the number of pixels that a side of `side` pixels is padded to."""
    return max(next_multiple(side), MINIMUM_SIZE_PX)


def pad_to_fit(image: np.ndarray) -> np.ndarray:
    """Pad a picture as `pixels.pad_to_fit` does: [H, W, C] -> [H', W', C]."""
    missing = [fitting_side(side) - side for side in image.shape[:2]]
    return np.pad(image, (*((0, number) for number in missing), (0, 0)), mode="reflect") if any(missing) else image
