"""Generators of a tenth of the paper's cost, to choose one from: what `benchmarks.light_generators` compares.

All halve the resolution twice and work on a trunk there, as the paper's does; they differ in one thing at a time.
Importing this module adds them to `generator.ARCHITECTURES`.
"""

import functools

import keras
from keras import layers

from cartoongan_tf.generator import ARCHITECTURES, Architecture
from cartoongan_tf.layers import InstanceNormalization, conv, norm_relu, residual_block, upsampling_conv

TRUNK_FILTERS = 128  # of the blocks that are cheaper than the paper's; its own have 4 x 16


def _same_conv(x, filters: int, kernel_size: int, name: str, activation: str | None = None):
    return layers.Conv2D(
        filters, kernel_size, padding="same", activation=activation, kernel_initializer="he_normal", name=name
    )(x)


def _separable_block(x, filters: int, name: str):
    residual = layers.DepthwiseConv2D(3, padding="same", name=f"{name}_depthwise1")(x)
    residual = norm_relu(_same_conv(residual, filters, 1, f"{name}_conv1"), f"{name}_norm1")
    residual = layers.DepthwiseConv2D(3, padding="same", name=f"{name}_depthwise2")(residual)
    residual = InstanceNormalization(name=f"{name}_norm2")(_same_conv(residual, filters, 1, f"{name}_conv2"))
    return layers.Add(name=f"{name}_sum")([x, residual])


def _inverted_block(x, filters: int, name: str):
    """Twice the filters within the block, seen by a depthwise convolution; one norm (Sandler et al. 2018)."""
    residual = _same_conv(x, 2 * filters, 1, f"{name}_expand", "relu")
    residual = layers.DepthwiseConv2D(3, padding="same", activation="relu", name=f"{name}_depthwise")(residual)
    residual = InstanceNormalization(name=f"{name}_norm")(_same_conv(residual, filters, 1, f"{name}_project"))
    return layers.Add(name=f"{name}_sum")([x, residual])


def _transposed(x, filters: int, name: str):
    x = upsampling_conv(x, filters, f"{name}_conv1")
    return norm_relu(_same_conv(x, filters, 3, f"{name}_conv2"), f"{name}_norm")


def _resized(x, filters: int, name: str):
    """Each pixel doubled, then one convolution: no checkerboard (Odena et al. 2016)."""
    x = layers.UpSampling2D(2, name=f"{name}_double")(x)
    return norm_relu(_same_conv(x, filters, 3, f"{name}_conv1"), f"{name}_norm")


class PassLastOn(keras.initializers.Initializer):
    """A kernel that begins by passing the last input channels on, as many as it has outputs, and nothing else."""

    def __call__(self, shape, dtype=None):
        height, width, inputs, outputs = shape
        kernel = keras.ops.convert_to_numpy(keras.random.normal(shape, stddev=0.02)).copy()
        kernel[:, :, inputs - outputs :] = 0
        for channel in range(outputs):
            kernel[height // 2, width // 2, inputs - outputs + channel, channel] = 1
        return keras.ops.convert_to_tensor(kernel, dtype)


def _layers(photo, width: int, num_blocks: int, block=residual_block, filters: int = 0, up=_transposed, skip=False):
    filters = filters or 4 * width
    x = norm_relu(conv(photo, width, 7, "flat_conv", padding="reflect"), "flat_norm")
    for name, down_filters in {"down1": 2 * width, "down2": filters}.items():
        x = conv(x, down_filters, 3, f"{name}_conv1", strides=2)
        x = norm_relu(_same_conv(x, down_filters, 3, f"{name}_conv2"), f"{name}_norm")
    for index in range(1, num_blocks + 1):
        x = block(x, filters, f"residual{index}")
    x = up(up(x, 2 * width, "up1"), width, "up2")
    if not skip:
        return conv(x, 3, 7, "output_conv", padding="reflect")
    x = layers.Concatenate(name="with_photo")([x, photo])
    return conv(x, 3, 7, "output_conv", padding="reflect", kernel_initializer=PassLastOn())


CANDIDATES = {
    "narrow": {},
    "separable": {"block": _separable_block, "filters": TRUNK_FILTERS},
    "inverted": {"block": _inverted_block, "filters": TRUNK_FILTERS},
    "inverted, resized": {"block": _inverted_block, "filters": TRUNK_FILTERS, "up": _resized},
    "inverted, resized, photo beside": {
        "block": _inverted_block,
        "filters": TRUNK_FILTERS,
        "up": _resized,
        "skip": True,
    },
    "narrow, resized, photo beside": {"up": _resized, "skip": True},
}

ARCHITECTURES.update(
    {name: Architecture(functools.partial(_layers, **variant), 16, 8) for name, variant in CANDIDATES.items()}
)
