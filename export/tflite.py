"""A generator as TFLite files for phones."""

import contextlib
import io
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from ai_edge_quantizer import qtyping, quantizer, recipe, recipe_manager
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from cartoongan_tf.models import pixels
from export import tflite_file
from export.fast_graph import fast_generator
from export.tflite_file import Metadata

# The least PSNR against Keras in dB; None: it is told, and nothing is demanded.
BUDGETS_DB = {"fp32": 60.0, "fp16": 45.0, "int8": 40.0, "dynamic": None, "int8_full": None}
_STAYS_FLOAT = {
    "fp32": "everything is float32",
    "fp16": "weights are float16; what is computed is float32, or as the GPU has it",
    "int8": "kernels of convolutions are int8, by channel; what is computed, norms and biases stay float32",
    "dynamic": "convolutions compute in int8, on pictures rounded as they come; norms and sums stay float32",
    "int8_full": "convolutions compute in int8, on ranges learned from photos, but for those that enlarge; these, "
    "norms, sums and borders stay float32. Pictures are uint8",
}
# Which convolutions of an int8 file may keep float kernels: regular expressions of their names, and words for them.
_KEPT_FLOAT = {
    r".*(flat|output)_conv.*": "the kernels of the first and the last convolution stayed float",
    r".*(flat|output|up\d+|down\d+)_conv.*": "all kernels but those of the residual blocks stayed float",
}
FIRST_SIZE_PX = (256, 256)  # of files that take any size; of the photos to calibrate on, too
NUM_CALIBRATION_PHOTOS = 16
# Their results span far more than a norm leaves of it, and 256 levels are too few: docs/on_device.md has the figures.
FLOAT_CONVOLUTIONS = r".*up\d+_conv.*"


def choices(precision: str) -> dict[str, str]:
    """The ways to make a file, smallest first: `kept_float` of `convert`, and what stays float then, in words."""
    words = _STAYS_FLOAT[precision]
    more = {names: f"{words}; {kept}" for names, kept in _KEPT_FLOAT.items()} if precision == "int8" else {}
    return {"": words} | more


def convert(
    generator: keras.Model,
    precision: str,
    metadata: Metadata,
    size: tuple[int, int] | None = None,
    calibration: Sequence[np.ndarray] = (),
    kept_float: str = "",
) -> bytes:
    """The contents of a .tflite file.

    Args:
      generator: of `build_generator`.
      precision: a key of `BUDGETS_DB`. int8_full takes and gives uint8 RGB, the others float32 RGB in [-1, 1].
      metadata: that it carries.
      size: height and width in pixels; None: any multiples of 4 from 8 up.
      calibration: photos for int8_full, float32 RGB [1, *FIRST_SIZE_PX, 3] in [-1, 1] each.
      kept_float: for int8: regular expression for the convolutions whose kernels stay float; see `choices`.
    """
    model = _convert(generator, size, is_fp16=precision == "fp16", is_uint8=precision == "int8_full")
    model = tflite_file.completed(model, metadata, None if size else FIRST_SIZE_PX)  # the quantizer keeps it
    match precision:
        case "int8":
            return quantize(model, _kernels_in_int8(kept_float))
        case "dynamic":
            return quantize(model, recipe.dynamic_wi8_afp32())
        case "int8_full":
            levels = [np.asarray(pixels.to_uint8(photo)) for photo in calibration]
            return quantize(model, integer_convolutions(FLOAT_CONVOLUTIONS), levels)
    return model


def quantize(model: bytes, quantization: list, calibration: Sequence[np.ndarray] = ()) -> bytes:
    """A .tflite file's contents, quantized.

    Args:
      model: a float file's contents, completed.
      quantization: a recipe of ai_edge_quantizer.
      calibration: photos that ranges of activations are learned from, as the file takes them.
    """
    photos = [{tflite_file.PHOTO: photo} for photo in calibration]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):  # it is chatty
        worker = quantizer.Quantizer(bytearray(model), quantization)
        ranges = worker.calibrate({tflite_file.SIGNATURE: photos}) if photos else None
        return bytes(worker.quantize(ranges).quantized_model)


def integer_convolutions(float_convolutions: str = "", activation_bits: int = 8) -> list:
    """A recipe of ai_edge_quantizer: convolutions in integers, kernels of 8 bits, all else in float.

    Args:
      float_convolutions: regular expression for the names of those that compute in float; their kernels are int8.
      activation_bits: 8 or 16.
    """
    manager, convolution = recipe_manager.RecipeManager(), qtyping.TFLOperationName.CONV_2D
    manager.add_static_config(".*", convolution, activation_num_bits=activation_bits, weight_num_bits=8)
    if float_convolutions:
        manager.add_weight_only_config(float_convolutions, convolution, num_bits=8)
    return manager.get_quantization_recipe()


def _kernels_in_int8(kept_float: str) -> list:
    manager, convolution = recipe_manager.RecipeManager(), qtyping.TFLOperationName.CONV_2D
    manager.add_weight_only_config(".*", convolution, num_bits=8)
    if kept_float:
        manager.add_quantization_config(kept_float, convolution, algorithm_key=recipe.AlgorithmName.NO_QUANTIZE)
    return manager.get_quantization_recipe()


def _convert(generator: keras.Model, size: tuple[int, int] | None, is_fp16: bool, is_uint8: bool) -> bytes:
    fast = fast_generator(generator)

    def draw(photo):
        cartoon = pixels.to_uint8(fast(pixels.to_float(photo))) if is_uint8 else fast(photo)
        return {tflite_file.CARTOON: cartoon}

    shape = [1, *size, 3] if size else [None, None, None, 3]
    photo = tf.TensorSpec(shape, tf.uint8 if is_uint8 else tf.float32, name=tflite_file.PHOTO)
    function = tf.function(draw).get_concrete_function(photo)
    # A function whose variables are not frozen converts without an error to a file without weights.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([convert_variables_to_constants_v2(function)])
    if is_fp16:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()
