"""The runtime of a .tflite file, in the interpreter that phones use."""

from pathlib import Path

import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.runtime import Runtime, first_layer_values
from cartoongan_tf.inference.tflite_model import TFLiteGenerator
from cartoongan_tf.models import kernel_limits, pixels

_PEAK_TENSORS = 7.5


class TFLiteRuntime(Runtime):
    """A generator from a .tflite file that takes pictures of any size."""

    name = "a .tflite file"
    peak_tensors = _PEAK_TENSORS

    def __init__(self, generator: TFLiteGenerator):
        self._generator = generator
        # Kernels are stored as [out, height, width, in] here.
        shapes = [np.roll(shape, -1) for shape in generator.tensor_shapes]
        self.values_per_pixel = first_layer_values(shapes)

    @classmethod
    def load(cls, path: Path) -> "TFLiteRuntime":
        """Load a .tflite file.

        Raises:
          InputError: the file is damaged, or takes pictures of one size only.
        """
        generator = TFLiteGenerator.load(path)
        if generator.size:
            height, width = generator.size
            raise InputError(
                f"{path}: takes only tensors of {width} x {height} pixels, for use in an app; use the file without a "
                "size in its name, which gives the same cartoons"
            )
        return cls(generator)

    @property
    def most_values(self) -> int:
        return kernel_limits.most_values(on_gpu=True) // 2  # XNNPACK copies nothing, and counts in 32 bits as GPUs do

    def draw(self, image: np.ndarray) -> np.ndarray:
        cartoons = pixels.cartoonize(lambda photo: self._generator(np.asarray(photo)), image)
        return np.asarray(cartoons)
