"""A generator's graphs for TFLite files, one for each signature."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from cartoongan_tf.inference.tflite_model import FILM, KEEP, PHOTO, PICTURE, STATISTICS
from cartoongan_tf.models import pixels
from cartoongan_tf.models.layer_graph import average, layer_graph, no_statistics, run_on_film
from export.fast_graph import fast_generator


class Graph(NamedTuple):
    """A graph for one signature.

    Attributes:
      signature: a key of `tflite_model.SIGNATURES`.
      function: concrete function whose weights are constants.
      inputs: specification of its inputs.
    """

    signature: str
    function: Any
    inputs: tuple[tf.TensorSpec, ...]

    @property
    def takes_any_size(self) -> bool:
        return self.inputs[0].shape[1] is None

    def first_frame(self, photo: np.ndarray) -> dict[str, np.ndarray]:
        """Return the inputs for a photo, which is the first frame of a film if the graph draws films."""
        others = {spec.name: np.zeros(spec.shape, np.float32) for spec in self.inputs[1:]}
        return {PHOTO: photo, **others}


def build_picture_graph(generator: keras.Model, size: tuple[int, int] | None = None, is_uint8: bool = False) -> Graph:
    """Build the graph of a generator for pictures.

    Args:
      generator: a model from `build_generator`.
      size: the only height and width that it takes, in pixels; None: any multiples of 4, at least 8.
      is_uint8: whether pictures are uint8 RGB; else they are float32 in [-1, 1].
    """
    fast = fast_generator(generator)

    def draw_picture(photo):
        return pixels.to_uint8(fast(pixels.to_float(photo))) if is_uint8 else fast(photo)

    return _trace(PICTURE, draw_picture, _photo(size, is_uint8))


def build_film_graph(generator: keras.Model, size: tuple[int, int] | None = None, is_uint8: bool = False) -> Graph:
    """Build the graph of a generator with norms for films; the arguments are those of `build_picture_graph`."""
    fast = fast_generator(generator)  # holds the weights that the nodes refer to
    nodes = layer_graph(fast)
    statistics = tf.TensorSpec(no_statistics(nodes).shape, tf.float32, name=STATISTICS)
    keep = tf.TensorSpec([1], tf.float32, name=KEEP)

    def draw_frame(photo, statistics, keep):
        values = pixels.to_float(photo) if is_uint8 else photo
        cartoon, after = run_on_film(nodes, values, statistics, functools.partial(average, keep=keep))
        return pixels.to_uint8(cartoon) if is_uint8 else cartoon, after

    return _trace(FILM, draw_frame, _photo(size, is_uint8), statistics, keep)


def _photo(size: tuple[int, int] | None, is_uint8: bool) -> tf.TensorSpec:
    shape = [1, *size, 3] if size else [None, None, None, 3]
    return tf.TensorSpec(shape, tf.uint8 if is_uint8 else tf.float32, name=PHOTO)


def _trace(signature: str, draw: Callable, *inputs: tf.TensorSpec) -> Graph:
    function = tf.function(draw, autograph=False).get_concrete_function(*inputs)
    # Without frozen variables, the converter would write a file without weights, and report no error.
    return Graph(signature, convert_variables_to_constants_v2(function), inputs)
