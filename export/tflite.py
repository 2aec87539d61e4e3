"""A generator as TFLite files for phones: float32 RGB in [-1, 1] in and out, any height and width it takes."""

import os

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from cartoongan_tf import atomic, pixels
from cartoongan_tf.errors import InputError
from cartoongan_tf.tflite_model import TFLiteGenerator
from export import parity
from export.fast_graph import fast_generator

MINIMUM_PSNR_DB = {"fp32": 60.0, "fp16": 45.0}


def export_tflite(generator: keras.Model, path: str | os.PathLike, precision: str) -> float:
    """Write a .tflite file, checked in the interpreter that phones use.

    Args:
      generator: of `build_generator`.
      path: of the file; one that exists is replaced.
      precision: "fp32", or "fp16" for weights of half the size.

    Returns:
      its lowest PSNR against Keras over the check pictures, in dB.

    Raises:
      InputError: the file draws other pictures than Keras does.
    """
    model = _convert(generator, precision)
    run = TFLiteGenerator(model, path)
    photos = [np.asarray(pixels.to_float(pixels.pad_to_fit(picture[None]))) for picture in parity.check_pictures()]
    with parity.on_cpu():
        score = min(parity.psnr(run(photo), np.asarray(generator(photo)), peak=2.0) for photo in photos)
    if score < MINIMUM_PSNR_DB[precision]:
        raise InputError(
            f"{path}: not written: its pictures differ from Keras's (PSNR {score:.1f} dB, where "
            f"{MINIMUM_PSNR_DB[precision]:.0f} dB are wanted)"
        )
    with atomic.replacing(path) as temporary:
        temporary.write_bytes(model)
    return score


def _convert(generator: keras.Model, precision: str) -> bytes:
    signature = tf.TensorSpec([None, None, None, 3], tf.float32, name="photo")
    fast = fast_generator(generator)
    function = tf.function(lambda photo: {"cartoon": fast(photo)}).get_concrete_function(signature)
    # A function whose variables are not frozen converts without an error to a file without weights.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([convert_variables_to_constants_v2(function)])
    if precision == "fp16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()
