"""The batches that a training step takes, made from training records.

The content of a batch depends only on the seed and the batch's number. The order is a new permutation of the records in
each pass over them, drawn from (seed, pass); crops and flips are drawn from (seed, position). So a run that resumes at
any step gets the batches that it would have had, without replaying earlier ones. Photos and cartoons are shuffled
independently, as the paper's data are unpaired. A smoothed cartoon always comes with its own cartoon; a teacher's
drawing and the map of faces come with their own photo. They are cropped and flipped like these.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from data_pipeline import records
from data_pipeline.record_files import RecordIndex
from data_pipeline.records import Records

# Random streams: photos and cartoons have different orders, crops and flips.
PHOTO_STREAM = 0
CARTOON_STREAM = 1


def build_dataset(
    opened: Records,
    batch_size: int,
    seed: int,
    first_batch: int = 0,
    crop_size: int = 0,
    num_workers: int = 1,
    worker: int = 0,
    with_drawings: bool = False,
    with_cartoons: bool = True,
    with_faces: bool = False,
) -> tf.data.Dataset:
    """Build the endless dataset of batches, starting at batch `first_batch`.

    Args:
      opened: result of `records.open_records`.
      batch_size: number of examples in a batch, of all workers together.
      seed: seed of orders, crops and flips.
      first_batch: number of the first batch to yield, from 0.
      crop_size: side of the squares cut at random out of the records' pictures, in pixels; 0: no cropping.
      num_workers: number of machines that share each batch; it divides `batch_size`.
      worker: number of this machine, from 0; it gets its share of each batch.
      with_drawings: whether batches have the teacher's drawings of their photos, which the records must hold then.
      with_cartoons: whether batches have cartoons.
      with_faces: whether batches have maps of the faces in their photos, which the records must know then.

    Returns:
      A dataset of {"photo", "drawing", "faces", "cartoon", "smoothed"}, those that were asked for: uint8 RGB
      [batch_size / num_workers, S, S, 3] each. "faces" is 1 in faces, 0 elsewhere, in all three channels.

    Raises:
      InputError: the records' pictures are smaller than `crop_size`, or the batch cannot be shared evenly.
    """
    _check(opened, batch_size, crop_size, num_workers)
    crop_size = crop_size or opened.image_size
    positions = _positions(batch_size, first_batch, num_workers, worker)
    examples = _photos(opened, seed, crop_size, positions, with_drawings, with_faces)
    if with_cartoons:
        cartoons = _cartoons(opened, seed, crop_size, positions)
        examples = tf.data.Dataset.zip(examples, cartoons).map(lambda photo, cartoon: photo | cartoon)
    return examples.batch(batch_size // num_workers, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def _check(opened: Records, batch_size: int, crop_size: int, num_workers: int) -> None:
    if crop_size > opened.image_size:
        raise InputError(
            f"--crop_size={crop_size}: the records' pictures have {opened.image_size} pixels; use that or less, or "
            "build records with a larger --image_size"
        )
    if batch_size % num_workers:
        raise InputError(f"--batch_size={batch_size}: must be a multiple of the {num_workers} workers that share it")


def _positions(batch_size: int, first_batch: int, num_workers: int, worker: int) -> tf.data.Dataset:
    """Return the positions of this worker's examples in the endless sequence of all examples: int64 scalars.

    Each batch is `batch_size` examples in a row; worker w has the w-th of `num_workers` equal shares of it.
    """
    share_size = batch_size // num_workers
    count = tf.data.Dataset.range(first_batch * share_size, np.iinfo(np.int64).max // num_workers)

    def position_of(number: tf.Tensor) -> tf.Tensor:
        batch = number // share_size
        place_in_share = number % share_size
        return batch * batch_size + worker * share_size + place_in_share

    return count.map(position_of)


def _photos(
    opened: Records, seed: int, crop_size: int, positions: tf.data.Dataset, with_drawings: bool, with_faces: bool
) -> tf.data.Dataset:
    """Return the photos at the positions, {"photo", "drawing", "faces"}: uint8 [crop_size, crop_size, 3] each."""

    def parse(data: tf.Tensor) -> dict[str, tf.Tensor]:
        parts = {}
        if with_drawings:
            parts["photo"], parts["drawing"] = records.parse_drawn_photo(data, opened.image_size)
        else:
            parts["photo"] = records.parse_photo(data, opened.image_size)
        if with_faces:
            parts["faces"] = map_faces(records.parse_faces(data), opened.image_size)
        return parts

    vary = variation(2 * seed + PHOTO_STREAM, opened.image_size, crop_size)
    return _examples(_reader(opened.photos, PHOTO_STREAM, seed), parse, vary, positions)


def _cartoons(opened: Records, seed: int, crop_size: int, positions: tf.data.Dataset) -> tf.data.Dataset:
    """Return the cartoons at the positions, {"cartoon", "smoothed"}: uint8 [crop_size, crop_size, 3] each."""

    def parse(data: tf.Tensor) -> dict[str, tf.Tensor]:
        cartoon, smoothed = records.parse_cartoon(data, opened.image_size)
        return {"cartoon": cartoon, "smoothed": smoothed}

    vary = variation(2 * seed + CARTOON_STREAM, opened.image_size, crop_size)
    return _examples(_reader(opened.cartoons, CARTOON_STREAM, seed), parse, vary, positions)


def _examples(read: Callable, parse: Callable, vary: Callable, positions: tf.data.Dataset) -> tf.data.Dataset:
    """Read, decode and vary examples, the costly part, in parallel and in order."""

    def example_at(position: tf.Tensor) -> dict[str, tf.Tensor]:
        parts = parse(read(position))
        varied = vary(tf.stack(list(parts.values())), position)
        return dict(zip(parts, tf.unstack(varied), strict=True))

    return positions.map(example_at, num_parallel_calls=tf.data.AUTOTUNE)


@contextlib.contextmanager
def explaining_damage(opened: Records) -> Iterator[None]:
    """Raise the InputError that names a damaged record where TensorFlow fails in the block because of it."""
    try:
        yield
    except tf.errors.OpError as error:
        damage = opened.photos.damage or opened.cartoons.damage
        if damage is None:
            raise
        raise damage from error


def read_photos(opened: Records, count: int) -> np.ndarray:
    """Read evenly spaced photos, always the same: uint8 RGB [count or fewer, S, S, 3]."""
    index = opened.photos
    photos = [records.parse_photo(index.read(number), opened.image_size) for number in index.evenly_spaced(count)]
    return np.stack(photos)


def read_drawings(opened: Records, count: int) -> np.ndarray:
    """Read the teacher's drawings of the photos of `read_photos`, likewise."""
    index = opened.photos
    pairs = [records.parse_drawn_photo(index.read(number), opened.image_size) for number in index.evenly_spaced(count)]
    return np.stack([drawing for _, drawing in pairs])


