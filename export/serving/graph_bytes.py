"""Reading of a file's bytes inside a graph. All numbers are int64."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

_PADDING = 16  # zeros after a file's bytes, so that bytes beyond the end read as 0


class FileBytes(NamedTuple):
    """The bytes of a file.

    Attributes:
      values: uint8, the bytes, with zeros after them.
      last: the last position in `values`.
      size: the size of the file.
    """

    values: tf.Tensor
    last: tf.Tensor
    size: tf.Tensor


def file_bytes(contents: tf.Tensor) -> FileBytes:
    """Return the bytes of a file, a string scalar."""
    values = tf.concat([tf.io.decode_raw(contents, tf.uint8), tf.zeros([_PADDING], tf.uint8)], 0)
    num_values = tf.size(values, tf.int64)
    return FileBytes(values, num_values - 1, num_values - _PADDING)


def is_text(data: FileBytes, position: tf.Tensor, text: bytes) -> tf.Tensor:
    """Return whether a text stands at a position."""
    return tf.reduce_all(_bytes(data, position, len(text)) == list(text))


def byte(data: FileBytes, position: tf.Tensor) -> tf.Tensor:
    """Return the byte at a position; the result has the shape of the positions."""
    position = tf.minimum(tf.maximum(tf.cast(position, tf.int64), 0), data.last)
    return tf.cast(tf.gather(data.values, position), tf.int64)


def little_endian(data: FileBytes, positions: tf.Tensor, num_bytes: int) -> tf.Tensor:
    """Read numbers at positions, lowest byte first. The result has the shape of the positions."""
    weights = [256**power for power in range(num_bytes)]
    return tf.reduce_sum(_bytes(data, positions, num_bytes) * weights, -1)


def big_endian(data: FileBytes, positions: tf.Tensor, num_bytes: int) -> tf.Tensor:
    """Read numbers at positions, highest byte first. The result has the shape of the positions."""
    weights = [256**power for power in reversed(range(num_bytes))]
    return tf.reduce_sum(_bytes(data, positions, num_bytes) * weights, -1)


def signed(number: tf.Tensor) -> tf.Tensor:
    """Interpret an unsigned number of four bytes as a signed one."""
    return tf.where(number < 2**31, number, number - 2**32)


def part(contents: tf.Tensor, start: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """Return the bytes of a string from `start` to before `end`, as far as the string goes."""
    length = tf.cast(tf.strings.length(contents), tf.int64)
    start = tf.minimum(start, length)
    end = tf.minimum(end, length)
    return tf.strings.substr(contents, start, tf.maximum(end - start, 0))


def _bytes(data, positions, num_bytes: int):
    """Read `num_bytes` bytes from each position, int64 [..., num_bytes]."""
    positions = tf.convert_to_tensor(positions, tf.int64)
    if positions.shape.rank:
        positions = tf.expand_dims(positions, -1)
    return byte(data, positions + np.arange(num_bytes))
