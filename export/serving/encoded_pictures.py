"""Decoding and encoding of picture files inside a graph: JPEG, PNG, GIF and BMP to pixels, pixels to PNG and JPEG."""

import tensorflow as tf

from export.serving import gif_pixels
from export.serving.facts import JPEG
from export.serving.graph_bytes import byte, file_bytes
from export.serving.picture_headers import Header, end_of_frame
from export.serving.problems import attempt, require_none, unless

_RATIOS = (1, 2, 4, 8)  # of a JPEG's size to the size at which it may be decoded
_JPEG_QUALITY = 95  # that of `cartoonize`
# The segment by which Adobe's programs say that a JPEG's inks are stored inverted, without a further transform.
_ADOBE_SEGMENT = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"


def decoding_ratio(header: Header, max_pixels: int) -> tf.Tensor:
    """Return the least ratio at which a file has at most `max_pixels` when it is decoded, int64; 0 if there is none.

    That is 1 but for JPEGs that are decoded row by row: they can be decoded at a half, a quarter or an eighth of their
    size.
    """
    ratios = tf.constant(_RATIOS, tf.int64)
    num_pixels = _divided(header.height, ratios) * _divided(header.width, ratios)
    is_possible = (num_pixels <= max_pixels) & (header.is_streamed | (ratios == 1))
    return tf.where(tf.reduce_any(is_possible), tf.gather(ratios, tf.argmax(tf.cast(is_possible, tf.int32))), 0)


def decode(header: Header, ratio: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode a picture file.

    Args:
      header: the file's header from `picture_headers.read_header`, without a problem.
      ratio: 1, or the ratio of its size to the size at which it is decoded, from `decoding_ratio`.

    Returns:
      uint8 RGBA [H, W, 4], upright, and "", or the reason why the file cannot be decoded. Alpha is that of a PNG or a
      GIF, else 255. The colour is white where alpha is 0.
    """
    pixels = attempt(_decode, (header, ratio), tf.zeros([0, 0, 4], tf.uint8))
    names = tf.constant(["JPEG", "PNG", "GIF", "BMP"])
    damaged = tf.strings.join(["the ", names[header.kind], " file is damaged, or incomplete"])
    return pixels, tf.where(tf.size(pixels) > 0, "", damaged)


def encode(pixels: tf.Tensor, format: tf.Tensor) -> tf.Tensor:
    """Encode uint8 RGBA [H, W, 4] as the bytes of a PNG or a JPEG file; a JPEG shows transparency over white.

    A PNG has no alpha if the whole picture is opaque. A JPEG keeps its colours at full resolution.
    """
    rgb = pixels[..., :3]
    is_opaque = tf.reduce_all(pixels[..., 3] == 255)

    def png():
        return tf.cond(is_opaque, lambda: tf.io.encode_png(rgb), lambda: tf.io.encode_png(pixels))

    def jpeg():
        over_white = tf.cond(is_opaque, lambda: rgb, lambda: _over_white(pixels))
        return tf.io.encode_jpeg(over_white, "rgb", _JPEG_QUALITY, chroma_downsampling=False)

    return tf.cond(format == JPEG, jpeg, png)


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


def _over_white(pixels):
    values = tf.cast(pixels, tf.float32)
    alpha = values[..., 3:] / 255.0
    return tf.cast(tf.round(values[..., :3] * alpha + 255.0 * (1.0 - alpha)), tf.uint8)


def _decode(header, ratio):
    """Decode a picture file, with an error if it is damaged."""
    decoders = (lambda header: _decode_jpeg(header, ratio), _decode_png, _decode_gif, _decode_bmp)  # by `Header.kind`
    pixels = tf.switch_case(header.kind, [lambda decoder=decoder: decoder(header) for decoder in decoders])
    pixels = tf.where(pixels[..., 3:] == 0, tf.constant([255, 255, 255, 0], tf.uint8), pixels)
    pixels = _upright(tf.ensure_shape(pixels, [None, None, 4]), header.orientation)
    size = _divided(tf.stack([header.height, header.width]), ratio)
    has_right_size = tf.reduce_all(tf.shape(pixels, tf.int64)[:2] == size)
    return require_none(unless(has_right_size, "the picture's size differs from the size in its header"), pixels)


def _divided(side, ratio):
    """Return the number of pixels that a JPEG's side has when it is decoded at a ratio."""
    return -(-side // ratio)


def _decode_jpeg(header, ratio):
    contents = _with_adobe_segment(header.contents)

    def decode_at(ratio):
        return tf.io.decode_jpeg(contents, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")  # as Pillow does

    index = tf.argmax(tf.cast(tf.constant(_RATIOS, tf.int64) == ratio, tf.int32), output_type=tf.int32)
    return _opaque(tf.switch_case(index, [lambda each=each: decode_at(each) for each in _RATIOS]))


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
    """Decode a PNG. As in `cartoonize`, 16 bits are rounded to 8 in grey, and cut off to 8 in colour."""
    data = file_bytes(header.contents)
    depth = byte(data, tf.constant(24, tf.int64))
    color_type = byte(data, tf.constant(25, tf.int64))
    is_deep_grey = (depth == 16) & (color_type == 0)
    return tf.cond(
        is_deep_grey,
        lambda: _decode_deep_grey(header.contents),
        lambda: tf.io.decode_png(header.contents, channels=4),
    )


def _decode_deep_grey(contents):
    pixels = tf.io.decode_png(contents, channels=4, dtype=tf.uint16)
    grey = tf.cast((tf.cast(pixels[..., :1], tf.int32) + 128) // 257, tf.uint8)
    alpha = tf.cast(tf.cast(pixels[..., 3:], tf.int32) // 257, tf.uint8)  # 0 or 65535
    return tf.concat([grey, grey, grey, alpha], -1)


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
