"""A trained generator rewritten for TFLite: the same function, in operations that its interpreter runs faster.

Four kinds of layers are slow for what they compute. Each is replaced by layers with the same weights:

- A transposed convolution becomes four plain ones, one for each position in a square of 2x2 output pixels.
- A convolution of doubled pixels becomes four plain ones in the same way.
- The last convolution has three output channels, which leave vector units empty. It computes 2x2 pixels at once.
- Reflection padding is made of slices.

TensorFlow itself gains little. docs/speed.md has the figures.
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from cartoongan_tf.models.layer_graph import layer_graph
from cartoongan_tf.models.layers import ReflectionPadding2D


def fast_generator(generator: keras.Model) -> keras.Model:
    """Return a copy of a generator that runs faster, for inference only.

    Args:
      generator: a model from `build_generator`.

    Returns:
      a model float32 RGB [N, H, W, 3] in [-1, 1] -> the same; H and W multiples of 4, at least 8. Some of its weights
      are constants.
    """
    output_conv = generator.get_layer("output_conv")
    doublings = _doublings(generator)

    def substitute(layer: keras.layers.Layer) -> keras.layers.Layer:
        match layer:
            case keras.layers.Conv2DTranspose():
                return _upsampling_conv(layer)
            case keras.layers.Conv2D() if layer in doublings.values():
                return _doubling_conv(layer)
            case keras.layers.Cropping2D():  # the substitute of the transposed convolution crops
                return keras.layers.Identity(name=layer.name)
            case keras.layers.UpSampling2D() if layer in doublings:
                return keras.layers.Identity(name=layer.name)
            case ReflectionPadding2D():
                return _SlicedReflection(layer.padding, name=layer.name)
            case keras.layers.Conv2D() if layer is output_conv:
                return _TwoByTwoConv(layer)
        return layer.__class__.from_config(layer.get_config())

    fast = keras.models.clone_model(generator, clone_function=substitute)
    for layer in generator.layers:
        copy = fast.get_layer(layer.name)
        if layer.weights and copy.weights:
            copy.set_weights(layer.get_weights())
    return fast


def _doublings(generator: keras.Model) -> dict[keras.layers.UpSampling2D, keras.layers.Conv2D]:
    """Return the convolution of each `cartoongan_tf.models.layers.doubling_conv`, by its upsampling layer."""
    nodes = layer_graph(generator)
    doublings = {}
    for node in nodes.values():
        parent = nodes[node.parents[0]].layer if node.parents else None
        if _is_doubling(parent) and _is_same_conv(node.layer):
            doublings[parent] = node.layer
    return doublings


def _is_doubling(layer: keras.layers.Layer | None) -> bool:
    if not isinstance(layer, keras.layers.UpSampling2D):
        return False
    return layer.size == (2, 2) and layer.interpolation == "nearest"


def _is_same_conv(layer: keras.layers.Layer) -> bool:
    is_conv = isinstance(layer, keras.layers.Conv2D)
    return is_conv and layer.kernel_size == (3, 3) and layer.padding == "same"


class _Taps(NamedTuple):
    """The taps along one axis, for output pixels at even or at odd positions.

    Attributes:
      matrix: [taps, 3], the weights that make each tap from the three taps of the original convolution.
      padding: the number of zeros before and after the input.
    """

    matrix: list[list[int]]
    padding: list[int]


_TRANSPOSED = (_Taps([[0, 1, 0]], [0, 0]), _Taps([[0, 0, 1], [1, 0, 0]], [0, 1]))
_DOUBLED = (_Taps([[1, 0, 0], [0, 1, 1]], [1, 0]), _Taps([[1, 1, 0], [0, 0, 1]], [0, 1]))


class _FourConvs(keras.layers.Layer):
    """A layer that doubles the resolution by four plain convolutions, one for each position in a square of 2x2 pixels.

    Args:
      name: the name of the layer.
      kernel: float32 [3, 3, in, out].
      bias: float32 [out].
      taps: the taps of even and of odd positions.
    """

    def __init__(self, name: str, kernel: np.ndarray, bias: np.ndarray, taps: tuple[_Taps, _Taps]):
        super().__init__(name=name)
        self._bias = bias
        self._convs = []
        for rows in taps:
            for columns in taps:
                part = np.einsum("rh,cw,hwio->rcio", rows.matrix, columns.matrix, kernel).astype(np.float32)
                self._convs.append((part, [[0, 0], rows.padding, columns.padding, [0, 0]]))

    def call(self, x):
        parts = [tf.nn.conv2d(x, kernel, 1, padding) for kernel, padding in self._convs]
        interleaved = tf.nn.depth_to_space(tf.concat(parts, -1), 2)
        return tf.nn.bias_add(interleaved, self._bias)

    def compute_output_shape(self, shape):
        return (shape[0], _double(shape[1]), _double(shape[2]), len(self._bias))


def _upsampling_conv(transposed: keras.layers.Conv2DTranspose) -> _FourConvs:
    """Replace a transposed 3x3 convolution of stride 2, and the cropping of its first row and column.

    `cartoongan_tf.models.layers.upsampling_conv` builds the two. Of the nine taps, one falls on pixels of even row and
    column, two on pixels where one of them is odd, and four on pixels where both are.
    """
    kernel, bias = transposed.get_weights()
    return _FourConvs(transposed.name, kernel.transpose(0, 1, 3, 2), bias, _TRANSPOSED)  # HWOI -> HWIO


def _doubling_conv(conv: keras.layers.Conv2D) -> _FourConvs:
    """Replace a 3x3 convolution of doubled pixels: those of its nine taps that fall on the same pixel are summed."""
    kernel, bias = conv.get_weights()
    return _FourConvs(conv.name, kernel, bias, _DOUBLED)


class _TwoByTwoConv(keras.layers.Layer):
    """A convolution of stride 1 that computes 2x2 pixels at once, by a convolution of stride 2."""

    def __init__(self, conv: keras.layers.Conv2D):
        super().__init__(name=conv.name)
        kernel, bias = conv.get_weights()
        height, width, inputs, outputs = kernel.shape
        squares = np.zeros((height + 1, width + 1, inputs, 2, 2, outputs), np.float32)
        for row, column in np.ndindex(2, 2):
            squares[row : row + height, column : column + width, :, row, column] = kernel
        self._kernel = squares.reshape(height + 1, width + 1, inputs, 4 * outputs)
        self._bias = np.tile(bias, 4)

    def call(self, x):
        squares = tf.nn.bias_add(tf.nn.conv2d(x, self._kernel, 2, "VALID"), self._bias)
        return tf.nn.depth_to_space(squares, 2)

    def compute_output_shape(self, shape):
        return (shape[0], self._output_side(shape[1]), self._output_side(shape[2]), len(self._bias) // 4)

    def _output_side(self, side: int | None) -> int | None:
        return None if side is None else side - len(self._kernel) + 2


class _SlicedReflection(ReflectionPadding2D):
    """`ReflectionPadding2D` made of slices, which take TFLite a fraction of the time and memory of its own operator."""

    def call(self, inputs):
        offsets = range(1, self.padding + 1)
        for axis in (1, 2):
            whole = [slice(None)] * axis
            before = [inputs[(*whole, slice(offset, offset + 1))] for offset in reversed(offsets)]
            after = [inputs[(*whole, slice(-offset - 1, -offset))] for offset in offsets]
            inputs = tf.concat([_joined(before, axis), inputs, _joined(after, axis)], axis)
        return inputs


def _joined(parts: list, axis: int):
    """Concatenate one border's slices first: XNNPACK joins at most five tensors, and leaves more to slower code."""
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis)


def _double(size: int | None) -> int | None:
    return None if size is None else 2 * size
