"""Sheets of samples: what a generator makes of a few fixed photos, to look at while it trains."""

import keras
import numpy as np

from cartoongan_tf import pixels


def sample_sheet(generator: keras.Model, photos: np.ndarray, num_columns: int = 2) -> np.ndarray:
    """Draw photos and lay them out, each photo with its cartoon to the right.

    Args:
      generator: of `build_generator`.
      photos: uint8 RGB [N, S, S, 3].
      num_columns: pairs in a row.

    Returns:
      uint8 RGB [rows * S, num_columns * 2 * S, 3]; places without a photo are white.
    """
    cartoons = [np.asarray(pixels.cartoonize(generator, photo[np.newaxis]))[0] for photo in photos]
    pairs = [np.hstack(pair) for pair in zip(photos, cartoons, strict=True)]
    pairs += [np.full_like(pairs[0], 255)] * (-len(pairs) % num_columns)
    return np.vstack([np.hstack(pairs[i : i + num_columns]) for i in range(0, len(pairs), num_columns)])
