"""The four signatures of a served model, each a graph from a request to its answer."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from cartoongan_tf.models import pixels
from export.serving.facts import DEFAULT, EACH, ENCODED, MAX_PIXELS, PNG, STYLED
from export.serving.file_drawing import FileDrawer, Order, num_padded_pixels
from export.serving.problems import first, require_none, unless


class Signature(NamedTuple):
    """A signature's graph and its inputs."""

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: list[tf.TensorSpec]


def signatures(generator: Callable, max_pixels: int = MAX_PIXELS, drawing_size: int = 0) -> dict[str, Signature]:
    """Return the signatures of a generator, by name.

    serving_default: `image`, uint8 RGB [N, H, W, 3], H and W at least 1 -> `cartoon`, the same.
    encoded: `image_bytes`, string [N], files of any sizes -> `cartoon_bytes`, string [N], PNG files.
    styled: also `strength`, float32 [N] from 0 to 1, and `long_side`, int32 [N] in pixels; 0: the drawing size.
    each: also `keep_colors`, bool [N], and `format`, string [N], png or jpeg -> also `status`, string [N]: "", or the
      reason why there is no cartoon; its `cartoon_bytes` are empty then.

    Files with a longer side than `long_side` are shrunk to it, and so are their cartoons.

    The answer of the others to damaged files and to pictures with too many pixels is INVALID_ARGUMENT. Pictures that
    are too large are refused before they are decoded.

    Args:
      generator: float32 RGB [N, H, W, 3] in [-1, 1] -> the same.
      max_pixels, drawing_size: as in `FileDrawer`.
    """
    # One graph for all signatures: tracing takes seconds, and an endpoint is traced twice.
    image = tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")
    cartoonize = _traced(functools.partial(pixels.cartoonize, generator), [image])
    files = _traced(
        FileDrawer(cartoonize, max_pixels, drawing_size).draw_all,
        [*_vectors(5), tf.TensorSpec([], tf.bool, name="is_strict")],
    )

    def default(image):
        return {"cartoon": cartoonize(_require_small_enough(image, max_pixels))}

    def encoded(image_bytes):
        return styled(image_bytes, tf.ones_like(image_bytes, tf.float32), tf.zeros_like(image_bytes, tf.int32))

    def styled(image_bytes, strength, long_side):
        image_bytes = _require_as_many(image_bytes, strength=strength, long_side=long_side)
        keep_colors = tf.zeros_like(image_bytes, tf.bool)
        formats = tf.fill(tf.shape(image_bytes), PNG)
        cartoons, _ = files(image_bytes, strength, long_side, keep_colors, formats, tf.constant(True))
        return {"cartoon_bytes": cartoons}

    def each(image_bytes, strength, long_side, keep_colors, format):
        image_bytes = _require_as_many(
            image_bytes, strength=strength, long_side=long_side, keep_colors=keep_colors, format=format
        )
        cartoons, statuses = files(image_bytes, strength, long_side, keep_colors, format, tf.constant(False))
        return {"cartoon_bytes": cartoons, "status": statuses}

    return {
        DEFAULT: Signature(default, [image]),
        ENCODED: Signature(encoded, _vectors(1)),
        STYLED: Signature(styled, _vectors(3)),
        EACH: Signature(each, _vectors(5)),
    }


def _traced(function: Callable, inputs: list[tf.TensorSpec]) -> Callable:
    return tf.function(function, input_signature=inputs, autograph=False).get_concrete_function()


def _vectors(number: int) -> list[tf.TensorSpec]:
    """Return the specifications of the first inputs of a picture file."""
    dtypes = {"strength": tf.float32, "long_side": tf.int32, "keep_colors": tf.bool}
    return [tf.TensorSpec([None], dtypes.get(name, tf.string), name=name) for name in Order._fields[:number]]


def _require_small_enough(image, max_pixels: int):
    num_pictures, height, width, _ = tf.unstack(tf.shape(image, tf.int64))
    pictures = (num_pictures, " pictures of ", width, " x ", height, " pixels")
    is_small = num_pictures * num_padded_pixels(height, width) <= max_pixels
    most = f" are more than the {max_pixels} pixels, padding included, of one request: send fewer, or smaller ones"
    problem = first(
        unless(tf.size(image) > 0, *pictures, ": a picture needs at least one pixel"),
        unless(is_small, *pictures, most),
    )
    return require_none(problem, image)


def _require_as_many(image_bytes, **others):
    num_pictures = tf.size(image_bytes)
    problems = [
        unless(
            tf.size(values) == num_pictures,
            f"{name} has ",
            tf.size(values),
            " values for ",
            num_pictures,
            " pictures: give one for each",
        )
        for name, values in others.items()
    ]
    return require_none(first(*problems), image_bytes)
