"""Designs of a light generator, which `benchmarks.light_generators` compares.

All work on a trunk at a quarter of the resolution and add their drawing to the photo; they differ in one respect at a
time. Importing this module adds them to `generator.ARCHITECTURES`.
"""

import functools
from collections.abc import Callable

from keras import layers

from cartoongan_tf.models.generator import ARCHITECTURES, Architecture
from cartoongan_tf.models.layers import (
    InstanceNormalization,
    PictureRange,
    added_to_photo,
    conv,
    conv_relu,
    doubled,
    doubling_conv,
    merge,
    plain_block,
)

_HE = "he_normal"
_DILATIONS = (1, 2, 4, 8)


def _inverted_block(x, filters: int, name: str):
    """Apply a depthwise convolution to twice the filters (Sandler et al. 2018), without norms."""
    residual = conv_relu(x, 2 * filters, 1, f"{name}_conv1")
    residual = layers.DepthwiseConv2D(3, padding="same", activation="relu", name=f"{name}_depthwise")(residual)
    residual = conv(residual, filters, 1, f"{name}_conv2", kernel_initializer="zeros")
    return layers.Add(name=f"{name}_sum")([x, residual])


def _dilated_block(x, filters: int, name: str):
    """Apply a plain block whose first convolution sees further, by turns (Chen, Xu and Koltun 2017)."""
    dilation = _DILATIONS[int(name.removeprefix("residual")) % len(_DILATIONS)]
    dilated = layers.Conv2D(filters, 3, padding="same", dilation_rate=dilation, kernel_initializer=_HE)
    residual = layers.ReLU(name=f"{name}_relu")(dilated(x))
    residual = conv(residual, filters, 3, f"{name}_conv2", kernel_initializer="zeros")
    return layers.Add(name=f"{name}_sum")([x, residual])


def _normalized_block(x, filters: int, name: str):
    """Apply a plain block with the paper's two norms: statistics of the picture, at a quarter of the resolution."""
    residual = InstanceNormalization(name=f"{name}_norm1")(conv(x, filters, 3, f"{name}_conv1", kernel_initializer=_HE))
    residual = conv(layers.ReLU(name=f"{name}_relu")(residual), filters, 3, f"{name}_conv2", kernel_initializer=_HE)
    return layers.Add(name=f"{name}_sum")([x, InstanceNormalization(name=f"{name}_norm2")(residual)])


def _trunk(x, filters: int, num_blocks: int, block: Callable):
    for index in range(1, num_blocks + 1):
        x = block(x, filters, f"residual{index}")
    return x


def _light(photo, width: int, num_blocks: int, block: Callable = plain_block, at_full_resolution: bool = True):
    """Add the light generator's layers, with other blocks; or with no layers at full resolution but the last one."""
    half = conv_relu(conv_relu(photo, width, 5, "down1_conv1", strides=2), width, 3, "down1_conv2")
    x = _trunk(conv_relu(half, 2 * width, 3, "down2_conv", strides=2), 2 * width, num_blocks, block)
    x = conv_relu(merge(doubled(x, width, "up1"), half, width, "merge1"), width, 3, "merge1_conv2")
    if not at_full_resolution:
        return _added_by_squares(x, photo)
    x = merge(doubled(x, width // 4, "up2"), photo, 3 * width // 8, "merge2")
    return added_to_photo(x, photo, "output_conv")


def _added_by_squares(x, photo):
    """Make 2x2 pixels from each of x by one convolution (Shi et al. 2016), and add them to the photo."""
    x = doubling_conv(x, 3, "output_conv", "zeros")
    return layers.Add(name="with_photo", dtype="float32")([x, photo])


def _unet(photo, width: int, num_blocks: int, block: Callable = plain_block):
    """Keep wide features of the full and of half the resolution beside the trunk (Ronneberger et al. 2015)."""
    full = conv_relu(conv_relu(photo, width, 5, "flat_conv1"), width, 3, "flat_conv2")
    half = conv_relu(conv_relu(full, 2 * width, 3, "down1_conv1", strides=2), 2 * width, 3, "down1_conv2")
    x = _trunk(conv_relu(half, 4 * width, 3, "down2_conv", strides=2), 4 * width, num_blocks, block)
    x = merge(doubled(x, 2 * width, "up1"), half, 2 * width, "merge1")
    x = merge(doubled(x, width, "up2"), full, width, "merge2")
    return added_to_photo(x, photo, "output_conv")


def _candidate(design: Callable, width: int, num_blocks: int, **variant) -> Architecture:
    return Architecture(functools.partial(design, **variant), PictureRange, width, num_blocks)


CANDIDATES = {
    "narrow": ARCHITECTURES["narrow"],
    "U-Net": _candidate(_unet, 16, 6),
    "U-Net, dilated": _candidate(_unet, 16, 6, block=_dilated_block),
    "light, norms": _candidate(_light, 32, 6, block=_normalized_block),
    "light, depthwise": _candidate(_light, 32, 8, block=_inverted_block),
    "light, dilated": _candidate(_light, 32, 6, block=_dilated_block),
    "light, pixel shuffle": _candidate(_light, 32, 8, at_full_resolution=False),
    "light": ARCHITECTURES["light"],
}
ARCHITECTURES.update(CANDIDATES)
