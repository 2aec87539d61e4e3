"""Conversions between the pixels of files and of models: uint8 RGB <-> float32 RGB in [-1, 1], and sizes that fit.

All arrays are NHWC. The functions work on any Keras backend, eagerly and inside its compiled functions.
"""

from keras import ops

from cartoongan_tf.models.picture_sizes import MINIMUM_SIZE_PX, SIZE_MULTIPLE


def to_float(image):
    """Convert uint8 in 0..255 to float32 in [-1, 1], the range of every model here."""
    return ops.cast(image, "float32") / 127.5 - 1.0


def to_uint8(image):
    """Convert float in [-1, 1] to uint8 in 0..255, rounded to the nearest level; values outside are clipped."""
    return ops.cast(ops.round(ops.clip((image + 1.0) * 127.5, 0.0, 255.0)), "uint8")


def pad_to_fit(image):
    """Pad below and to the right, by repeated reflection, to the next size that the generator takes.

    Args:
      image: any dtype [N, H, W, C], H and W from 1 up.

    Returns:
      [N, H', W', C], H' and W' the next multiples of 4 from 8 up, with the picture itself in the upper left corner.
    """
    _, height, width, _ = ops.shape(image)
    image = ops.take(image, _reflected_indices(height), axis=1)
    return ops.take(image, _reflected_indices(width), axis=2)


def padded_side(size):
    """Return the number of pixels that a side of `size` pixels is padded to."""
    return ops.maximum(-(-size // SIZE_MULTIPLE) * SIZE_MULTIPLE, MINIMUM_SIZE_PX)


def _reflected_indices(size):
    """Return the indices 0, 1 .. size-1, size-2 .. 1, 0, 1 .. of a padded side of `size` pixels."""
    period = ops.maximum(2 * size - 2, 1)
    position = ops.arange(padded_side(size)) % period
    return ops.minimum(position, period - position)


def cartoonize(generator, image):
    """Run a generator on complete pictures of any size.

    Args:
      generator: function from float32 [N, H, W, 3] in [-1, 1] to the same.
      image: uint8 RGB [N, H, W, 3], H and W from 1 up.

    Returns:
      uint8 RGB [N, H, W, 3] of the same size.
    """
    _, height, width, _ = ops.shape(image)
    generated = generator(to_float(pad_to_fit(image)))
    return to_uint8(generated)[:, :height, :width]
