"""The three signatures of a served model, each a graph from a request to its answer."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from cartoongan_tf.models import pixels
from export.serving import encoded_pictures, picture_headers
from export.serving.facts import DECODED_FACTOR, DEFAULT, ENCODED, MAX_PIXELS, STYLED
from export.serving.picture_headers import require


class Signature(NamedTuple):
    """A signature's graph and its inputs."""

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: list[tf.TensorSpec]


def signatures(generator: Callable, max_pixels: int = MAX_PIXELS, drawing_size: int = 0) -> dict[str, Signature]:
    """Return the signatures of a generator, by name.

    serving_default: `image`, uint8 RGB [N, H, W, 3], H and W at least 1 -> `cartoon`, the same.
    encoded: `image_bytes`, string [N], files of any sizes -> `cartoon_bytes`, string [N], PNG files.
    styled: also `strength`, float32 [N] from 0 to 1, and `long_side`, int32 [N] in pixels; 0: the drawing size.

    Files with a longer side than that are shrunk to it, and so are their cartoons.

    The answer to damaged files and to pictures with too many pixels is INVALID_ARGUMENT. Pictures that are too large
    are refused before they are decoded.

    Args:
      generator: float32 RGB [N, H, W, 3] in [-1, 1] -> the same.
      max_pixels: number of pixels to cartoonize at once, at most.
      drawing_size: longer side, in pixels, at which larger files are drawn; 0: each file's own.
    """

    def default(image):
        return {"cartoon": _draw(generator, image, max_pixels)}

    def encoded(image_bytes):
        return styled(image_bytes, tf.ones_like(image_bytes, tf.float32), tf.zeros_like(image_bytes, tf.int32))

    def styled(image_bytes, strength, long_side):
        image_bytes = _require_as_many(image_bytes, strength=strength, long_side=long_side)
        # One picture after the other: each uses all processors, and their memory must not add up.
        cartoons = tf.map_fn(
            lambda picture: _draw_file(generator, picture[0], picture[1], picture[2], max_pixels),
            (image_bytes, strength, tf.where(long_side == 0, drawing_size, long_side)),
            parallel_iterations=1,
            fn_output_signature=tf.string,
        )
        return {"cartoon_bytes": cartoons}

    image = tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")
    image_bytes = tf.TensorSpec([None], tf.string, name="image_bytes")
    strength = tf.TensorSpec([None], tf.float32, name="strength")
    long_side = tf.TensorSpec([None], tf.int32, name="long_side")
    return {
        DEFAULT: Signature(default, [image]),
        ENCODED: Signature(encoded, [image_bytes]),
        STYLED: Signature(styled, [image_bytes, strength, long_side]),
    }


def _draw(generator, image, max_pixels: int):
    num_pictures, height, width, _ = tf.unstack(tf.shape(image, tf.int64))
    pictures = (num_pictures, " pictures of ", width, " x ", height, " pixels")
    image = require(tf.size(image) > 0, image, *pictures, ": a picture needs at least one pixel")
    is_small = num_pictures * _num_padded_pixels(height, width) <= max_pixels
    most = f" are more than the {max_pixels} pixels, padding included, of one request: send fewer, or smaller ones"
    image = require(is_small, image, *pictures, most)
    return pixels.cartoonize(generator, image)


def _num_padded_pixels(height, width):
    """Return the number of pixels of a picture after padding."""
    return pixels.padded_side(height) * pixels.padded_side(width)


def _draw_file(generator, contents, strength, long_side, max_pixels: int):
    """Turn the bytes of one picture file into the bytes of its cartoon, a PNG file."""
    header = picture_headers.read_header(contents)
    height, width = encoded_pictures.shrunk_size(header.height, header.width, long_side)
    contents = _require_small_enough(header, _num_padded_pixels(height, width), max_pixels)
    is_strength = (strength >= 0) & (strength <= 1)
    contents = require(is_strength, contents, "strength ", strength, " is not from 0 to 1")
    is_long_side = long_side >= 0
    contents = require(is_long_side, contents, "long_side ", long_side, " is negative; 0 is the style's own")
    decoded = encoded_pictures.decode(header._replace(contents=contents))
    photo = encoded_pictures.shrink(decoded, height, width)
    rgb = photo[..., :3]
    alpha = photo[..., 3:]
    cartoon = pixels.cartoonize(generator, rgb[tf.newaxis])[0]
    return encoded_pictures.encode_png(tf.concat([_blend(rgb, cartoon, strength), alpha], -1))


def _require_small_enough(header: picture_headers.Header, num_padded_pixels, max_pixels: int):
    """Return the bytes of a file whose picture may be decoded and cartoonized."""
    picture = ("a picture of ", header.width, " x ", header.height, " pixels has more than ")
    most = DECODED_FACTOR * max_pixels
    is_small = header.height * header.width <= most
    contents = require(is_small, header.contents, *picture, f"{most}, the limit with any long_side: send a smaller one")
    advice = f"send a smaller one, or give a shorter long_side to the signature {STYLED}"
    is_small = num_padded_pixels <= max_pixels
    return require(is_small, contents, *picture, f"{max_pixels}, the limit with padding: {advice}")


def _require_as_many(image_bytes, **others):
    num_pictures = tf.size(image_bytes)
    for name, values in others.items():
        message = (f"{name} has ", tf.size(values), " values for ", num_pictures, " pictures: give one for each")
        image_bytes = require(tf.size(values) == num_pictures, image_bytes, *message)
    return image_bytes


def _blend(photo, cartoon, strength):
    """Blend uint8 pictures [H, W, 3]: strength 1 gives the cartoon, 0 the photo."""
    mixed = strength * tf.cast(cartoon, tf.float32) + (1.0 - strength) * tf.cast(photo, tf.float32)
    return tf.cast(tf.round(mixed), tf.uint8)
