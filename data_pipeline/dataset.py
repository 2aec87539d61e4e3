"""Training records -> the batches that a training step takes.

What each batch holds is a pure function of the seed and the batch's number: the order is a fresh permutation of the
records for each pass over them, drawn from (seed, pass), crops and flips are drawn from (seed, position). So a run
that resumes at any step goes on with the data that it would have had, without replaying what came before. Photos and
cartoons are shuffled independently (the paper's data are unpaired); a smoothed cartoon always comes with its own
cartoon, and is cropped and flipped like it.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from data_pipeline import records
from data_pipeline.records import RecordIndex, Records

_PHOTOS, _CARTOONS = 0, 1  # random streams


def build_dataset(
    opened: Records,
    batch_size: int,
    seed: int,
    first_batch: int = 0,
    crop_size: int = 0,
    num_workers: int = 1,
    worker: int = 0,
) -> tf.data.Dataset:
    """Build the endless dataset of batches, from batch `first_batch` on.

    Args:
      opened: of `records.open_records`.
      batch_size: examples in a batch, of all workers together.
      seed: of orders, crops and flips.
      first_batch: number of the first batch to yield, from 0 up.
      crop_size: side of the squares cut at random places out of the records' pictures, in pixels; 0: all of them.
      num_workers: machines that share each batch; their number divides `batch_size`.
      worker: which of them this is, from 0 up: it gets its part of each batch.

    Returns:
      a dataset of {"photo", "cartoon", "smoothed"}: uint8 RGB [batch_size / num_workers, S, S, 3] each.

    Raises:
      InputError: the records' pictures are smaller than `crop_size`, or the batch cannot be shared evenly.
    """
    _check(opened, batch_size, crop_size, num_workers)
    size, part = opened.image_size, batch_size // num_workers
    # Position p is the p-th example ever; this worker has `part` in a row of each batch.
    positions = tf.data.Dataset.range(first_batch * part, np.iinfo(np.int64).max // num_workers)
    positions = positions.map(lambda own: own // part * batch_size + worker * part + own % part)

    def examples(index: RecordIndex, parse: Callable, stream: int) -> tf.data.Dataset:
        read, vary = _reader(index, stream, seed), variation(2 * seed + stream, size, crop_size or size)
        # Reading, decoding and varying are the costly part: they run in parallel, in order.
        return positions.map(
            lambda position: vary(parse(read(position)), position), num_parallel_calls=tf.data.AUTOTUNE
        )

    photos = examples(opened.photos, lambda data: records.parse_photo(data, size)[tf.newaxis], _PHOTOS)
    cartoons = examples(opened.cartoons, lambda data: tf.stack(records.parse_cartoon(data, size)), _CARTOONS)
    return (
        tf.data.Dataset.zip(photos, cartoons)
        .map(lambda photo, pair: {"photo": photo[0], "cartoon": pair[0], "smoothed": pair[1]})
        .batch(part, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def _check(opened: Records, batch_size: int, crop_size: int, num_workers: int) -> None:
    if crop_size > opened.image_size:
        raise InputError(
            f"--crop_size={crop_size}: the records' pictures have {opened.image_size} pixels; take that or less, or "
            "build records with a larger --image_size"
        )
    if batch_size % num_workers:
        raise InputError(f"--batch_size={batch_size}: must be a multiple of the {num_workers} workers that share it")


@contextlib.contextmanager
def explaining_damage(opened: Records) -> Iterator[None]:
    """Where TensorFlow fails in the block because a record is damaged, raise the InputError that names it."""
    try:
        yield
    except tf.errors.OpError as error:
        damage = opened.photos.damage or opened.cartoons.damage
        if damage is None:
            raise
        raise damage from error


def read_photos(opened: Records, count: int) -> np.ndarray:
    """Photos from all over the set, always the same: uint8 RGB [count or fewer, S, S, 3]."""
    chosen = [opened.photos.read(index) for index in opened.photos.spread(count)]
    return np.stack([records.parse_photo(data, opened.image_size).numpy() for data in chosen])


def read_cartoons(opened: Records, count: int) -> np.ndarray:
    """Cartoons from all over the set, likewise."""
    chosen = [opened.cartoons.read(index) for index in opened.cartoons.spread(count)]
    return np.stack([records.parse_cartoon(data, opened.image_size)[0].numpy() for data in chosen])


def _reader(index: RecordIndex, stream: int, seed: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """position -> the serialized record that is there in the order of its pass: a string."""

    def read(position: np.int64) -> bytes:
        epoch, place = divmod(int(position), len(index))
        return index.read(_permutation(len(index), (seed, stream, epoch))[place])

    return lambda position: tf.ensure_shape(tf.numpy_function(read, [position], tf.string, stateful=False), [])


def variation(seed: int, size: int, crop_size: int) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """A function (uint8 [K, size, size, 3], position) -> [K, crop_size, crop_size, 3], all K cropped and flipped alike.

    Args:
      seed: of the random stream.
      size, crop_size: in pixels.
    """

    def vary(images: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        flip, top, left = tf.unstack(tf.random.stateless_uniform([3], [seed, position]))
        top, left = (tf.cast(share * (size - crop_size + 1), tf.int32) for share in (top, left))
        images = tf.image.crop_to_bounding_box(images, top, left, crop_size, crop_size)
        return tf.cond(flip < 0.5, lambda: tf.reverse(images, [2]), lambda: images)

    return vary


@functools.lru_cache(maxsize=8)
def _permutation(size: int, seed: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).permutation(size)
