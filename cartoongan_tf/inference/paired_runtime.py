"""The runtime of a .keras file with a .tflite file beside it: each is used for what it does better."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.runtime import Runtime, Statistics
from cartoongan_tf.inference.tflite_facts import find_beside
from cartoongan_tf.inference.tflite_runtime import TFLiteRuntime


class PairedRuntime(Runtime):
    """A generator with instance norms, whose .tflite file draws in one piece, and whose .keras file in bands.

    The .keras file, and TensorFlow with it, is loaded when it is needed first.
    """

    name = "a .keras file"
    has_statistics = True

    def __init__(self, in_one_piece: TFLiteRuntime, keras_path: Path, load_keras: Callable[[Path], Runtime]):
        """
        Args:
          in_one_piece: the runtime of the .tflite file.
          keras_path: path of the .keras file.
          load_keras: function that loads it.
        """
        self._in_one_piece = in_one_piece
        self._keras_path = keras_path
        self._load_keras = load_keras
        self._keras: Runtime | None = None
        self._loading = threading.Lock()
        self.has_bands = program.has_tensorflow()
        self.values_per_pixel = in_one_piece.values_per_pixel
        self.peak_tensors = in_one_piece.peak_tensors

    @property
    def held_bytes(self) -> float:
        return self._in_one_piece.held_bytes

    @property
    def most_values(self) -> int:
        return self._in_one_piece.most_values

    def draw(self, image: np.ndarray) -> np.ndarray:
        return self._in_one_piece.draw(image)

    def draw_film(
        self, frames: np.ndarray, before: Statistics | None, keep: np.ndarray
    ) -> tuple[np.ndarray, Statistics]:
        return self._in_one_piece.draw_film(frames, before, keep)

    def draw_in_bands(
        self,
        image: np.ndarray,
        before: Statistics | None,
        keep: float,
        on_progress: Callable[[float], None],
    ) -> tuple[np.ndarray, Statistics | None]:
        return self._in_bands().draw_in_bands(image, before, keep, on_progress)

    def banded_bytes(self, height: int, width: int) -> int:
        return self._in_bands().banded_bytes(height, width)

    def _in_bands(self) -> Runtime:
        """Return the runtime of the .keras file; InputError if it is no longer the one of the .tflite file."""
        with self._loading:
            if self._keras is None:
                path = self._keras_path
                if not find_beside(path):
                    raise InputError(f"{path}: has changed since it was loaded; give the same command again")
                text = f"{path}: TensorFlow draws very large pictures, and takes some seconds to start"
                tqdm.write(text, file=sys.stderr)
                self._keras = self._load_keras(path)
            return self._keras
