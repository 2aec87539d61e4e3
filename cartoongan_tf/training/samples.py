"""Samples: what a generator makes of a few fixed photos, to look at while it trains."""

import keras
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models import pixels
from cartoongan_tf.training.checkpoints import NOT_FINITE_ADVICE


def draw_samples(generator: keras.Model, photos: np.ndarray, step: int) -> np.ndarray:
    """Draw photos one by one, which takes little memory.

    Args:
      generator: after `step` steps.
      photos: uint8 RGB [N, S, S, 3].
      step: of the run.

    Returns:
      cartoons, uint8 RGB [N, S, S, 3].

    Raises:
      InputError: what the generator draws is not finite.
    """
    if not np.isfinite(np.asarray(generator(pixels.to_float(photos[:1])))).all():
        raise InputError(f"what the generator draws is not finite after step {step}. {NOT_FINITE_ADVICE}")
    return np.concatenate([np.asarray(pixels.cartoonize(generator, photo[np.newaxis])) for photo in photos])


def sample_sheet(photos: np.ndarray, cartoons: np.ndarray, num_columns: int = 2) -> np.ndarray:
    """Lay out photos, each with its cartoon to the right.

    Args:
      photos, cartoons: uint8 RGB [N, S, S, 3].
      num_columns: pairs in a row.

    Returns:
      uint8 RGB [rows * S, num_columns * 2 * S, 3]; places without a photo are white.
    """
    pairs = [np.hstack(pair) for pair in zip(photos, cartoons, strict=True)]
    pairs += [np.full_like(pairs[0], 255)] * (-len(pairs) % num_columns)
    return np.vstack([np.hstack(pairs[i : i + num_columns]) for i in range(0, len(pairs), num_columns)])
