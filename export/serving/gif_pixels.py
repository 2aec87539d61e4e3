"""The first frame of a GIF inside a graph: on its whole canvas, with its transparency.

TensorFlow's decoder gives colours without alpha, and only where the frame lies. So it is given the frame with a palette
of its own, in which each colour is its number; colours and transparency follow from the numbers.
"""

import tensorflow as tf

from export.serving.graph_bytes import FileBytes, byte, file_bytes, little_endian, part

_TRANSPARENT_WHITE = [255, 255, 255, 0]
_PALETTE_OF_NUMBERS = bytes(value for number in range(256) for value in 3 * (number,))
_WITH_PALETTE_OF_256 = b"\xf7\0\0"  # flags of the header, background colour, shape of the pixels
_INTERLACED = 0x40
_HEADER_BYTES = 13
_DESCRIPTOR_BYTES = 10
_CONTROL_BYTES = 8  # of the extension before a frame that tells its transparent colour


def palette_bytes(flags: tf.Tensor) -> tf.Tensor:
    """Return the size in bytes of a colour table, by the flags before it; 0 if there is none."""
    return tf.where(flags >= 0x80, 3 * tf.bitwise.left_shift(tf.constant(2, tf.int64), flags % 8), 0)


def canvas_size(data: FileBytes, frame: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the height and the width of a GIF; as in Pillow, the first frame makes a canvas larger that lacks room.

    Args:
      data: the file.
      frame: position of the first frame in it.
    """
    canvas = little_endian(data, tf.constant([6, 8], tf.int64), 2)
    corner = little_endian(data, frame + tf.constant([1, 3], tf.int64), 2)
    size = little_endian(data, frame + tf.constant([5, 7], tf.int64), 2)
    width, height = tf.unstack(tf.maximum(canvas, corner + size))
    return height, width


def decode_frame(contents: tf.Tensor, frame: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """Decode a frame.

    Args:
      contents: the file, string scalar.
      frame: position of the frame in it, int64 as all here.
      end: position after its last block, the empty one.

    Returns:
      uint8 RGBA [H, W, 4] of the canvas; what the frame does not cover is transparent if the frame is anywhere, and of
      the palette's first colour otherwise, as Pillow has it.
    """
    data = file_bytes(contents)
    numbers = _decode_numbers(contents, data, frame, end)
    height, width = canvas_size(data, frame)
    left, top = tf.unstack(little_endian(data, frame + tf.constant([1, 3], tf.int64), 2))
    rows, columns = tf.unstack(tf.shape(numbers, tf.int64))
    around = [[top, height - top - rows], [left, width - left - columns]]
    transparent = _transparent_number(data, frame)
    numbers = tf.pad(numbers, around, constant_values=tf.maximum(transparent, 0))
    return tf.gather(_colors(contents, data, frame, transparent), numbers)


def _decode_numbers(contents, data, frame, end):
    """Return the numbers of a frame's colours, int32 [H, W]."""
    flags = byte(data, frame + 9)
    size = part(contents, frame + 5, frame + 9)
    interlacing = tf.where(tf.bitwise.bitwise_and(flags, _INTERLACED) > 0, bytes([_INTERLACED]), b"\0")
    pixels = part(contents, frame + _DESCRIPTOR_BYTES + palette_bytes(flags), end - 1)
    header = [part(contents, tf.zeros_like(frame), tf.constant(6, tf.int64)), size, _WITH_PALETTE_OF_256]
    descriptor = [b"\x2c\0\0\0\0", size, interlacing]
    file = tf.strings.join([*header, _PALETTE_OF_NUMBERS, *descriptor, pixels, b"\0;"])
    return tf.cast(tf.io.decode_gif(file)[0, ..., 0], tf.int32)


def _transparent_number(data, frame):
    """Return the number of the colour that is transparent, int32; -1 if there is none."""
    control = frame - _CONTROL_BYTES
    is_control = tf.reduce_all(little_endian(data, control + tf.range(3, dtype=tf.int64), 1) == [0x21, 0xF9, 4])
    has_transparency = is_control & (byte(data, control + 3) % 2 == 1)
    return tf.where(has_transparency, tf.cast(byte(data, control + 6), tf.int32), -1)


def _colors(contents, data, frame, transparent):
    """Return the colours, uint8 RGBA [256, 4]; those that the palette lacks are black."""
    flags = byte(data, frame + 9)
    has_own = flags >= 0x80
    start = tf.where(has_own, frame + _DESCRIPTOR_BYTES, _HEADER_BYTES)
    num_bytes = palette_bytes(tf.where(has_own, flags, byte(data, tf.constant(10, tf.int64))))
    stored = tf.io.decode_raw(part(contents, start, start + num_bytes), tf.uint8)
    rgb = tf.reshape(tf.concat([stored, tf.zeros([768], tf.uint8)], 0)[:768], [256, 3])
    rgba = tf.concat([rgb, tf.fill([256, 1], tf.constant(255, tf.uint8))], 1)
    is_transparent = (tf.range(256) == transparent)[:, tf.newaxis]
    return tf.where(is_transparent, tf.constant(_TRANSPARENT_WHITE, tf.uint8), rgba)
