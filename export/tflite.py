"""The conversion of a generator to TFLite files for phones."""

import contextlib
import functools
import io
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from ai_edge_quantizer import qtyping, quantizer, recipe, recipe_manager

from cartoongan_tf.inference.keras_runtime import values_per_pixel
from cartoongan_tf.inference.reach import find_reach
from cartoongan_tf.inference.tflite_facts import TFLiteFacts
from cartoongan_tf.inference.tflite_model import FILM
from cartoongan_tf.models import pixels
from cartoongan_tf.models.layer_graph import layer_graph, norms
from export import tflite_file
from export.tflite_graphs import Graph, build_film_graph, build_picture_graph
from export.tflite_metadata import Metadata

Size = tuple[int, int] | None  # height and width in pixels; None: any
Calibration = dict[str, list[dict[str, np.ndarray]]]

# The lowest PSNR against Keras in dB. None: reported, but not enforced.
FP32_BUDGET_DB = 60.0
BUDGETS_DB = {"fp32": FP32_BUDGET_DB, "fp16": 45.0, "int8": 40.0, "dynamic": None, "int8_full": None}
_STAYS_FLOAT = {
    "fp32": "everything is float32",
    "fp16": "weights are float16; computation is float32, or in the GPU's own precision",
    "int8": "kernels of convolutions are int8, by channel; computation, norms and biases stay float32",
    "dynamic": "convolutions compute in int8, in ranges measured at run time; norms and sums stay float32",
    "int8_full": "convolutions compute in int8, in ranges learned from photos; those that upsample, and norms, sums "
    "and padding, stay float32. Pictures are uint8",
}
# The convolutions of an int8 file that may keep float kernels: regular expressions for their names, and descriptions.
_KEPT_FLOAT = {
    r".*(flat|output)_conv.*": "the kernels of the first and the last convolution stayed float",
    r".*(flat|output|up\d+|down\d+)_conv.*": "all kernels but those of the residual blocks stayed float",
}
FIRST_SIZE_PX = (256, 256)  # first size of files that take any size, and size of the photos to calibrate on
NUM_CALIBRATION_PHOTOS = 16
# These convolutions' outputs span far more than the norms after them keep, so 256 levels are too few. The figures are
# in docs/on_device.md.
FLOAT_CONVOLUTIONS = r".*up\d+_conv.*"


def choices(precision: str) -> dict[str, str]:
    """Return the choices of what stays float in a file, from the smallest file to the largest.

    Returns:
      values of `kept_float` for `Converter.convert`, each with a description of all that stays float.
    """
    description = _STAYS_FLOAT[precision]
    by_kept_float = {"": description}
    if precision == "int8":
        for kept_float, kept in _KEPT_FLOAT.items():
            by_kept_float[kept_float] = f"{description}; {kept}"
    return by_kept_float


class Converter:
    """The conversion of a generator to the contents of .tflite files, which share graphs and weights.

    Args:
      generator: a model from `build_generator`; it must not change meanwhile.
    """

    def __init__(self, generator: keras.Model):
        self._generator = generator
        self._nodes = layer_graph(generator)
        self._graph = functools.cache(self._build_graph)
        self._float_model = functools.cache(convert_graph)

    def convert(
        self,
        precision: str,
        metadata: Metadata,
        size: Size = None,
        calibration: Sequence[np.ndarray] = (),
        kept_float: str = "",
    ) -> bytes:
        """Make the contents of a .tflite file.

        Args:
          precision: a key of `BUDGETS_DB`. int8_full takes and gives uint8 RGB, the others float32 RGB in [-1, 1].
          metadata: the metadata to store in the file.
          size: the only height and width that the file takes, in pixels; None: any multiples of 4, at least 8.
          calibration: photos for int8_full, float32 RGB [1, *FIRST_SIZE_PX, 3] in [-1, 1] each.
          kept_float: for int8, a key of `choices`: regular expression for the convolutions whose kernels stay float.
        """
        graph = self._graph(size, is_uint8=precision == "int8_full")
        levels = [np.asarray(pixels.to_uint8(photo)) for photo in calibration]
        frames = {graph.signature: [graph.first_frame(photo) for photo in levels]}
        model = _quantize_as(precision, self._float_model(graph, is_fp16=precision == "fp16"), frames, kept_float)
        if graph.signature == FILM:
            model = tflite_file.with_pictures(model)
        # With ranges measured at run time, each pixel depends on the range of the whole picture.
        reach = None if precision == "dynamic" else find_reach(self._nodes)
        facts = TFLiteFacts(metadata.keras_sha256, values_per_pixel(self._nodes), reach)
        return tflite_file.completed(model, metadata, facts)

    def _build_graph(self, size: Size, is_uint8: bool) -> Graph:
        build = build_film_graph if norms(self._nodes) else build_picture_graph
        return build(self._generator, size, is_uint8)


def convert(generator: keras.Model, *args, **kwargs) -> bytes:
    """Convert a generator to the contents of one .tflite file; the other arguments are those of `Converter.convert`."""
    return Converter(generator).convert(*args, **kwargs)


def convert_graph(graph: Graph, is_fp16: bool = False) -> bytes:
    """Convert a graph to the contents of a .tflite file with its signature, all float32.

    Args:
      graph: the graph.
      is_fp16: whether to store weights as float16.
    """
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.function])
    if is_fp16:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    first_size = FIRST_SIZE_PX if graph.takes_any_size else None
    return tflite_file.with_signature(converter.convert(), graph.signature, first_size)


def _quantize_as(precision: str, model: bytes, calibration: Calibration, kept_float: str) -> bytes:
    match precision:
        case "int8":
            return quantize(model, _kernels_in_int8(kept_float))
        case "dynamic":
            return quantize(model, recipe.dynamic_wi8_afp32())
        case "int8_full":
            return quantize(model, integer_convolutions(FLOAT_CONVOLUTIONS), calibration)
    return model


def quantize(model: bytes, quantization: list, calibration: Calibration | None = None) -> bytes:
    """Quantize the contents of a .tflite file.

    Args:
      model: contents of a file from `convert_graph`.
      quantization: recipe of ai_edge_quantizer.
      calibration: inputs by signature, to learn the ranges of activations from; each has an array for each name.
    """
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):  # the quantizer prints
        worker = quantizer.Quantizer(bytearray(model), quantization)
        ranges = worker.calibrate(calibration) if calibration and any(calibration.values()) else None
        return bytes(worker.quantize(ranges).quantized_model)


def integer_convolutions(float_convolutions: str = "", activation_bits: int = 8) -> list:
    """Return a recipe of ai_edge_quantizer that computes convolutions in integers, and everything else in float.

    Args:
      float_convolutions: regular expression for the names of convolutions that compute in float. Their kernels are int8
        like all others.
      activation_bits: 8 or 16.
    """
    manager = recipe_manager.RecipeManager()
    convolution = qtyping.TFLOperationName.CONV_2D
    manager.add_static_config(".*", convolution, activation_num_bits=activation_bits, weight_num_bits=8)
    if float_convolutions:
        manager.add_weight_only_config(float_convolutions, convolution, num_bits=8)
    return manager.get_quantization_recipe()


def _kernels_in_int8(kept_float: str) -> list:
    manager = recipe_manager.RecipeManager()
    convolution = qtyping.TFLOperationName.CONV_2D
    manager.add_weight_only_config(".*", convolution, num_bits=8)
    if kept_float:
        manager.add_quantization_config(kept_float, convolution, algorithm_key=recipe.AlgorithmName.NO_QUANTIZE)
    return manager.get_quantization_recipe()
