"""Designs of a light generator, which `benchmarks.light_generators` compares.

All work on a trunk at a quarter of the resolution and add their drawing to the photo; they differ in one respect at a
time. Importing this module adds them to `generator.ARCHITECTURES`.
"""

import functools
from collections.abc import Callable

from keras import layers

from cartoongan_tf.models.generator import ARCHITECTURES, Architecture, light, light_at_half_resolution
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


def _pixel_shuffle(photo, width: int, num_blocks: int):
    """Make 2x2 pixels from each at half of the resolution by one convolution (Shi et al. 2016)."""
    x = light_at_half_resolution(photo, width, num_blocks)
    x = doubling_conv(x, 3, "output_conv", "zeros")
    return layers.Add(name="with_photo", dtype="float32")([x, photo])


def _unet(photo, width: int, num_blocks: int, block: Callable = plain_block):
    """Keep wide features of the full and of half the resolution beside the trunk (Ronneberger et al. 2015)."""
    full = conv_relu(conv_relu(photo, width, 5, "flat_conv1"), width, 3, "flat_conv2")
    half = conv_relu(conv_relu(full, 2 * width, 3, "down1_conv1", strides=2), 2 * width, 3, "down1_conv2")
    x = conv_relu(half, 4 * width, 3, "down2_conv", strides=2)
    for index in range(1, num_blocks + 1):
        x = block(x, 4 * width, f"residual{index}")
    x = merge(doubled(x, 2 * width, "up1"), half, 2 * width, "merge1")
    x = merge(doubled(x, width, "up2"), full, width, "merge2")
    return added_to_photo(x, photo, "output_conv")


def _candidate(design: Callable, width: int, num_blocks: int, **variant) -> Architecture:
    return Architecture(functools.partial(design, **variant), PictureRange, width, num_blocks)


CANDIDATES = {
    "narrow": ARCHITECTURES["narrow"],
    "U-Net": _candidate(_unet, 16, 6),
    "U-Net, dilated": _candidate(_unet, 16, 6, block=_dilated_block),
    "light, norms": _candidate(light, 32, 6, block=_normalized_block),
    "light, depthwise": _candidate(light, 32, 8, block=_inverted_block),
    "light, dilated": _candidate(light, 32, 6, block=_dilated_block),
    "light, pixel shuffle": _candidate(_pixel_shuffle, 32, 8),
    "light": ARCHITECTURES["light"],
}
ARCHITECTURES.update(CANDIDATES)
