"""Strength and colours of a cartoon inside a graph, as `cartoongan_tf.inference.blending` computes them."""

import numpy as np
import tensorflow as tf

# From linear sRGB to CIE XYZ, divided by the white D65: of a grey, all three are equal.
_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
) / np.array([[0.950456], [1.0], [1.088754]])
# CIELAB is linear in dark colours: below this share of white, with this slope and offset.
_DARK = 0.008856
_SLOPE = 7.787
_OFFSET = 16 / 116


def keep_colors(photo: tf.Tensor, cartoon: tf.Tensor) -> tf.Tensor:
    """Combine the cartoon's lightness with the photo's colours: L of the one, a and b of the other in CIELAB.

    Args:
      photo, cartoon: uint8 RGB [H, W, 3] of one size.

    Returns:
      uint8 RGB [H, W, 3], within two levels of what `blending.keep_colors` returns, and mostly equal.
    """
    roots = _roots(photo)
    lightness = _roots(cartoon)[..., 1:2]  # L depends on Y alone, a on X - Y and b on Y - Z
    roots += lightness - roots[..., 1:2]
    xyz = tf.where(roots > _SLOPE * _DARK + _OFFSET, roots**3, (roots - _OFFSET) / _SLOPE)
    linear = tf.clip_by_value(_transformed(xyz, np.linalg.inv(_TO_XYZ)), 0.0, 1.0)
    encoded = tf.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return tf.cast(tf.round(encoded * 255.0), tf.uint8)


def blend(photo: tf.Tensor, cartoon: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Blend uint8 pictures [H, W, 3]: strength 1 gives the cartoon, 0 the photo."""
    mixed = strength * tf.cast(cartoon, tf.float32) + (1.0 - strength) * tf.cast(photo, tf.float32)
    return tf.cast(tf.round(mixed), tf.uint8)


def _roots(rgb):
    """Return the cube roots of X, Y and Z that CIELAB is made of, float32 [H, W, 3]."""
    values = tf.cast(rgb, tf.float32) / 255.0
    linear = tf.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    xyz = _transformed(linear, _TO_XYZ)
    return tf.where(xyz > _DARK, xyz ** (1 / 3), _SLOPE * xyz + _OFFSET)


def _transformed(colors, matrix):
    shape = tf.shape(colors)
    flat = tf.matmul(tf.reshape(colors, [-1, 3]), tf.constant(matrix.T, tf.float32))
    return tf.reshape(flat, shape)