def read_cartoons(opened: Records, count: int) -> np.ndarray:
    """Read evenly spaced cartoons, always the same: uint8 RGB [count or fewer, S, S, 3]; none if there are none."""
    index = opened.cartoons
    pairs = [records.parse_cartoon(index.read(number), opened.image_size) for number in index.evenly_spaced(count)]
    return np.array([cartoon for cartoon, _ in pairs], np.uint8).reshape(-1, opened.image_size, opened.image_size, 3)


def map_faces(boxes: tf.Tensor, size: int) -> tf.Tensor:
    """Return 1 in boxes, int64 [N, 4] of top, left, bottom and right, and 0 elsewhere: uint8 [size, size, 3]."""
    place = tf.range(size, dtype=tf.int64)
    top, left, bottom, right = tf.unstack(boxes[..., tf.newaxis], axis=1)
    rows = (place >= top) & (place < bottom)
    columns = (place >= left) & (place < right)
    is_face = tf.reduce_any(rows[:, :, tf.newaxis] & columns[:, tf.newaxis, :], axis=0)
    return tf.repeat(tf.cast(is_face, tf.uint8)[..., tf.newaxis], 3, axis=-1)


def _reader(index: RecordIndex, stream: int, seed: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function from a position to the serialized record that the order of its pass has there: a string."""

    def read(position: np.int64) -> bytes:
        epoch, place = divmod(int(position), len(index))
        return index.read(permutation(len(index), (seed, stream, epoch))[place])

    return lambda position: tf.ensure_shape(tf.numpy_function(read, [position], tf.string, stateful=False), [])


def variation(seed: int, size: int, crop_size: int) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return a function (images, position) -> images that crops and flips all images of an example alike.

    It takes uint8 [K, size, size, 3] and an int64 scalar, and returns uint8 [K, crop_size, crop_size, 3].

    Args:
      seed: seed of the random stream.
      size, crop_size: sides of the images before and after, in pixels.
    """

    def vary(images: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        flip, top_share, left_share = tf.unstack(tf.random.stateless_uniform([3], [seed, position]))
        top = tf.cast(top_share * (size - crop_size + 1), tf.int32)
        left = tf.cast(left_share * (size - crop_size + 1), tf.int32)
        images = tf.image.crop_to_bounding_box(images, top, left, crop_size, crop_size)
        return tf.cond(flip < 0.5, lambda: tf.reverse(images, [2]), lambda: images)

    return vary


@functools.lru_cache(maxsize=8)
def permutation(size: int, seed: tuple[int, ...]) -> np.ndarray:
    """Return a permutation of range(size), always the same for a seed."""
    return np.random.default_rng(seed).permutation(size)
