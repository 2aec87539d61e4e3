"""The patch discriminator D (section 3.1 and Figure 2), which judges whether patches are cartoons with clear edges.

Input is RGB [N, H, W, 3] in [-1, 1] of any size. Output is one logit for each patch of 37 px, [N, H / 4, W / 4, 1].
Layers, with k convolution kernel, n filters, s stride:

    flat convolution      k3 n32 s1, LReLU
    strided convolution   k3 n64 s2, LReLU, k3 n128 s1, instance norm, LReLU
    strided convolution   k3 n128 s2, LReLU, k3 n256 s1, instance norm, LReLU
    feature convolution   k3 n256 s1, instance norm, LReLU
    output                k3 n1 s1
"""

import keras

from cartoongan_tf.models.layers import InstanceNormalization, conv

LRELU_SLOPE = 0.2  # section 3.1


def build_discriminator(width: int = 32) -> keras.Model:
    """Build a discriminator with fresh weights.

    Args:
      width: number of filters of the first convolution; the others have up to 8 times as many. 32 is the paper's.

    Returns:
      a model from float32 RGB [N, H, W, 3] in [-1, 1] to logits, float32 [N, H / 4, W / 4, 1]. With the paper's width
      it has 1.13 million parameters.
    """
    picture = keras.Input((None, None, 3), name="picture")
    x = lrelu(conv(picture, width, 3, "flat_conv"), "flat")
    x = _strided_block(x, 2 * width, 4 * width, "strided1")
    x = _strided_block(x, 4 * width, 8 * width, "strided2")
    x = _norm_lrelu(conv(x, 8 * width, 3, "feature_conv"), "feature")
    return keras.Model(picture, conv(x, 1, 3, "logits"), name="discriminator")


def _strided_block(x, strided_filters: int, filters: int, name: str):
    x = lrelu(conv(x, strided_filters, 3, f"{name}_conv1", strides=2), f"{name}_conv1")
    return _norm_lrelu(conv(x, filters, 3, f"{name}_conv2"), name)


def _norm_lrelu(x, name: str):
    return lrelu(InstanceNormalization(name=f"{name}_norm")(x), name)


def lrelu(x, name: str):
    """Add the discriminators' leaky ReLU."""
    return keras.layers.LeakyReLU(negative_slope=LRELU_SLOPE, name=f"{name}_lrelu")(x)
