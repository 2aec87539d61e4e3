"""The conversion of the authors' released generators: PyTorch names and layout -> `build_generator("paper")`.

Their networks take and return BGR. Reversing the input channels of the first kernel, and the output channels of the
last kernel and bias, makes the same networks RGB. This is done here, once, so every generator of this project is RGB.
"""

from collections.abc import Mapping

import keras
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models.generator import build_generator


def generator_from_weights(weights: Mapping[str, np.ndarray]) -> keras.Model:
    """Build the paper's generator with the authors' weights.

    Args:
      weights: float32 arrays by PyTorch name (conv01_1.weight ...), kernels OIHW (transposed ones IOHW), BGR.

    Returns:
      the generator, which takes and returns RGB.

    Raises:
      InputError: an array is missing or superfluous, or has another shape; the message has the first such name.
    """
    generator = build_generator("paper")
    _check_fit(weights, generator)
    for layer_name, torch_name in _TORCH_NAMES.items():
        layer = generator.get_layer(layer_name)
        arrays = [weights[f"{torch_name}.{part}"].transpose(axes) for part, axes in _parts(layer)]
        layer.set_weights(arrays)
    _reverse_channels(generator.get_layer("flat_conv"), generator.get_layer("output_conv"))
    return generator


def _torch_names() -> dict[str, str]:
    names = {"flat_conv": "conv01_1", "flat_norm": "in01_1"}
    for index in (1, 2):
        names |= {f"down{index}_conv{part}": f"conv{index + 1:02}_{part}" for part in (1, 2)}
        names |= {f"up{index}_conv{part}": f"deconv{index:02}_{part}" for part in (1, 2)}
        names |= {f"down{index}_norm": f"in{index + 1:02}_1", f"up{index}_norm": f"in{index + 11}_1"}
    for index in range(1, 9):
        names |= {f"residual{index}_conv{part}": f"conv{index + 3:02}_{part}" for part in (1, 2)}
        names |= {f"residual{index}_norm{part}": f"in{index + 3:02}_{part}" for part in (1, 2)}
    return names | {"output_conv": "deconv03_1"}


_TORCH_NAMES = _torch_names()  # our name of a layer -> the authors'


def _parts(layer: keras.layers.Layer) -> list[tuple[str, tuple[int, ...]]]:
    """List the authors' names of a layer's arrays, in the layer's order, with the transposition into our layout."""
    if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
        return [("weight", (2, 3, 1, 0)), ("bias", (0,))]  # OIHW -> HWIO; a transposed IOHW -> HWOI
    return [("scale", (0,)), ("shift", (0,))]


def _check_fit(weights: Mapping[str, np.ndarray], generator: keras.Model) -> None:
    expected = {}
    for layer_name, torch_name in _TORCH_NAMES.items():
        layer = generator.get_layer(layer_name)
        for (part, axes), array in zip(_parts(layer), layer.weights, strict=True):
            expected[f"{torch_name}.{part}"] = tuple(np.array(array.shape)[np.argsort(axes)])
    for name, shape in expected.items():
        if name not in weights:
            raise InputError(f"the weights do not fit the paper's generator: {name} {_plain(shape)} is missing")
        if weights[name].shape != shape:
            raise InputError(
                f"the weights do not fit the paper's generator: {name} has shape {weights[name].shape}, "
                f"not {_plain(shape)}"
            )
    extra = next((name for name in weights if name not in expected), None)
    if extra is not None:
        raise InputError(f"the weights do not fit the paper's generator: it has no {extra} {weights[extra].shape}")


def _plain(shape: tuple) -> tuple[int, ...]:
    return tuple(int(size) for size in shape)


def _reverse_channels(first: keras.layers.Conv2D, last: keras.layers.Conv2D) -> None:
    """Turn BGR into RGB, at both ends of the network."""
    first.kernel.assign(np.asarray(first.kernel)[:, :, ::-1, :])
    last.kernel.assign(np.asarray(last.kernel)[:, :, :, ::-1])
    last.bias.assign(np.asarray(last.bias)[::-1])
