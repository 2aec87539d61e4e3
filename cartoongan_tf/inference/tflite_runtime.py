"""The runtime of a .tflite file, in the interpreter that phones use. It needs neither TensorFlow nor Keras."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference import openvino_model, tiles
from cartoongan_tf.inference.openvino_model import FasterFromSecond
from cartoongan_tf.inference.runtime import Runtime, Statistics, first_layer_values
from cartoongan_tf.inference.tflite_facts import TFLiteFacts
from cartoongan_tf.inference.tflite_model import TFLiteGenerator
from cartoongan_tf.models import kernel_limits
from cartoongan_tf.models.picture_sizes import pad_to_fit

# Measured: with the paper's generator, and with a light one, whose largest tensor TFLite does not need.
_PEAK_TENSORS = 7.5
_PEAK_TENSORS_OF_LIGHT = 4.0


class TFLiteRuntime(Runtime):
    """A generator from a .tflite file that takes pictures of any size."""

    name = "a .tflite file"
    peak_tensors = _PEAK_TENSORS

    def __init__(
        self,
        generator: TFLiteGenerator,
        facts: TFLiteFacts | None,
        draw_picture: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        """
        Args:
          generator: the file's generator.
          facts: what the file says of it; None for a file without facts.
          draw_picture: a faster function that draws pictures as `generator` does; None: there is none.
        """
        self._generator = generator
        self._draw_picture = draw_picture or generator
        self._facts = facts
        self._held_bytes = 0.0
        self.has_statistics = generator.no_statistics is not None
        if facts:
            self.values_per_pixel = facts.values_per_pixel
            self.has_bands = facts.reach is not None
            self.peak_tensors = _PEAK_TENSORS if facts.reach is None else _PEAK_TENSORS_OF_LIGHT
        else:
            # Kernels are stored as [out, height, width, in] here.
            shapes = [np.roll(shape, -1) for shape in generator.tensor_shapes]
            self.values_per_pixel = first_layer_values(shapes)

    @classmethod
    def load(cls, path: Path) -> "TFLiteRuntime":
        """Load a .tflite file.

        Raises:
          InputError: the file is damaged, or takes pictures of one size only.
        """
        model = path.read_bytes()
        generator = TFLiteGenerator(model, path)
        if generator.size:
            height, width = generator.size
            raise InputError(
                f"{path}: takes only tensors of {width} x {height} pixels, for use in an app; use the file without a "
                "size in its name, which gives the same cartoons"
            )
        facts = TFLiteFacts.read(model)
        # Files that draw as Keras does are float32, and only for those has OpenVINO been compared.
        if facts and facts.keras_sha256 and openvino_model.is_faster_here():
            return cls(generator, facts, FasterFromSecond(generator, path, model))
        return cls(generator, facts)

    @property
    def held_bytes(self) -> float:
        return self._held_bytes

    @property
    def most_values(self) -> int:
        most = kernel_limits.most_values(on_gpu=True)  # XNNPACK copies nothing, and counts in 32 bits as GPUs do
        return most if self._facts else most // 2

    @property
    def most_values_before_bands(self) -> int:
        if not self.has_bands:
            return self.most_values
        return int(tiles.MAX_SIDE_PX**2 * self.values_per_pixel)

    def draw(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[1:3]
        # One by one: a batch of another size would prepare the interpreter anew.
        cartoons = [self._draw_fitting(pad_to_fit(picture)[np.newaxis]) for picture in image]
        return np.concatenate(cartoons)[:, :height, :width]

    def draw_film(
        self, frames: np.ndarray, before: Statistics | None, keep: np.ndarray
    ) -> tuple[np.ndarray, Statistics]:
        statistics = self._generator.no_statistics if before is None else before
        assert statistics is not None
        height, width = frames.shape[1:3]
        cartoons = []
        for frame, kept in zip(frames, keep, strict=True):
            photo = self._to_float(pad_to_fit(frame)[np.newaxis])
            cartoon, statistics = self._generator.draw_frame(photo, statistics, kept)
            cartoons.append(_to_uint8(cartoon))
        return np.concatenate(cartoons)[:, :height, :width], statistics

    def draw_in_bands(
        self,
        image: np.ndarray,
        before: Statistics | None,
        keep: float,
        on_progress: Callable[[float], None],
    ) -> tuple[np.ndarray, Statistics | None]:
        assert self._facts is not None and self._facts.reach is not None
        height, width = image.shape[:2]
        cartoon = tiles.draw_in_tiles(self._draw_fitting, pad_to_fit(image), self._facts.reach, on_progress)
        return cartoon[:height, :width], None

    def banded_bytes(self, height: int, width: int) -> int:
        num_pixels = height * width
        return int(self.bytes_per_pixel * min(num_pixels, tiles.MAX_SIDE_PX**2)) + 6 * num_pixels

    def _draw_fitting(self, photo: np.ndarray) -> np.ndarray:
        """Run on a picture whose sides are multiples of 4: uint8 RGB [1, H, W, 3] -> the same."""
        return _to_uint8(self._draw_picture(self._to_float(photo)))

    def _to_float(self, photo: np.ndarray) -> np.ndarray:
        """Return what the generator takes, for a picture uint8 RGB [1, H, W, 3], which it then holds memory for."""
        if self._draw_picture is self._generator:  # or else the next picture may be another runtime's
            self._held_bytes = self.bytes_per_pixel * photo.shape[1] * photo.shape[2]
        return photo.astype(np.float32) / np.float32(127.5) - np.float32(1)


def _to_uint8(cartoon: np.ndarray) -> np.ndarray:
    return np.round((cartoon + 1) * 127.5).clip(0, 255).astype(np.uint8)
