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

"light" has the same trunk with 16 filters in place of 64, and two differences: up-convolutions double pixels instead of
transposing a convolution, and the last convolution sees the photo itself beside the features. It begins by passing the
photo on, so the fresh network computes tanh(photo), and keeps colours and sharpness. docs/light_generator.md compares
it with other candidates.

    down-convolution, residual blocks   as above
    up-convolution      pixels doubled, k3 n32 s1, instance norm, ReLU
    up-convolution      pixels doubled, k3 n16 s1, instance norm, ReLU
    output              of features and photo: k7 n3 s1, tanh

References:
  Chen, Lai and Liu, "CartoonGAN: Generative Adversarial Networks for Photo Cartoonization", CVPR 2018.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras

from cartoongan_tf.models.architectures import GENERATOR_SIZES
from cartoongan_tf.models.layers import (
    conv,
    conv_beside_photo,
    doubling_conv,
    norm_relu,
    residual_block,
    upsampling_conv,
)


class Architecture(NamedTuple):
    """An architecture of a generator.

    Attributes:
      layers: function of (photo, width, number of blocks) that returns the input of the last activation, both
        [N, H, W, 3].
      width: number of filters of its first convolution.
      num_blocks: number of its residual blocks.
    """

    layers: Callable[[Any, int, int], Any]
    width: int
    num_blocks: int


def build_generator(kind: str = "paper", width: int = 0, num_blocks: int = 0) -> keras.Model:
    """Build a generator with fresh weights.

    Args:
      kind: "paper", the network of the paper as its authors released it; or "light", which has a tenth of its cost.
      width: number of filters of the first convolution; the others have 2 and 4 times as many. 0: 64 for "paper", 16
        for "light".
      num_blocks: number of residual blocks, at a quarter of the resolution. 0: 8.

    Returns:
      a model from float32 RGB [N, H, W, 3] in [-1, 1] to the same. With their default sizes, "paper" has 11,129,667
      parameters and "light" 690,780.

    Raises:
      ValueError: there is no such kind.
    """
    if kind not in ARCHITECTURES:
        raise ValueError(f"no generator {kind!r}; there are {', '.join(ARCHITECTURES)}")
    architecture = ARCHITECTURES[kind]
    photo = keras.Input((None, None, 3), name="photo")
    x = architecture.layers(photo, width or architecture.width, num_blocks or architecture.num_blocks)
    cartoon = keras.layers.Activation("tanh", name="cartoon", dtype="float32")(x)  # float32 in mixed precision, too
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


def _light(photo, width: int, num_blocks: int):
    x = _trunk(photo, width, num_blocks)
    x = norm_relu(doubling_conv(x, 2 * width, "up1_conv1"), "up1_norm")
    x = norm_relu(doubling_conv(x, width, "up2_conv1"), "up2_norm")
    return conv_beside_photo(x, photo, "output_conv")


_LAYERS = {"paper": _paper, "light": _light}
ARCHITECTURES = {kind: Architecture(_LAYERS[kind], *sizes) for kind, sizes in GENERATOR_SIZES.items()}
