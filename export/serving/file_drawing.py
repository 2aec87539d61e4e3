"""From the bytes of one picture file to the bytes of its cartoon, inside a graph."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from cartoongan_tf.models import pixels
from cartoongan_tf.models.picture_sizes import MINIMUM_SIZE_PX, SIZE_MULTIPLE
from export.serving import encoded_pictures, picture_headers, styling
from export.serving.facts import ANSWER_FORMATS, DECODED_FACTOR
from export.serving.picture_headers import Header
from export.serving.problems import first, require_none, unless


class Order(NamedTuple):
    """A picture file, and how to draw it, as scalars.

    Attributes:
      image_bytes: string, the file.
      strength: float32 from 0 to 1.
      long_side: int32, longer side of the cartoon in pixels; 0: the model's own, or the picture's if that is smaller.
      keep_colors: bool, whether to keep the photo's colours, as `cartoonize --keep_colors`.
      format: string, one of ANSWER_FORMATS.
    """

    image_bytes: tf.Tensor
    strength: tf.Tensor
    long_side: tf.Tensor
    keep_colors: tf.Tensor
    format: tf.Tensor


class FileDrawer:
    """A generator that draws picture files within limits.

    Args:
      cartoonize: the generator as a function from uint8 RGB [N, H, W, 3] of any size to the same.
      max_pixels: number of pixels to cartoonize at once, at most.
      drawing_size: longer side, in pixels, at which larger files are drawn; 0: each file's own, as far as `max_pixels`
        goes.
    """

    def __init__(self, cartoonize: Callable, max_pixels: int, drawing_size: int = 0):
        self._cartoonize = cartoonize
        self._max_pixels = max_pixels
        self._drawing_size = drawing_size

    def draw_all(self, image_bytes, strength, long_side, keep_colors, format, is_strict):
        """Draw several files; see `Order` for what is one value for each, [N].

        Args:
          is_strict: bool scalar, whether a file that cannot be drawn fails the graph with INVALID_ARGUMENT.

        Returns:
          the cartoons and the statuses, string [N], as from `draw`.
        """

        def draw(order):
            cartoon, status = self.draw(Order(*order))
            return cartoon, require_none(tf.where(is_strict, status, ""), status)

        # One picture after the other: each uses all processors, and their memory must not add up.
        return tf.map_fn(
            draw,
            (image_bytes, strength, long_side, keep_colors, format),
            parallel_iterations=1,
            fn_output_signature=(tf.string, tf.string),
        )

    def draw(self, order: Order) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the cartoon's file and "", or "" and the reason why there is no cartoon.

        Pictures that are too large are found by their header, before they are decoded.
        """
        header = picture_headers.read_header(order.image_bytes)
        own_size = tf.where(self._drawing_size > 0, self._drawing_size, tf.int32.max)
        own_size = tf.minimum(tf.cast(own_size, tf.int64), self._fitting_long_side(header.height, header.width))
        long_side = tf.where(order.long_side == 0, own_size, tf.cast(order.long_side, tf.int64))
        height, width = encoded_pictures.shrunk_size(header.height, header.width, long_side)
        ratio = encoded_pictures.decoding_ratio(header, DECODED_FACTOR * self._max_pixels)
        problem = first(header.problem, _order_problem(order), self._size_problem(header, ratio, height, width))
        no_pixels = tf.zeros([0, 0, 4], tf.uint8)
        decoded, problem = tf.cond(
            problem == "", lambda: encoded_pictures.decode(header, ratio), lambda: (no_pixels, problem)
        )
        cartoon = tf.cond(problem == "", lambda: self._draw_pixels(order, decoded, height, width), lambda: "")
        return cartoon, problem

    def _draw_pixels(self, order: Order, decoded, height, width):
        photo = encoded_pictures.shrink(decoded, height, width)
        rgb = photo[..., :3]
        cartoon = self._cartoonize(rgb[tf.newaxis])[0]
        cartoon = tf.cond(order.keep_colors, lambda: styling.keep_colors(rgb, cartoon), lambda: cartoon)
        cartoon = styling.blend(rgb, cartoon, order.strength)
        return encoded_pictures.encode(tf.concat([cartoon, photo[..., 3:]], -1), order.format)

    def _fitting_long_side(self, height, width):
        """Return the longer side, int64, to which a picture must be shrunk to have at most `max_pixels` with padding.

        It is a few pixels less than possible where padding is not known beforehand.
        """
        sides = tf.cast(tf.stack([height, width]), tf.float64)
        area = tf.reduce_prod(sides)
        half = (SIZE_MULTIPLE / 2) * tf.reduce_sum(sides)
        # With both sides times `scale`, plus SIZE_MULTIPLE for rounding and padding, the area is `max_pixels`.
        scale = (tf.sqrt(half**2 + area * (self._max_pixels - SIZE_MULTIPLE**2)) - half) / area
        longest = tf.minimum(scale * tf.reduce_max(sides), self._max_pixels / MINIMUM_SIZE_PX - SIZE_MULTIPLE)
        fits = num_padded_pixels(height, width) <= self._max_pixels
        return tf.where(fits, tf.maximum(height, width), tf.cast(longest, tf.int64))

    def _size_problem(self, header: Header, ratio, height, width):
        picture = ("a picture of ", header.width, " x ", header.height, " pixels has more than ")
        most = DECODED_FACTOR * self._max_pixels
        advice = "the limit with padding: give a shorter long_side, or 0 for the model's own"
        return first(
            unless(ratio > 0, *picture, f"{most}, the limit with any long_side: send a smaller one"),
            unless(num_padded_pixels(height, width) <= self._max_pixels, *picture, f"{self._max_pixels}, {advice}"),
        )


def num_padded_pixels(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Return the number of pixels of a picture after padding."""
    return pixels.padded_side(height) * pixels.padded_side(width)


def _order_problem(order: Order):
    is_strength = (order.strength >= 0) & (order.strength <= 1)
    is_format = tf.reduce_any(order.format == tf.constant(ANSWER_FORMATS))
    return first(
        unless(is_strength, "strength ", order.strength, " is not from 0 to 1"),
        unless(order.long_side >= 0, "long_side ", order.long_side, " is negative; 0 is the style's own"),
        unless(is_format, f"this format is unknown: the formats are {' and '.join(ANSWER_FORMATS)}"),
    )
