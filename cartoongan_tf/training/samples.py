"""The samples of a run: cartoons of a few fixed photos, to look at while the generator trains."""

from collections.abc import Sequence

import keras
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models import pixels
from cartoongan_tf.training.checkpoints import NOT_FINITE_ADVICE


def draw_samples(generator: keras.Model, photos: np.ndarray, step: int) -> np.ndarray:
    """Cartoonize photos one by one, which takes little memory.

    Args:
      generator: the generator after `step` steps.
      photos: uint8 RGB [N, S, S, 3].
      step: number of steps of the run that are done.

    Returns:
      cartoons, uint8 RGB [N, S, S, 3].

    Raises:
      InputError: the generator's output is not finite.
    """
    output = np.asarray(generator(pixels.to_float(photos[:1])))
    if not np.isfinite(output).all():
        raise InputError(f"the generator's output is not finite after step {step}. {NOT_FINITE_ADVICE}")
    cartoons = [np.asarray(pixels.cartoonize(generator, photo[np.newaxis])) for photo in photos]
    return np.concatenate(cartoons)


def sample_sheet(versions: Sequence[np.ndarray], num_columns: int = 2) -> np.ndarray:
    """Lay out photos, each with its other versions to the right.

    Args:
      versions: the photos, their cartoons, and the like: uint8 RGB [N, S, S, 3] each.
      num_columns: number of photos in a row.

    Returns:
      uint8 RGB [rows * S, num_columns * len(versions) * S, 3]; places without a photo are white.
    """
    groups = [np.hstack(group) for group in zip(*versions, strict=True)]
    groups += [np.full_like(groups[0], 255)] * (-len(groups) % num_columns)
    rows = [np.hstack(groups[first : first + num_columns]) for first in range(0, len(groups), num_columns)]
    return np.vstack(rows)
