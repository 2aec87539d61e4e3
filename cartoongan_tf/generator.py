"""The generator network G of section 3.1 and Figure 2: photo in, cartoon out."""

import keras
from keras import layers

from cartoongan_tf.layers import conv, norm_relu, residual_block, upsampling_conv


def build_generator(kind: str = "paper", width: int = 64, num_blocks: int = 8) -> keras.Model:
    """Build a generator with fresh weights.

    Args:
      kind: "paper", the network of the paper as its authors released it.
      width: filters of the first convolution; the others have 2 and 4 times as many. 64 is the paper's.
      num_blocks: residual blocks at a quarter of the resolution. 8 is the paper's.

    Returns:
      float32 RGB [N, H, W, 3] in [-1, 1] -> the same; H and W any multiples of 4 from 8 up. 11,129,667 parameters
      with the paper's width and blocks.

    Raises:
      ValueError: there is no such kind.
    """
    if kind != "paper":
        raise ValueError(f"no generator {kind!r}; there is: 'paper'")
    photo = keras.Input((None, None, 3), name="photo")
    x = norm_relu(conv(photo, width, 7, "flat_conv", padding="reflect"), "flat_norm")
    x = _down_block(x, 2 * width, "down1")
    x = _down_block(x, 4 * width, "down2")
    for index in range(1, num_blocks + 1):
        x = residual_block(x, 4 * width, f"residual{index}")
    x = _up_block(x, 2 * width, "up1")
    x = _up_block(x, width, "up2")
    x = conv(x, 3, 7, "output_conv", padding="reflect")
    cartoon = layers.Activation("tanh", name="cartoon", dtype="float32")(x)  # float32 in mixed precision, too
    return keras.Model(photo, cartoon, name="generator")


def _down_block(x, filters: int, name: str):
    """Half the resolution: two convolutions share one normalisation."""
    x = conv(x, filters, 3, f"{name}_conv1", strides=2)
    return norm_relu(conv(x, filters, 3, f"{name}_conv2"), f"{name}_norm")


def _up_block(x, filters: int, name: str):
    """Twice the resolution, otherwise as `_down_block`."""
    x = upsampling_conv(x, filters, f"{name}_conv1")
    return norm_relu(conv(x, filters, 3, f"{name}_conv2"), f"{name}_norm")
