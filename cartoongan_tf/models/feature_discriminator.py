"""A discriminator that judges features of the frozen VGG19, and so knows cartoons after a few steps; not in the paper.

After Projected GANs (Sauer et al. 2021). Each head judges feature maps of one depth. It mixes their channels, halves
them until they have an eighth of the picture's side, and returns a logit for each place. So all heads have the same
weight in a mean over logits, and each has its own view:

    tap of VGG19     pixels that a logit sees
    block1_conv2     26: the sharpness of lines
    block2_conv2     32
    block3_conv4     60
    block4_conv3     116: the composition

There is no instance norm: with it the heads are as slow as the patch discriminator.
"""

from collections.abc import Sequence

import keras

from cartoongan_tf.models.discriminator import lrelu
from cartoongan_tf.models.layers import conv

_FEATURE_SCALE = 0.01  # VGG19's features have root mean squares of 60 to 900
_INITIALIZER = "he_normal"


def build_feature_discriminator(tap_channels: Sequence[int], width: int = 32, mixing: str = "learned") -> keras.Model:
    """Build the heads with fresh weights.

    Args:
      tap_channels: number of channels of each tap, whose sides are 1, 1/2, 1/4 .. of the picture's, rounded down.
      width: number of channels that the first tap is mixed to; each halving doubles it.
      mixing: "learned", or "random": the weights that mix channels stay as they were drawn.

    Returns:
      a model from the taps, a list of float [N, h, w, channels], to logits: one of each head for each place of the last
      tap, [N, h, w, number of taps].
    """
    taps = []
    logits = []
    for depth, channels in enumerate(tap_channels):
        taps.append(keras.Input((None, None, channels), name=f"tap{depth + 1}"))
        logits.append(_head(taps[-1], width, depth, len(tap_channels) - 1, mixing, f"head{depth + 1}"))
    return keras.Model(taps, keras.layers.Concatenate(name="logits")(logits), name="discriminator")


def _head(tap, width: int, depth: int, last_depth: int, mixing: str, name: str):
    """Add the head of a tap that has been halved `depth` times; it halves it to `last_depth` times."""
    x = keras.layers.Rescaling(_FEATURE_SCALE, name=f"{name}_scale")(tap)
    x = keras.layers.Conv2D(
        width * 2**depth,
        1,
        use_bias=False,
        kernel_initializer=_INITIALIZER,
        trainable=mixing == "learned",
        name=f"{name}_mix",
    )(x)
    for halved in range(depth + 1, last_depth + 1):
        x = _halve(x, width * 2**halved, f"{name}_halve{halved}")
    if depth == last_depth:
        x = lrelu(conv(x, width * 2**depth, 3, f"{name}_conv", kernel_initializer=_INITIALIZER), f"{name}_conv")
    return conv(x, 1, 1, f"{name}_logits")


def _halve(x, filters: int, name: str):
    """Add a convolution to half the side, rounded down as VGG19 does; its 4x4 kernel weighs all pixels alike."""
    x = keras.layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    return lrelu(keras.layers.Conv2D(filters, 4, 2, kernel_initializer=_INITIALIZER, name=name)(x), name)
