"""Picture files inside a graph: the bytes of a JPEG, PNG, GIF or BMP -> upright pixels -> the bytes of a PNG."""

import tensorflow as tf

from export.serving.picture_headers import Header, first_frame, require


def decode(header: Header) -> tf.Tensor:
    """Decode a picture file.

    Args:
      header: of `picture_headers.read_header`.

    Returns:
      uint8 RGBA [H, W, 4], upright; alpha is a PNG's own, 255 otherwise, and the colour is white where it is 0. When
      it runs, damaged pixels are INVALID_ARGUMENT.
    """
    decoders = (_decode_jpeg, _decode_png, _decode_gif, _decode_bmp)  # in the order of the kinds
    pixels = tf.switch_case(header.kind, [lambda decoder=decoder: decoder(header) for decoder in decoders])
    pixels = tf.where(pixels[..., 3:] == 0, tf.constant([255, 255, 255, 0], tf.uint8), pixels)
    pixels = _upright(tf.ensure_shape(pixels, [None, None, 4]), header.orientation)
    is_as_told = tf.reduce_all(tf.shape(pixels, tf.int64)[:2] == tf.stack([header.height, header.width]))
    return require(is_as_told, pixels, "the picture has another size than its header says")


def encode_png(pixels: tf.Tensor) -> tf.Tensor:
    """uint8 RGBA [H, W, 4] -> the bytes of a PNG file, without alpha where all of it is opaque."""
    is_opaque = tf.reduce_all(pixels[..., 3] == 255)
    return tf.cond(is_opaque, lambda: tf.io.encode_png(pixels[..., :3]), lambda: tf.io.encode_png(pixels))


def shrunk_size(height: tf.Tensor, width: tf.Tensor, long_side: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Height and width, int64, of a picture whose longer side has at most `long_side` pixels; 0: its own."""
    size = tf.cast(tf.stack([height, width]), tf.float64)
    scale = tf.minimum(tf.cast(long_side, tf.float64) / tf.reduce_max(size), 1.0)
    shrunk = tf.maximum(tf.round(size * tf.where(long_side > 0, scale, tf.ones_like(scale))), 1.0)
    height, width = tf.unstack(tf.cast(shrunk, tf.int64))
    return height, width


def shrink(pixels: tf.Tensor, height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Average a picture, uint8 [H, W, C], down to a size; as it is where it has that size."""
    size = tf.cast(tf.stack([height, width]), tf.int32)
    is_right = tf.reduce_all(tf.shape(pixels)[:2] == size)
    return tf.cond(is_right, lambda: pixels, lambda: _average(pixels, size))


def _average(pixels, size):
    return tf.cast(tf.round(tf.image.resize(pixels, size, "area")), tf.uint8)


def _decode_jpeg(header):
    return _opaque(tf.io.decode_jpeg(header.contents, channels=3, dct_method="INTEGER_ACCURATE"))  # as Pillow does


def _decode_png(header):
    return tf.io.decode_png(header.contents, channels=4)


def _decode_gif(header):
    return _opaque(tf.io.decode_gif(first_frame(header))[0])


def _decode_bmp(header):
    return _opaque(tf.io.decode_bmp(header.contents)[..., :3])  # a fourth byte is mostly unused


def _opaque(rgb):
    return tf.concat([rgb, tf.fill([*tf.unstack(tf.shape(rgb)[:2]), 1], tf.constant(255, tf.uint8))], -1)


def _upright(pixels, orientation):
    """Turn and mirror a picture, uint8 [H, W, 4], as EXIF wants it; orientation 1 to 8."""
    pixels = tf.bitcast(pixels, tf.int32)  # [H, W]: four bytes move as one
    pixels = tf.cond(orientation >= 5, lambda: _transposed(pixels), lambda: pixels)
    for axis, orientations in ((0, [3, 4, 7, 8]), (1, [2, 3, 6, 7])):
        is_mirrored = tf.reduce_any(orientation == tf.constant(orientations, tf.int64))
        pixels = tf.cond(is_mirrored, lambda p=pixels, a=axis: tf.reverse(p, [a]), lambda p=pixels: p)
    return tf.bitcast(pixels, tf.uint8)


def _transposed(pixels):
    """int32 [H, W] -> [W, H]; tf.transpose of integers makes oneDNN complain in a server's log."""
    height, width = tf.unstack(tf.shape(pixels))
    return tf.gather(tf.reshape(pixels, [-1]), tf.range(width)[:, tf.newaxis] + width * tf.range(height))
