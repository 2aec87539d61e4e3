"""Reading bytes of a file inside a graph; all numbers are int64."""

import tensorflow as tf

_PADDING = 16  # zeros after a file's bytes: what is read beyond the end is 0


def file_bytes(contents: tf.Tensor) -> tf.Tensor:
    """The bytes of a file, string scalar -> uint8, with zeros after them."""
    return tf.concat([tf.io.decode_raw(contents, tf.uint8), tf.zeros([_PADDING], tf.uint8)], 0)


def file_size(data: tf.Tensor) -> tf.Tensor:
    """Bytes of the file, `data` of `file_bytes`."""
    return tf.size(data, tf.int64) - _PADDING


def is_text(data: tf.Tensor, place: tf.Tensor, text: bytes) -> tf.Tensor:
    """Whether a text stands at a place."""
    return tf.reduce_all(_bytes(data, place, len(text)) == list(text))


def byte(data: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
    """The byte at a place."""
    return _bytes(data, place, 1)[0]


def little_endian(data: tf.Tensor, places: tf.Tensor, num_bytes: int) -> tf.Tensor:
    """The numbers at places, lowest byte first, of the places' shape."""
    return tf.reduce_sum(_bytes(data, places, num_bytes) * [256**power for power in range(num_bytes)], -1)


def big_endian(data: tf.Tensor, places: tf.Tensor, num_bytes: int) -> tf.Tensor:
    """The numbers at places, highest byte first, of the places' shape."""
    return tf.reduce_sum(_bytes(data, places, num_bytes) * [256**power for power in range(num_bytes)][::-1], -1)


def signed(number: tf.Tensor) -> tf.Tensor:
    """A number of four bytes that may be negative."""
    return tf.where(number < 2**31, number, number - 2**32)


def part(contents: tf.Tensor, start: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """From one place of a string to before another, as far as it goes."""
    length = tf.cast(tf.strings.length(contents), tf.int64)
    start, end = tf.minimum(start, length), tf.minimum(end, length)
    return tf.strings.substr(contents, start, tf.maximum(end - start, 0))


def _bytes(data, places, num_bytes: int):
    """The bytes from each place on, int64 [..., num_bytes]."""
    places = tf.expand_dims(tf.cast(places, tf.int64), -1) + tf.range(num_bytes, dtype=tf.int64)
    places = tf.clip_by_value(places, 0, tf.size(data, tf.int64) - 1)
    return tf.cast(tf.gather(data, places), tf.int64)
