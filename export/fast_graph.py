"""A trained generator rewritten for TFLite: the same function, in operations that its interpreter does faster.

Four kinds of layer are slow for what they compute, and are replaced by others with the same weights: a transposed
convolution by plain ones, one for each place in a 2x2 square; a convolution of doubled pixels likewise; the last
convolution, whose three channels leave vector units empty, by one that gives such a square at once; and reflection
padding by slices. TensorFlow itself gains little.
docs/speed.md has the figures.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from cartoongan_tf.models.layer_graph import layer_graph
from cartoongan_tf.models.layers import ReflectionPadding2D


def fast_generator(generator: keras.Model) -> keras.Model:
    """A generator's copy that draws faster, for inference alone: its weights are constants, or laid out otherwise.

    Args:
      generator: of `build_generator`.

    Returns:
      float32 RGB [N, H, W, 3] in [-1, 1] -> the same; H and W multiples of 4 from 8 up.
    """
    output, doublings = generator.get_layer("output_conv"), _doublings(generator)

    def substitute(layer: keras.layers.Layer) -> keras.layers.Layer:
        match layer:
            case layers.Conv2DTranspose():
                return _upsampling_conv(layer)
            case layers.Conv2D() if layer in doublings.values():
                return _doubling_conv(layer)
            case layers.Cropping2D():  # the transposed convolution before it does it, too
                return layers.Identity(name=layer.name)
            case layers.UpSampling2D() if layer in doublings:
                return layers.Identity(name=layer.name)
            case ReflectionPadding2D():
                return _SlicedReflection(layer.padding, name=layer.name)
            case layers.Conv2D() if layer is output:
                return _TwoByTwoConv(layer)
        return layer.__class__.from_config(layer.get_config())

    fast = keras.models.clone_model(generator, clone_function=substitute)
    for layer in generator.layers:
        if layer.weights and fast.get_layer(layer.name).weights:
            fast.get_layer(layer.name).set_weights(layer.get_weights())
    return fast


def _doublings(generator: keras.Model) -> dict[layers.UpSampling2D, layers.Conv2D]:
    """The layers of each `layers.doubling_conv`."""
    nodes = layer_graph(generator)
    found = {}
    for node in nodes.values():
        above = nodes[node.parents[0]].layer if node.parents else None
        if isinstance(above, layers.UpSampling2D) and isinstance(node.layer, layers.Conv2D):
            doubles = above.size == (2, 2) and above.interpolation == "nearest"
            if doubles and node.layer.kernel_size == (3, 3) and node.layer.padding == "same":
                found[above] = node.layer
    return found


# How the taps along an axis come from those of a convolution of three: for even and for odd places, the matrix that
# makes them, and how much to pad before and after.
_Taps = tuple[tuple[list[list[int]], list[int]], tuple[list[list[int]], list[int]]]
_TRANSPOSED: _Taps = ([[0, 1, 0]], [0, 0]), ([[0, 0, 1], [1, 0, 0]], [0, 1])
_DOUBLED: _Taps = ([[1, 0, 0], [0, 1, 1]], [1, 0]), ([[1, 1, 0], [0, 0, 1]], [0, 1])


class _FourConvs(layers.Layer):
    """Twice the resolution by four plain convolutions, interleaved: one for each place in a square of 2x2 pixels."""

    def __init__(self, name: str, kernel: np.ndarray, bias: np.ndarray, taps: _Taps):
        """Of a 3x3 kernel, [3, 3, in, out]."""
        super().__init__(name=name)
        self._bias, self._convs = bias, []
        for rows, above_below in taps:
            for columns, sides in taps:
                square = np.einsum("rh,cw,hwio->rcio", rows, columns, kernel).astype(np.float32)
                self._convs.append((square, [[0, 0], above_below, sides, [0, 0]]))

    def call(self, x):
        squares = [tf.nn.conv2d(x, kernel, 1, padding) for kernel, padding in self._convs]
        return tf.nn.bias_add(tf.nn.depth_to_space(tf.concat(squares, -1), 2), self._bias)

    def compute_output_shape(self, shape):
        return (shape[0], _double(shape[1]), _double(shape[2]), len(self._bias))


def _upsampling_conv(transposed: layers.Conv2DTranspose) -> _FourConvs:
    """A transposed 3x3 convolution of stride 2 without its first row and column, as `layers.upsampling_conv` has it.

    Of its nine taps one falls on the pixels of even row and column, two on those of one odd place, and four on those
    of both.
    """
    kernel, bias = transposed.get_weights()
    return _FourConvs(transposed.name, kernel.transpose(0, 1, 3, 2), bias, _TRANSPOSED)  # HWOI -> HWIO


def _doubling_conv(conv: layers.Conv2D) -> _FourConvs:
    """A 3x3 convolution of doubled pixels, without the doubling: those of its nine taps on one pixel are summed."""
    return _FourConvs(conv.name, *conv.get_weights(), _DOUBLED)


class _TwoByTwoConv(layers.Layer):
    """A convolution of stride 1 that computes a square of 2x2 pixels at once, by one of stride 2."""

    def __init__(self, conv: layers.Conv2D):
        super().__init__(name=conv.name)
        kernel, bias = conv.get_weights()
        height, width, inputs, outputs = kernel.shape
        squares = np.zeros((height + 1, width + 1, inputs, 2, 2, outputs), np.float32)
        for row, column in np.ndindex(2, 2):
            squares[row : row + height, column : column + width, :, row, column] = kernel
        self._kernel, self._bias = squares.reshape(height + 1, width + 1, inputs, 4 * outputs), np.tile(bias, 4)

    def call(self, x):
        return tf.nn.depth_to_space(tf.nn.bias_add(tf.nn.conv2d(x, self._kernel, 2, "VALID"), self._bias), 2)

    def compute_output_shape(self, shape):
        height, width = (size and size - len(self._kernel) + 2 for size in shape[1:3])
        return (shape[0], height, width, len(self._bias) // 4)


class _SlicedReflection(ReflectionPadding2D):
    """`ReflectionPadding2D` from slices, which TFLite runs in a fraction of the time and memory of its own operator."""

    def call(self, inputs):
        places = range(1, self.padding + 1)
        for axis in (1, 2):
            at = [slice(None)] * axis
            before = [inputs[(*at, slice(place, place + 1))] for place in reversed(places)]
            after = [inputs[(*at, slice(-place - 1, -place))] for place in places]
            inputs = tf.concat([_joined(before, axis), inputs, _joined(after, axis)], axis)
        return inputs


def _joined(parts: list, axis: int):
    """On their own first: XNNPACK joins no more than five at once, and leaves others to slower code."""
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis)


def _double(size: int | None) -> int | None:
    return None if size is None else 2 * size
