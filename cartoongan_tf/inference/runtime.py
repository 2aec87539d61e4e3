"""The interface of runtimes, each of which runs a trained generator from one kind of file."""

import abc
import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from cartoongan_tf.base.errors import first_line
from cartoongan_tf.models import kernel_limits

# The statistics of a film's frames so far: mean and variance of each norm, one after another, float32 [1, 1, 1, S].
Statistics = np.ndarray

PEAK_TENSORS = 4.5  # measured with the .keras file at 1024 px
_FIRST_LAYER_CHANNELS = 64  # the paper's, where the file does not show them


class Runtime(abc.ABC):
    """A generator that can be run.

    Attributes:
      name: kind of the file with its article, for messages.
      values_per_pixel: number of float32 values that the largest known tensor has for each pixel of a picture.
      has_bands: whether `draw_in_bands` and `banded_bytes` are available.
      has_statistics: whether `draw_film` is available, and bands return statistics.
      peak_tensors: memory that a picture takes in one piece, as a multiple of the largest tensor.
    """

    name: str
    values_per_pixel: float
    has_bands = False
    has_statistics = False
    peak_tensors = PEAK_TENSORS

    @property
    def held_bytes(self) -> float:
        """Memory that the runtime keeps from the last picture, and uses again for the next one."""
        return 0.0

    @property
    def bytes_per_pixel(self) -> float:
        """Memory that a picture takes in one piece, for each of its pixels."""
        return self.peak_tensors * 4 * self.values_per_pixel

    @property
    def most_values(self) -> int:
        """The most values that the largest tensor may have in one piece."""
        # Only the first layer's size is known; a later one may be twice as large.
        return kernel_limits.most_values(on_gpu=has_gpu()) // 2

    @property
    def most_values_before_bands(self) -> int:
        """The most values that the largest tensor may have before bands are better."""
        return self.most_values

    @abc.abstractmethod
    def draw(self, image: np.ndarray) -> np.ndarray:
        """Run on pictures in one piece: uint8 RGB [N, H, W, 3] -> the same. Safe to call from several threads.

        Raises:
          MemoryError: the device has too little memory.
        """

    def draw_film(
        self, frames: np.ndarray, before: Statistics | None, keep: np.ndarray
    ) -> tuple[np.ndarray, Statistics]:
        """Run on consecutive frames of a film in one piece each, with statistics averaged over time.

        Args:
          frames: uint8 RGB [N, H, W, 3].
          before: the statistics after the frames before; None at the beginning.
          keep: share of the statistics before it that each frame keeps, float32 [N], from 0 to below 1; 0 where a
            shot begins.

        Returns:
          uint8 RGB [N, H, W, 3], and the statistics after the last frame.

        Raises:
          MemoryError: the device has too little memory.
        """
        raise NotImplementedError(f"{self.name} has no statistics")

    def draw_in_bands(
        self,
        image: np.ndarray,
        before: Statistics | None,
        keep: float,
        on_progress: Callable[[float], None],
    ) -> tuple[np.ndarray, Statistics | None]:
        """Run on one picture, or one frame of a film, in bounded memory.

        Args:
          image: uint8 RGB [H, W, 3].
          before, keep: as in `draw_film` for one frame; None and 0 for a picture.
          on_progress: called with the completed share of the work, from 0 to 1.

        Returns:
          uint8 RGB [H, W, 3], and the statistics after it; None of a runtime without statistics.
        """
        raise NotImplementedError(f"{self.name} has no bands")

    def banded_bytes(self, height: int, width: int) -> int:
        """Return the memory that `draw_in_bands` takes."""
        raise NotImplementedError(f"{self.name} has no bands")


def first_layer_values(shapes: list) -> int:
    """Return the number of channels after the first layer, whose kernel is [height, width, 3, channels]."""
    channels = [int(shape[3]) for shape in shapes if len(shape) == 4 and shape[2] == 3]
    return max(channels, default=_FIRST_LAYER_CHANNELS)


def has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


@contextlib.contextmanager
def device_memory_errors() -> Iterator[None]:
    """Raise MemoryError where the device runs out of memory in the block."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(first_line(error)) from error
