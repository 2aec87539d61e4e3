"""Generators of a tenth of the paper's cost, which `benchmarks.light_generators` compares.

All halve the resolution twice and work on a trunk there, like the paper's; they differ in one respect at a time.
Importing this module adds them to `generator.ARCHITECTURES`.
"""

import functools
from typing import Any

from keras import layers

from cartoongan_tf.models.generator import ARCHITECTURES, Architecture
from cartoongan_tf.models.layers import (
    InstanceNormalization,
    conv,
    conv_beside_photo,
    doubling_conv,
    norm_relu,
    residual_block,
    upsampling_conv,
)

_WIDTH = 16
_CHEAP_FILTERS = 128  # in blocks cheaper than the paper's, which have 4 times the width
_HE = "he_normal"


def _separable_block(x, filters: int, name: str):
    """Apply the paper's block with each convolution in two: depthwise, then 1x1."""
    residual = layers.DepthwiseConv2D(3, padding="same", name=f"{name}_depthwise1")(x)
    residual = norm_relu(conv(residual, filters, 1, f"{name}_conv1", kernel_initializer=_HE), f"{name}_norm1")
    residual = layers.DepthwiseConv2D(3, padding="same", name=f"{name}_depthwise2")(residual)
    residual = conv(residual, filters, 1, f"{name}_conv2", kernel_initializer=_HE)
    return layers.Add(name=f"{name}_sum")([x, InstanceNormalization(name=f"{name}_norm2")(residual)])


def _inverted_block(x, filters: int, name: str):
    """Apply a depthwise convolution to twice the filters (Sandler et al. 2018); one norm, at the end."""
    residual = layers.ReLU(name=f"{name}_relu1")(conv(x, 2 * filters, 1, f"{name}_conv1", kernel_initializer=_HE))
    residual = layers.DepthwiseConv2D(3, padding="same", activation="relu", name=f"{name}_depthwise")(residual)
    residual = conv(residual, filters, 1, f"{name}_conv2", kernel_initializer=_HE)
    return layers.Add(name=f"{name}_sum")([x, InstanceNormalization(name=f"{name}_norm")(residual)])


def _transposed(x, filters: int, name: str):
    """Enlarge as the paper does."""
    x = upsampling_conv(x, filters, f"{name}_conv1")
    return norm_relu(conv(x, filters, 3, f"{name}_conv2"), f"{name}_norm")


def _doubled(x, filters: int, name: str):
    return norm_relu(doubling_conv(x, filters, f"{name}_conv1"), f"{name}_norm")


def _layers(
    photo, width: int, num_blocks: int, block=residual_block, filters: int = 0, up=_transposed, photo_beside=False
):
    filters = filters or 4 * width
    x = norm_relu(conv(photo, width, 7, "flat_conv", padding="reflect"), "flat_norm")
    for name, down_filters in {"down1": 2 * width, "down2": filters}.items():
        x = conv(x, down_filters, 3, f"{name}_conv1", strides=2)
        x = norm_relu(conv(x, down_filters, 3, f"{name}_conv2"), f"{name}_norm")
    for index in range(1, num_blocks + 1):
        x = block(x, filters, f"residual{index}")
    x = up(up(x, 2 * width, "up1"), width, "up2")
    if photo_beside:
        return conv_beside_photo(x, photo, "output_conv")
    return conv(x, 3, 7, "output_conv", padding="reflect")


_CHEAP: dict[str, Any] = {"filters": _CHEAP_FILTERS}
_BESIDE: dict[str, Any] = {"up": _doubled, "photo_beside": True}


def _candidate(num_blocks: int = 8, **variant) -> Architecture:
    return Architecture(functools.partial(_layers, **variant), _WIDTH, num_blocks)


CANDIDATES = {
    "narrow": _candidate(),
    "separable": _candidate(block=_separable_block, **_CHEAP),
    "inverted": _candidate(block=_inverted_block, **_CHEAP),
    "inverted, doubled": _candidate(block=_inverted_block, up=_doubled, **_CHEAP),
    "inverted, doubled, photo beside": _candidate(block=_inverted_block, **_BESIDE, **_CHEAP),
    "narrow, doubled, photo beside": ARCHITECTURES["light"],
    "narrow, doubled, photo beside, 4 blocks": _candidate(4, **_BESIDE),
}
ARCHITECTURES.update(CANDIDATES)
