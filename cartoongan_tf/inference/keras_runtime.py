"""The runtime of a .keras file, which gives access to the generator's layers."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cartoongan_tf.inference import banded
from cartoongan_tf.inference.runtime import Runtime, Statistics, device_memory_errors, has_gpu
from cartoongan_tf.models import kernel_limits, layer_graph, pixels


class KerasRuntime(Runtime):
    """A generator from a .keras file."""

    name = "a .keras file"
    has_bands = True
    has_statistics = True

    def __init__(self, generator: keras.Model):
        import tensorflow as tf

        self._generator = generator
        self._nodes = layer_graph.layer_graph(generator)
        self.values_per_pixel = values_per_pixel(self._nodes)
        image = tf.TensorSpec([None, None, None, 3], tf.uint8)
        self._draw = tf.function(
            lambda image: pixels.cartoonize(generator, image), input_signature=[image], autograph=False
        )
        self._draw_film = tf.function(self._film_graph, reduce_retracing=True, autograph=False)

    @classmethod
    def load(cls, path: Path) -> "KerasRuntime":
        """Load a .keras file; InputError if it is damaged."""
        from cartoongan_tf.models.generator_file import load_generator

        return cls(load_generator(path))

    def _film_graph(self, image: Any, before: Any, matrix: Any) -> tuple[Any, Any]:
        mix = functools.partial(layer_graph.average_frames, matrix)
        statistics = []

        def generate(photo):
            cartoon, used = layer_graph.run_on_film(self._nodes, photo, before, mix)
            statistics.append(used[-1:])
            return cartoon

        return pixels.cartoonize(generate, image), statistics[0]

    @property
    def most_values(self) -> int:
        return kernel_limits.most_values(on_gpu=has_gpu())

    @property
    def most_values_before_bands(self) -> int:
        return kernel_limits.most_values_before_bands(on_gpu=has_gpu())

    def draw(self, image: np.ndarray) -> np.ndarray:
        with device_memory_errors():
            return self._draw(image).numpy()

    def draw_film(
        self, frames: np.ndarray, before: Statistics | None, keep: np.ndarray
    ) -> tuple[np.ndarray, Statistics]:
        before = layer_graph.no_statistics(self._nodes) if before is None else before
        with device_memory_errors():
            cartoons, after = self._draw_film(frames, before, layer_graph.averaging_matrix(keep))
        return cartoons.numpy(), after.numpy()

    def draw_in_bands(
        self,
        image: np.ndarray,
        before: Statistics | None,
        keep: float,
        on_progress: Callable[[float], None],
    ) -> tuple[np.ndarray, Statistics | None]:
        return banded.cartoonize(self._nodes, image, before, keep, on_progress)

    def banded_bytes(self, height: int, width: int) -> int:
        return banded.peak_bytes(self._nodes, height, width)


def values_per_pixel(nodes: dict[str, layer_graph.Node]) -> float:
    """Return the number of float32 values that a generator's largest tensor has for each pixel of a picture."""
    shapes = layer_graph.tensor_shapes(nodes, 1024, 1024).values()
    return max(np.prod(shape) for shape in shapes) / 1024**2
