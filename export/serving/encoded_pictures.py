"""Decoding and encoding of picture files inside a graph: JPEG, PNG, GIF and BMP files to pixels, and pixels to PNG."""

import tensorflow as tf

from export.serving import gif_pixels
from export.serving.picture_headers import Header, end_of_frame, require

# The segment by which Adobe's programs say that a JPEG's inks are stored inverted, without a further transform.
_ADOBE_SEGMENT = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"


def decode(header: Header) -> tf.Tensor:
    """Decode a picture file.

    The graph fails with INVALID_ARGUMENT if the pixels are damaged.

    Args:
      header: the file's header from `picture_headers.read_header`.

    Returns:
      uint8 RGBA [H, W, 4], upright. Alpha is that of a PNG or a GIF, else 255. The colour is white where alpha is 0.
    """
    decoders = (_decode_jpeg, _decode_png, _decode_gif, _decode_bmp)  # in the order of `Header.kind`
    branches = [lambda decoder=decoder: decoder(header) for decoder in decoders]
    pixels = tf.switch_case(header.kind, branches)
    pixels = tf.where(pixels[..., 3:] == 0, tf.constant([255, 255, 255, 0], tf.uint8), pixels)
    pixels = _upright(tf.ensure_shape(pixels, [None, None, 4]), header.orientation)
    has_right_size = tf.reduce_all(tf.shape(pixels, tf.int64)[:2] == tf.stack([header.height, header.width]))
    return require(has_right_size, pixels, "the picture's size differs from the size in its header")


def encode_png(pixels: tf.Tensor) -> tf.Tensor:
    """Encode uint8 RGBA [H, W, 4] as the bytes of a PNG file, without alpha if the whole picture is opaque."""
    is_opaque = tf.reduce_all(pixels[..., 3] == 255)
    return tf.cond(is_opaque, lambda: tf.io.encode_png(pixels[..., :3]), lambda: tf.io.encode_png(pixels))


def shrunk_size(height: tf.Tensor, width: tf.Tensor, long_side: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the size of a picture after its longer side is shrunk to `long_side` pixels.

    Args:
      height: int64 scalar.
      width: int64 scalar.
      long_side: scalar; 0 keeps the size.

    Returns:
      height and width, int64 scalars, at least 1.
    """
    size = tf.cast(tf.stack([height, width]), tf.float64)
    scale = tf.minimum(tf.cast(long_side, tf.float64) / tf.reduce_max(size), 1.0)
    scale = tf.where(long_side > 0, scale, tf.ones_like(scale))
    shrunk = tf.maximum(tf.round(size * scale), 1.0)
    height, width = tf.unstack(tf.cast(shrunk, tf.int64))
    return height, width


def shrink(pixels: tf.Tensor, height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Shrink a picture, uint8 [H, W, C], to a size by averaging. A picture of that size stays as it is."""
    size = tf.cast(tf.stack([height, width]), tf.int32)
    has_right_size = tf.reduce_all(tf.shape(pixels)[:2] == size)
    return tf.cond(has_right_size, lambda: pixels, lambda: _average(pixels, size))


def _average(pixels, size):
    return tf.cast(tf.round(tf.image.resize(pixels, size, "area")), tf.uint8)


def _decode_jpeg(header):
    contents = _with_adobe_segment(header.contents)
    return _opaque(tf.io.decode_jpeg(contents, channels=3, dct_method="INTEGER_ACCURATE"))  # as Pillow does


def _with_adobe_segment(contents):
    """Return a JPEG file whose inks, if it has four, are taken as inverted; other programs always take them so.

    If the file has such a segment of its own, that one counts, as it comes later.
    """
    has_inks = tf.image.extract_jpeg_shape(contents)[2] == 4

    def with_segment():
        start = tf.strings.substr(contents, 0, 2)
        rest = tf.strings.substr(contents, 2, tf.strings.length(contents) - 2)
        return tf.strings.join([start, _ADOBE_SEGMENT, rest])

    return tf.cond(has_inks, with_segment, lambda: contents)


def _decode_png(header):
    return tf.io.decode_png(header.contents, channels=4)


def _decode_gif(header):
    return gif_pixels.decode_frame(header.contents, header.frame, end_of_frame(header))


def _decode_bmp(header):
    return _opaque(tf.io.decode_bmp(header.contents)[..., :3])  # most encoders leave the fourth byte unused


def _opaque(rgb):
    height, width = tf.unstack(tf.shape(rgb)[:2])
    alpha = tf.fill([height, width, 1], tf.constant(255, tf.uint8))
    return tf.concat([rgb, alpha], -1)


def _upright(pixels, orientation):
    """Turn and mirror a picture, uint8 [H, W, 4], by its EXIF orientation, 1 to 8."""
    pixels = tf.bitcast(pixels, tf.int32)  # [H, W]: the four bytes of a pixel move together
    pixels = tf.cond(orientation >= 5, lambda: _transposed(pixels), lambda: pixels)
    for axis, orientations in ((0, [3, 4, 7, 8]), (1, [2, 3, 6, 7])):
        is_mirrored = tf.reduce_any(orientation == tf.constant(orientations, tf.int64))
        pixels = tf.cond(is_mirrored, lambda p=pixels, a=axis: tf.reverse(p, [a]), lambda p=pixels: p)
    return tf.bitcast(pixels, tf.uint8)


def _transposed(pixels):
    """Transpose int32 [H, W]. tf.transpose of integers would make oneDNN print warnings into a server's log."""
    height, width = tf.unstack(tf.shape(pixels))
    positions = tf.range(width)[:, tf.newaxis] + width * tf.range(height)
    return tf.gather(tf.reshape(pixels, [-1]), positions)
