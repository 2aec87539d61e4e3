"""What a served model can be asked: its three signatures, each a graph from a request to its answer."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from cartoongan_tf.models import pixels
from export.serving import encoded_pictures, picture_headers
from export.serving.facts import DECODED_FACTOR, DEFAULT, ENCODED, MAX_PIXELS, STYLED
from export.serving.picture_headers import require


class Signature(NamedTuple):
    """A signature's graph, and what it takes."""

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: list[tf.TensorSpec]


def signatures(generator: Callable, max_pixels: int = MAX_PIXELS) -> dict[str, Signature]:
    """The signatures of a generator, by name.

    serving_default: `image`, uint8 RGB [N, H, W, 3], H and W from 1 up -> `cartoon`, the same.
    encoded: `image_bytes`, string [N], files of any sizes -> `cartoon_bytes`, string [N], PNG files.
    styled: also `strength`, float32 [N] from 0 to 1, and `long_side`, int32 [N] in pixels, 0 for the picture's own.

    What cannot be drawn is INVALID_ARGUMENT: damaged files, and pictures of too many pixels, before they are decoded.

    Args:
      generator: float32 RGB [N, H, W, 3] in [-1, 1] -> the same.
      max_pixels: the most to draw at once.
    """

    def default(image):
        return {"cartoon": _draw(generator, image, max_pixels)}

    def encoded(image_bytes):
        return styled(image_bytes, tf.ones_like(image_bytes, tf.float32), tf.zeros_like(image_bytes, tf.int32))

    def styled(image_bytes, strength, long_side):
        image_bytes = _require_as_many(image_bytes, strength=strength, long_side=long_side)
        draw = lambda picture: _draw_file(generator, *picture, max_pixels)  # noqa: E731
        # One after the other: each takes all processors, and their memory must not add up.
        cartoons = tf.map_fn(
            draw, (image_bytes, strength, long_side), parallel_iterations=1, fn_output_signature=tf.string
        )
        return {"cartoon_bytes": cartoons}

    image_bytes = tf.TensorSpec([None], tf.string, name="image_bytes")
    taste = [tf.TensorSpec([None], tf.float32, name="strength"), tf.TensorSpec([None], tf.int32, name="long_side")]
    return {
        DEFAULT: Signature(default, [tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")]),
        ENCODED: Signature(encoded, [image_bytes]),
        STYLED: Signature(styled, [image_bytes, *taste]),
    }


def _draw(generator, image, max_pixels: int):
    num_pictures, height, width, _ = tf.unstack(tf.shape(image, tf.int64))
    pictures = (num_pictures, " pictures of ", width, " x ", height, " pixels")
    image = require(tf.size(image) > 0, image, *pictures, ": there is nothing to draw")
    is_small = num_pictures * _num_drawn(height, width) <= max_pixels
    most = f" are more than the {max_pixels} that are drawn at once: send fewer, or smaller ones"
    image = require(is_small, image, *pictures, most)
    return pixels.cartoonize(generator, image)


def _num_drawn(height, width):
    """Pixels that a picture has when it is drawn: what its sides are padded to counts, too."""
    return pixels.padded_side(height) * pixels.padded_side(width)


def _draw_file(generator, contents, strength, long_side, max_pixels: int):
    """The bytes of one picture file -> those of its cartoon's, PNG."""
    header = picture_headers.read_header(contents)
    height, width = encoded_pictures.shrunk_size(header.height, header.width, long_side)
    contents = _require_small_enough(header, _num_drawn(height, width), max_pixels)
    contents = require((strength >= 0) & (strength <= 1), contents, "strength ", strength, " is not from 0 to 1")
    contents = require(
        long_side >= 0, contents, "long_side ", long_side, " is negative; 0 keeps the size of the picture"
    )
    photo = encoded_pictures.shrink(encoded_pictures.decode(header._replace(contents=contents)), height, width)
    cartoon = pixels.cartoonize(generator, photo[tf.newaxis, ..., :3])[0]
    return encoded_pictures.encode_png(tf.concat([_blend(photo[..., :3], cartoon, strength), photo[..., 3:]], -1))


def _require_small_enough(header: picture_headers.Header, num_drawn, max_pixels: int):
    """What to decode, if the picture may be decoded and drawn."""
    picture = ("a picture of ", header.width, " x ", header.height, " pixels has more than the ")
    most = DECODED_FACTOR * max_pixels
    is_small = header.height * header.width <= most
    contents = require(is_small, header.contents, *picture, f"{most} that are decoded: send a smaller one")
    advice = f"send a smaller one, or give a shorter long_side (which the signature {STYLED} takes)"
    return require(num_drawn <= max_pixels, contents, *picture, f"{max_pixels} that are drawn: {advice}")


def _require_as_many(image_bytes, **others):
    num_pictures = tf.size(image_bytes)
    for name, values in others.items():
        sentence = (f"{name} has ", tf.size(values), " values for ", num_pictures, " pictures: give one for each")
        image_bytes = require(tf.size(values) == num_pictures, image_bytes, *sentence)
    return image_bytes


def _blend(photo, cartoon, strength):
    """strength 1 is the cartoon, 0 the photo, uint8 [H, W, 3] each."""
    mixed = strength * tf.cast(cartoon, tf.float32) + (1.0 - strength) * tf.cast(photo, tf.float32)
    return tf.cast(tf.round(mixed), tf.uint8)
