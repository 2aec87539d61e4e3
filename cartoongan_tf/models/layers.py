"""The layers and blocks of the networks: reflection padding, instance norm, convolutions, residual block.

Names follow the paper's Figure 2. Details that it leaves open (borders, epsilon, initial weights) are those of the
authors' own code. Everything is NHWC, in Keras 3 alone.
"""

import keras
from keras import ops

NORM_EPSILON = 1e-5  # Torch's default; the released weights show it
KERNEL_STDDEV = 0.02  # initial kernels N(0, 0.02), as the authors' code draws them
_NO_NORM_INITIALIZER = "he_normal"


@keras.saving.register_keras_serializable(package="cartoongan_tf")
class ReflectionPadding2D(keras.layers.Layer):
    """Padding of height and width by reflection that does not repeat the border; both must exceed the padding.

    [N, H, W, C] -> [N, H + 2 padding, W + 2 padding, C].
    """

    def __init__(self, padding: int, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, inputs):
        sides = (self.padding, self.padding)
        return ops.pad(inputs, ((0, 0), sides, sides, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, _plus(height, 2 * self.padding), _plus(width, 2 * self.padding), channels)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


def spatial_moments(x):
    """Return mean and biased variance of each channel of each picture: [N, H, W, C] -> [N, 1, 1, C] each.

    They are computed and returned in float32, whatever x is, first along rows, then over them. One float32 sum over all
    pixels, as frameworks compute it, loses three digits on a picture of 450 pixels: it reproduces the authors'
    published pictures at 80 dB, and two steps at 91 dB, as float64 does, in the same time.
    """
    x = ops.cast(x, "float32")
    mean = _spatial_mean(x)
    return mean, _spatial_mean(ops.square(x - mean))


def _spatial_mean(x):
    return ops.mean(ops.mean(x, axis=2, keepdims=True), axis=1, keepdims=True)


@keras.saving.register_keras_serializable(package="cartoongan_tf")
class InstanceNormalization(keras.layers.Layer):
    """Normalization of each channel of each picture by its own mean and biased variance, with learned scale and shift.

    It is the same function as GroupNormalization(groups=-1), but written as means over the two spatial axes, which
    TFLite runs as a few fast operators instead of chains of reshapes.
    """

    def __init__(self, epsilon: float = NORM_EPSILON, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        channels = (input_shape[-1],)
        self.scale = self.add_weight(name="scale", shape=channels, initializer="ones")
        self.shift = self.add_weight(name="shift", shape=channels, initializer="zeros")

    def call(self, inputs):
        return self.normalize(inputs, *spatial_moments(inputs))

    def normalize(self, inputs, mean, variance):
        """Normalise by given statistics, float32 [N or 1, 1, 1, C] each; `call` uses those of each picture."""
        scale = ops.cast(self.scale, "float32")
        shift = ops.cast(self.shift, "float32")
        normalized = (ops.cast(inputs, "float32") - mean) * (scale * ops.rsqrt(variance + self.epsilon)) + shift
        return ops.cast(normalized, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


def conv(
    x, filters: int, kernel_size: int, name: str, strides: int = 1, padding: str = "zero", kernel_initializer=None
):
    """Add a convolution with bias whose borders are padded alike on all sides, as PyTorch and Torch pad.

    Keras's padding="same" pads a strided convolution on one side only, which shifts the picture.

    Args:
      x: input, [N, H, W, C].
      filters: number of filters.
      kernel_size: side of the kernel, odd.
      name: name of the layer.
      strides: stride of the convolution.
      padding: "zero" or "reflect"; the width of the padding is kernel_size // 2.
      kernel_initializer: a Keras initializer; None: the authors'.

    Returns:
      [N, ceil(H / strides), ceil(W / strides), filters].
    """
    pad_layer = {"zero": keras.layers.ZeroPadding2D, "reflect": ReflectionPadding2D}[padding]
    if kernel_size > 1:
        x = pad_layer(kernel_size // 2, name=f"{name}_pad")(x)
    initializer = kernel_initializer or _kernel_initializer()
    return keras.layers.Conv2D(filters, kernel_size, strides, kernel_initializer=initializer, name=name)(x)


def upsampling_conv(x, filters: int, name: str):
    """Add the paper's convolution with stride 1/2: [N, H, W, C] -> [N, 2 H, 2 W, filters].

    It is a transposed 3x3 convolution whose first row and column are cropped, like PyTorch's with padding 1 and output
    padding 1. Keras's padding="same" crops the last row and column, and shifts the picture by a pixel.
    """
    x = keras.layers.Conv2DTranspose(filters, 3, strides=2, kernel_initializer=_kernel_initializer(), name=name)(x)
    return keras.layers.Cropping2D(((1, 0), (1, 0)), name=f"{name}_crop")(x)


def doubling_conv(x, filters: int, name: str, kernel_initializer=None):
    """Double each pixel in height and width, then add a 3x3 convolution: [N, H, W, C] -> [N, 2 H, 2 W, filters].

    Every output pixel has the same number of taps, so there is no checkerboard (Odena et al. 2016). It costs less than
    `upsampling_conv` with a convolution after it.
    """
    x = keras.layers.UpSampling2D(2, name=f"{name}_double")(x)
    initializer = kernel_initializer or _kernel_initializer()
    return keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer=initializer, name=name)(x)


@keras.saving.register_keras_serializable(package="cartoongan_tf")
class PassLastOn(keras.initializers.Initializer):
    """An initializer for a kernel that returns its last input channels, as many as it has outputs."""

    def __call__(self, shape, dtype=None):
        height, width, inputs, outputs = shape
        middle = ops.reshape(ops.eye(outputs, dtype=dtype or "float32"), (1, 1, outputs, outputs))
        sides = [(side // 2, side - side // 2 - 1) for side in (height, width)]
        return ops.pad(middle, (*sides, (inputs - outputs, 0), (0, 0)))


def conv_beside_photo(x, photo, name: str):
    """Add the light generator's last convolution, 7x7, of features and photo; at first it returns the photo."""
    x = keras.layers.Concatenate(name="with_photo")([x, photo])
    return conv(x, 3, 7, name, padding="reflect", kernel_initializer=PassLastOn())


@keras.saving.register_keras_serializable(package="cartoongan_tf")
class PictureRange(keras.layers.Layer):
    """Values clipped to [-1, 1]; in training they stay as they are, so that the losses pull back what lies outside."""

    def call(self, inputs, training=False):
        return inputs if training else ops.clip(inputs, -1.0, 1.0)

    def compute_output_shape(self, input_shape):
        return input_shape


def added_to_photo(x, photo, name: str):
    """Add the light generator's last convolution, 3x3, whose result is added to the photo; at first it is 0."""
    drawing = conv(x, 3, 3, name, padding="reflect", kernel_initializer="zeros")
    return keras.layers.Add(name="with_photo", dtype="float32")([drawing, photo])


def doubled(x, filters: int, name: str):
    """Double pixels, and add a 3x3 convolution and a ReLU, without a norm: [N, H, W, C] -> [N, 2 H, 2 W, filters]."""
    return keras.layers.ReLU(name=f"{name}_relu")(doubling_conv(x, filters, f"{name}_conv", _NO_NORM_INITIALIZER))


def merge(x, skipped, filters: int, name: str):
    """Add a 3x3 convolution and a ReLU of two inputs side by side (Ronneberger et al. 2015)."""
    return conv_relu(keras.layers.Concatenate(name=name)([x, skipped]), filters, 3, f"{name}_conv1")


def conv_relu(x, filters: int, kernel_size: int, name: str, strides: int = 1):
    """Add a zero-padded convolution and a ReLU, without a norm; kernels keep the scale of activations."""
    x = conv(x, filters, kernel_size, name, strides=strides, kernel_initializer=_NO_NORM_INITIALIZER)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def plain_block(x, filters: int, name: str):
    """Add two zero-padded 3x3 convolutions beside the identity, without norms (Lim et al. 2017).

    The second one begins with zeros: so the sums of many blocks do not grow, which norms would prevent.
    """
    residual = conv_relu(x, filters, 3, f"{name}_conv1")
    residual = conv(residual, filters, 3, f"{name}_conv2", kernel_initializer="zeros")
    return keras.layers.Add(name=f"{name}_sum")([x, residual])


def norm_relu(x, name: str):
    """Add an instance norm and a ReLU."""
    return keras.layers.ReLU(name=f"{name}_relu")(InstanceNormalization(name=name)(x))


def residual_block(x, filters: int, name: str):
    """Add two reflection-padded 3x3 convolutions beside the identity; no ReLU after the sum (section 3.1)."""
    residual = norm_relu(conv(x, filters, 3, f"{name}_conv1", padding="reflect"), f"{name}_norm1")
    residual = conv(residual, filters, 3, f"{name}_conv2", padding="reflect")
    residual = InstanceNormalization(name=f"{name}_norm2")(residual)
    return keras.layers.Add(name=f"{name}_sum")([x, residual])


def _kernel_initializer():
    return keras.initializers.RandomNormal(stddev=KERNEL_STDDEV)


def _plus(size, padding):
    return None if size is None else size + padding
