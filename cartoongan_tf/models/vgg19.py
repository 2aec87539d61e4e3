"""Frozen VGG19 features at conv4_4, before its ReLU, for the content loss (section 3.2.2).

The layer before the ReLU and the Caffe preprocessing (BGR, 0..255, channel means subtracted) are those of the authors'
code. Pictures keep the size of the crop here; the authors' code resized them to 224 px.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import keras
from keras import ops

from cartoongan_tf.base.errors import InputError

WEIGHTS_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
WEIGHTS_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg19/{WEIGHTS_FILE}"  # as Keras has it
_BGR_MEANS = (103.939, 116.779, 123.68)  # means of ImageNet, 0..255
_CONTENT_LAYER = "block4_conv4"
CONTENT_STRIDE = 8  # pixels from one of its features to the next
# The last layer of each of the first blocks, and its number of channels.
STYLE_LAYERS = {"block3_conv4": 256, "block2_conv2": 128, "block1_conv2": 64}
# The layers that the feature discriminator judges, one of each resolution, and their numbers of channels.
TAPS = {"block1_conv2": 64, "block2_conv2": 128, "block3_conv4": 256, "block4_conv3": 512}


def build_vgg19_features(weights: str = "imagenet", seed: int = 0) -> keras.Model:
    """Build the frozen extractor of content features.

    Args:
      weights: "imagenet" (fetched once by keras.applications, 80 MB), "random" (He-normal kernels, for a trial
        without internet access), or the path of a weights file without top in Keras's format (.h5, .weights.h5,
        .keras).
      seed: seed of the random weights.

    Returns:
      a model from float32 RGB [N, H, W, 3] in [-1, 1], H and W from 8 up, to float32 [N, H // 8, W // 8, 512].

    Raises:
      InputError: the weights cannot be fetched or read; the message says where to put the file.
    """
    vgg19 = _build_to_content_layer(weights, seed)
    return frozen(vgg19, vgg19.outputs[0], "vgg19_features")


def build_style_features(weights: str = "imagenet", layer: str = "block3_conv4", seed: int = 0) -> keras.Model:
    """Build the frozen extractor of a layer's mean activations, which `distances` compares, and of content features.

    Args:
      weights, seed: as for `build_vgg19_features`.
      layer: name of a convolution before conv4_4, for example one of `STYLE_LAYERS`; its output is after the ReLU.

    Returns:
      a model from float32 RGB [N, H, W, 3] in [-1, 1] to the layer's mean over each picture, float32 [N, D], and the
      features of `build_vgg19_features`.

    Raises:
      InputError: as `build_vgg19_features`.
    """
    vgg19 = _build_to_content_layer(weights, seed)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(vgg19.get_layer(layer).output)
    return frozen(vgg19, [pooled, vgg19.outputs[0]], "style_features")


def build_vgg19_taps(weights: str = "imagenet", seed: int = 0) -> keras.Model:
    """Build the frozen extractor of content features, and of the layers in `TAPS`, each after its ReLU.

    Args:
      weights, seed: as for `build_vgg19_features`.

    Returns:
      a model from float32 RGB [N, H, W, 3] in [-1, 1] to a list: the features of `build_vgg19_features`, then the taps
      [N, H, W, 64], [N, H // 2, W // 2, 128], [N, H // 4, W // 4, 256] and [N, H // 8, W // 8, 512].

    Raises:
      InputError: as `build_vgg19_features`.
    """
    vgg19 = _build_to_content_layer(weights, seed)
    taps = [vgg19.get_layer(name).output for name in TAPS]
    return frozen(vgg19, [vgg19.outputs[0], *taps], "vgg19_taps")


def build_vgg19_layers(weights: str, layer_names: Sequence[str], seed: int = 0) -> keras.Model:
    """Build a frozen extractor of several layers' feature maps, each after its ReLU.

    Args:
      weights, seed: as for `build_vgg19_features`.
      layer_names: Keras's names of layers, for example "block3_conv1".

    Returns:
      a model from float32 RGB [N, H, W, 3] in [-1, 1] to the feature maps, a list in the order of the names.

    Raises:
      InputError: as `build_vgg19_features`.
    """
    vgg19 = load_vgg19(weights, seed)
    return frozen(vgg19, [vgg19.get_layer(name).output for name in layer_names], "vgg19_layers")


def _build_to_content_layer(weights: str, seed: int) -> keras.Model:
    vgg19 = load_vgg19(weights, seed)
    vgg19.get_layer(_CONTENT_LAYER).activation = keras.activations.linear
    return keras.Model(vgg19.input, vgg19.get_layer(_CONTENT_LAYER).output)


def frozen(vgg19: keras.Model, outputs, name: str) -> keras.Model:
    """Build a frozen extractor of features, with the preprocessing in front.

    Args:
      vgg19: a model of `load_vgg19`.
      outputs: output of one of its layers, or a list of them.
      name: name of the extractor.

    Returns:
      a model from float32 RGB [N, H, W, 3] in [-1, 1] to the outputs.
    """
    picture = keras.Input((None, None, 3), name="picture")
    preprocessed = CaffePreprocessing(name="preprocessing", dtype="float32")(picture)
    features = keras.Model(picture, keras.Model(vgg19.input, outputs)(preprocessed), name=name)
    features.trainable = False
    return features


@keras.saving.register_keras_serializable(package="cartoongan_tf")
class CaffePreprocessing(keras.layers.Layer):
    """The preprocessing of VGG19's training: RGB in [-1, 1] -> BGR in 0..255 minus the ImageNet means."""

    def call(self, inputs):
        return (inputs[..., ::-1] + 1.0) * 127.5 - ops.convert_to_tensor(_BGR_MEANS, dtype=inputs.dtype)


def load_vgg19(weights: str = "imagenet", seed: int = 0) -> keras.Model:
    """Load VGG19 without top as Keras has it, with ReLUs; its input is the output of `CaffePreprocessing`.

    Args, Raises: as for `build_vgg19_features`.
    """
    if weights not in ("imagenet", "random") and not Path(weights).is_file():
        raise InputError(f"--vgg19_weights={weights}: no such file (or give imagenet, or random)")
    try:
        vgg19 = keras.applications.VGG19(include_top=False, weights=None if weights == "random" else weights)
    except Exception as error:  # Keras raises a bare Exception when it cannot download
        raise InputError(_load_error(weights, error)) from error
    if weights == "random":
        _draw_he_normal(vgg19, seed)
    return vgg19


def _load_error(weights: str, error: Exception) -> str:
    if weights != "imagenet":
        return (
            f"--vgg19_weights={weights}: not VGG19 weights without top in Keras's format ({_first_line(error)}). "
            f"Give {WEIGHTS_FILE} of keras.applications, or --vgg19_weights=imagenet to fetch it."
        )
    folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
    return (
        f"cannot fetch the ImageNet weights of VGG19 ({_first_line(error)}). On a machine with internet "
        f"access, download\n  {WEIGHTS_URL}\nand put it at\n  {folder / WEIGHTS_FILE}\nor name it by "
        "--vgg19_weights=PATH. For a trial without it: --vgg19_weights=random."
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _draw_he_normal(vgg19: keras.Model, seed: int) -> None:
    """Draw kernels that keep the scale of activations through the ReLUs, so that content weights keep their order."""
    initializer = keras.initializers.HeNormal(keras.random.SeedGenerator(seed))
    for layer in vgg19.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(initializer(layer.kernel.shape))
