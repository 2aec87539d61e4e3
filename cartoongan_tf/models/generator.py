"""The generator network G of section 3.1 and Figure 2, and lighter ones: photo in, cartoon out."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import layers

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
    """A way to build a generator.

    Attributes:
      layers: from the photo, a width and a number of blocks, to what the last activation takes: [N, H, W, 3] each.
      width, num_blocks: its own ones; of those that --generator names, `config` has them.
    """

    layers: Callable[[Any, int, int], Any]
    width: int
    num_blocks: int


def build_generator(kind: str = "paper", width: int = 0, num_blocks: int = 0) -> keras.Model:
    """Build a generator with fresh weights.

    Args:
      kind: "paper", the network of the paper as its authors released it; or "light", one of a tenth of its cost.
      width: filters of the first convolution; the others have 2 and 4 times as many. 0: 64 in the paper, 16 in light.
      num_blocks: residual blocks at a quarter of the resolution. 0: 8.

    Returns:
      float32 RGB [N, H, W, 3] in [-1, 1] -> the same; H and W any multiples of 4 from 8 up. With their own widths and
      blocks, "paper" has 11,129,667 parameters and "light" 690,780.

    Raises:
      ValueError: there is no such kind.
    """
    if kind not in ARCHITECTURES:
        raise ValueError(f"no generator {kind!r}; there are {', '.join(ARCHITECTURES)}")
    architecture = ARCHITECTURES[kind]
    photo = keras.Input((None, None, 3), name="photo")
    x = architecture.layers(photo, width or architecture.width, num_blocks or architecture.num_blocks)
    cartoon = layers.Activation("tanh", name="cartoon", dtype="float32")(x)  # float32 in mixed precision, too
    return keras.Model(photo, cartoon, name="generator")


def _paper(photo, width: int, num_blocks: int):
    x = _trunk(photo, width, num_blocks)
    x = _up_block(x, 2 * width, "up1")
    x = _up_block(x, width, "up2")
    return conv(x, 3, 7, "output_conv", padding="reflect")


def _trunk(photo, width: int, num_blocks: int):
    """The photo at a quarter of its resolution, after the residual blocks."""
    x = norm_relu(conv(photo, width, 7, "flat_conv", padding="reflect"), "flat_norm")
    x = _down_block(x, 2 * width, "down1")
    x = _down_block(x, 4 * width, "down2")
    for index in range(1, num_blocks + 1):
        x = residual_block(x, 4 * width, f"residual{index}")
    return x


def _down_block(x, filters: int, name: str):
    """Half the resolution: two convolutions share one normalisation."""
    x = conv(x, filters, 3, f"{name}_conv1", strides=2)
    return norm_relu(conv(x, filters, 3, f"{name}_conv2"), f"{name}_norm")


def _up_block(x, filters: int, name: str):
    """Twice the resolution, otherwise as `_down_block`."""
    x = upsampling_conv(x, filters, f"{name}_conv1")
    return norm_relu(conv(x, filters, 3, f"{name}_conv2"), f"{name}_norm")


def _light(photo, width: int, num_blocks: int):
    """The paper's shape, narrower, with two differences: docs/light_generator.md tells what else was tried.

    Pixels are doubled instead of transposed convolutions, and the last convolution sees the photo itself beside the
    features, and begins by passing it on: so the network starts as tanh(photo), and keeps its colours and sharpness.
    """
    x = _trunk(photo, width, num_blocks)
    x = norm_relu(doubling_conv(x, 2 * width, "up1_conv1"), "up1_norm")
    x = norm_relu(doubling_conv(x, width, "up2_conv1"), "up2_norm")
    return conv_beside_photo(x, photo, "output_conv")


_LAYERS = {"paper": _paper, "light": _light}
ARCHITECTURES = {kind: Architecture(_LAYERS[kind], *sizes) for kind, sizes in GENERATOR_SIZES.items()}
