"""The generator networks: the paper's G (section 3.1 and Figure 2), and a lighter one.

Input and output are RGB pictures [N, H, W, 3] in [-1, 1], with H and W multiples of 4 from 8 up. The networks are fully
convolutional, so one generator takes pictures of any such size. Output is always float32.

"paper", with k convolution kernel, n filters, s stride, as in Figure 2:

    flat convolution    k7 n64 s1, instance norm, ReLU
    down-convolution    k3 n128 s2, k3 n128 s1, instance norm, ReLU
    down-convolution    k3 n256 s2, k3 n256 s1, instance norm, ReLU
    8 residual blocks   k3 n256 s1, instance norm, ReLU, k3 n256 s1, instance norm, plus the block's input
    up-convolution      k3 n128 s1/2, k3 n128 s1, instance norm, ReLU
    up-convolution      k3 n64 s1/2, k3 n64 s1, instance norm, ReLU
    output              k7 n3 s1, tanh

The first and the last convolution and the residual blocks pad by reflection, the others by zeros.

"light" has a twentieth of the paper's cost. Most of its work is at half and at a quarter of the resolution; at full
resolution a few filters see the photo again, and remove its texture. Its drawing is added to the photo. It has no norm,
so a pixel depends on its surroundings alone: crops, bands, films and complete pictures are drawn alike. The fresh
network returns the photo. docs/light_generator.md compares it with other candidates.

    down-convolution    k5 n32 s2, ReLU, k3 n32 s1, ReLU
    down-convolution    k3 n64 s2, ReLU
    6 residual blocks   k3 n64 s1, ReLU, k3 n64 s1, plus the block's input
    up-convolution      pixels doubled, k3 n32 s1, ReLU
    merge               beside the first down-convolution: k3 n32 s1, ReLU, k3 n32 s1, ReLU
    up-convolution      pixels doubled, k3 n8 s1, ReLU
    merge               beside the photo: k3 n12 s1, ReLU
    output              k3 n3 s1, plus the photo, clipped to [-1, 1]

"narrow" was the light generator of earlier versions: the paper's trunk with 16 filters in place of 64, pixels doubled
instead of transposed convolutions, and a last convolution that sees the photo beside the features. The fresh network
computes tanh(photo).

References:
  Chen, Lai and Liu, "CartoonGAN: Generative Adversarial Networks for Photo Cartoonization", CVPR 2018.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import keras

from cartoongan_tf.models.architectures import GENERATOR_SIZES
from cartoongan_tf.models.layers import (
    PictureRange,
    added_to_photo,
    conv,
    conv_beside_photo,
    conv_relu,
    doubled,
    doubling_conv,
    merge,
    norm_relu,
    plain_block,
    residual_block,
    upsampling_conv,
)


class Architecture(NamedTuple):
    """An architecture of a generator.

    Attributes:
      layers: function of (photo, width, number of blocks) that returns the input of the last layer, both
        [N, H, W, 3].
      last_layer: function of name and dtype that returns the last layer, whose output is in [-1, 1].
      width: number of filters of its first convolution.
      num_blocks: number of its residual blocks.
    """

    layers: Callable[[Any, int, int], Any]
    last_layer: Callable[..., keras.layers.Layer]
    width: int
    num_blocks: int


def build_generator(kind: str = "paper", width: int = 0, num_blocks: int = 0) -> keras.Model:
    """Build a generator with fresh weights.

    Args:
      kind: "paper", the network of the paper as its authors released it; "light", for phones, films and small machines;
        or "narrow", the light generator of earlier versions.
      width: number of filters of the first convolution; the others have 2 and, but for "light", 4 times as many. 0: the
        architecture's own.
      num_blocks: number of residual blocks, at a quarter of the resolution. 0: the architecture's own.

    Returns:
      a model from float32 RGB [N, H, W, 3] in [-1, 1] to the same. With their default sizes, "paper" has 11,129,667
      parameters, "light" 523,327 and "narrow" 690,780.

    Raises:
      ValueError: there is no such kind.
    """
    if kind not in ARCHITECTURES:
        raise ValueError(f"no generator {kind!r}; there are {', '.join(ARCHITECTURES)}")
    architecture = ARCHITECTURES[kind]
    photo = keras.Input((None, None, 3), name="photo")
    x = architecture.layers(photo, width or architecture.width, num_blocks or architecture.num_blocks)
    cartoon = architecture.last_layer(name="cartoon", dtype="float32")(x)  # float32 in mixed precision, too
    return keras.Model(photo, cartoon, name="generator")


def _paper(photo, width: int, num_blocks: int):
    x = _trunk(photo, width, num_blocks)
    x = _up_block(x, 2 * width, "up1")
    x = _up_block(x, width, "up2")
    return conv(x, 3, 7, "output_conv", padding="reflect")


def _trunk(photo, width: int, num_blocks: int):
    """Add the layers up to the last residual block, which is at a quarter of the photo's resolution."""
    x = norm_relu(conv(photo, width, 7, "flat_conv", padding="reflect"), "flat_norm")
    x = _down_block(x, 2 * width, "down1")
    x = _down_block(x, 4 * width, "down2")
    for index in range(1, num_blocks + 1):
        x = residual_block(x, 4 * width, f"residual{index}")
    return x


def _down_block(x, filters: int, name: str):
    """Halve the resolution by two convolutions that share one normalisation."""
    x = conv(x, filters, 3, f"{name}_conv1", strides=2)
    return norm_relu(conv(x, filters, 3, f"{name}_conv2"), f"{name}_norm")


def _up_block(x, filters: int, name: str):
    """Double the resolution by two convolutions that share one normalisation."""
    x = upsampling_conv(x, filters, f"{name}_conv1")
    return norm_relu(conv(x, filters, 3, f"{name}_conv2"), f"{name}_norm")


def light(photo, width: int, num_blocks: int, block: Callable = plain_block):
    """Add the layers of "light"; `block` is what its trunk is made of."""
    x = light_at_half_resolution(photo, width, num_blocks, block)
    x = merge(doubled(x, width // 4, "up2"), photo, 3 * width // 8, "merge2")
    return added_to_photo(x, photo, "output_conv")


def light_at_half_resolution(photo, width: int, num_blocks: int, block: Callable = plain_block):
    """Add the layers of "light" up to the last one at half of the resolution, [N, H / 2, W / 2, width]."""
    half = conv_relu(photo, width, 5, "down1_conv1", strides=2)
    half = conv_relu(half, width, 3, "down1_conv2")
    x = conv_relu(half, 2 * width, 3, "down2_conv", strides=2)
    for index in range(1, num_blocks + 1):
        x = block(x, 2 * width, f"residual{index}")
    x = merge(doubled(x, width, "up1"), half, width, "merge1")
    return conv_relu(x, width, 3, "merge1_conv2")


def _narrow(photo, width: int, num_blocks: int):
    x = _trunk(photo, width, num_blocks)
    x = norm_relu(doubling_conv(x, 2 * width, "up1_conv1"), "up1_norm")
    x = norm_relu(doubling_conv(x, width, "up2_conv1"), "up2_norm")
    return conv_beside_photo(x, photo, "output_conv")


_tanh = functools.partial(keras.layers.Activation, "tanh")
_LAYERS: dict[str, tuple[Callable, Callable]] = {
    "paper": (_paper, _tanh),
    "light": (light, PictureRange),
    "narrow": (_narrow, _tanh),
}
ARCHITECTURES = {kind: Architecture(*_LAYERS[kind], *sizes) for kind, sizes in GENERATOR_SIZES.items()}
