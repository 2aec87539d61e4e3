"""Training records -> the batches that a training step takes.

What each batch holds is a pure function of the seed and the batch's number: the order is a fresh permutation of the
records for each pass over them, drawn from (seed, pass), and flips are drawn from (seed, position). So a run that
resumes at any step goes on with the data that it would have had, without replaying what came before. Photos and
cartoons are shuffled independently (the paper's data are unpaired); a smoothed cartoon always comes with its own
cartoon and is flipped like it.
"""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from data_pipeline import records
from data_pipeline.records import RecordIndex, Records

_PHOTOS, _CARTOONS = 0, 1  # random streams


def build_dataset(opened: Records, batch_size: int, seed: int, first_batch: int = 0) -> tf.data.Dataset:
    """Build the endless dataset of batches, from batch `first_batch` on.

    Args:
      opened: of `records.open_records`.
      batch_size: examples in a batch.
      seed: of orders and flips.
      first_batch: number of the first batch to yield, from 0 up.

    Returns:
      a dataset of {"photo", "cartoon", "smoothed"}: uint8 RGB [batch_size, S, S, 3] each.
    """
    size = opened.image_size
    first = first_batch * batch_size
    photos = _stream(opened.photos, lambda data: records.parse_photo(data, size)[tf.newaxis], _PHOTOS, seed, first)
    cartoons = _stream(
        opened.cartoons, lambda data: tf.stack(records.parse_cartoon(data, size)), _CARTOONS, seed, first
    )
    return (
        tf.data.Dataset.zip(photos, cartoons)
        .map(lambda photo, pair: {"photo": photo[0], "cartoon": pair[0], "smoothed": pair[1]})
        .batch(batch_size, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def read_photos(opened: Records, count: int) -> np.ndarray:
    """Photos from all over the set, always the same: uint8 RGB [count or fewer, S, S, 3]."""
    indices = np.unique(np.linspace(0, len(opened.photos) - 1, count).astype(int))
    return np.stack([records.parse_photo(opened.photos.read(i), opened.image_size).numpy() for i in indices])


def _stream(index: RecordIndex, parse: Callable, stream: int, seed: int, first: int) -> tf.data.Dataset:
    """Parsed and flipped examples, endless, from position `first` on: uint8 [K, S, S, 3], K pictures flipped alike."""

    def read(position: np.int64) -> bytes:
        epoch, place = divmod(int(position), len(index))
        return index.read(_permutation(len(index), (seed, stream, epoch))[place])

    def example(position: tf.Tensor) -> tf.Tensor:
        images = parse(tf.ensure_shape(tf.numpy_function(read, [position], tf.string, stateful=False), []))
        flip = tf.random.stateless_uniform([], [2 * seed + stream, position]) < 0.5
        return tf.cond(flip, lambda: tf.reverse(images, [2]), lambda: images)

    # Reading and decoding are the costly part: they run in parallel, in order.
    return tf.data.Dataset.range(first, np.iinfo(np.int64).max).map(example, num_parallel_calls=tf.data.AUTOTUNE)


@functools.lru_cache(maxsize=8)
def _permutation(size: int, seed: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).permutation(size)
