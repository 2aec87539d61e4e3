"""The patch discriminator D of section 3.1 and Figure 2: does each patch look like a cartoon with clear edges?"""

import keras
from keras import layers

from cartoongan_tf.models.layers import InstanceNormalization, conv

LRELU_SLOPE = 0.2  # section 3.1


def build_discriminator(width: int = 32) -> keras.Model:
    """Build a discriminator with fresh weights.

    Args:
      width: filters of the first convolution; the others have up to 8 times as many. 32 is the paper's.

    Returns:
      float32 RGB [N, H, W, 3] in [-1, 1] -> logits float32 [N, H / 4, W / 4, 1], each judging a patch of 37 px.
      1.13 million parameters with the paper's width.
    """
    picture = keras.Input((None, None, 3), name="picture")
    x = _lrelu(conv(picture, width, 3, "flat_conv"), "flat")
    x = _strided_block(x, 2 * width, 4 * width, "strided1")
    x = _strided_block(x, 4 * width, 8 * width, "strided2")
    x = _norm_lrelu(conv(x, 8 * width, 3, "feature_conv"), "feature")
    return keras.Model(picture, conv(x, 1, 3, "logits"), name="discriminator")


def _strided_block(x, strided_filters: int, filters: int, name: str):
    x = _lrelu(conv(x, strided_filters, 3, f"{name}_conv1", strides=2), f"{name}_conv1")
    return _norm_lrelu(conv(x, filters, 3, f"{name}_conv2"), name)


def _norm_lrelu(x, name: str):
    return _lrelu(InstanceNormalization(name=f"{name}_norm")(x), name)


def _lrelu(x, name: str):
    return layers.LeakyReLU(negative_slope=LRELU_SLOPE, name=f"{name}_lrelu")(x)
