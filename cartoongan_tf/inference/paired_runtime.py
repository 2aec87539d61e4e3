"""The runtime of a .keras file with a .tflite file beside it: each is used for what it does better."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.runtime import Runtime, Statistics
from cartoongan_tf.inference.tflite_facts import find_beside
from cartoongan_tf.inference.tflite_runtime import TFLiteRuntime


class PairedRuntime(Runtime):
    """A generator whose .tflite file draws pictures, and whose .keras file draws films and in bands.

    The .keras file, and TensorFlow with it, is loaded when it is needed first.
    """

    name = "a .keras file"
    has_bands = True
    has_statistics = True

    def __init__(self, of_pictures: TFLiteRuntime, keras_path: Path, load_keras: Callable[[Path], Runtime]):
        """
        Args:
          of_pictures: the runtime of the .tflite file.
          keras_path: path of the .keras file.
          load_keras: function that loads it.
        """
        self._of_pictures = of_pictures
        self._keras_path = keras_path
        self._load_keras = load_keras
        self._keras: Runtime | None = None
        self._loading = threading.Lock()
        self.values_per_pixel = of_pictures.values_per_pixel
        self.peak_tensors = of_pictures.peak_tensors

    @property
    def of_films(self) -> Runtime:
        """The runtime of the .keras file.

        Raises:
          InputError: it is no longer the one that the .tflite file was made from.
        """
        with self._loading:
            if self._keras is None:
                path = self._keras_path
                if not find_beside(path):
                    raise InputError(f"{path}: has changed since it was loaded; give the same command again")
                text = f"{path}: TensorFlow draws films and very large pictures, and takes some seconds to start"
                tqdm.write(text, file=sys.stderr)
                self._keras = self._load_keras(path)
            return self._keras

    @property
    def held_bytes(self) -> float:
        return self._of_pictures.held_bytes

    @property
    def most_values(self) -> int:
        return self._of_pictures.most_values

    def draw(self, image: np.ndarray) -> np.ndarray:
        return self._of_pictures.draw(image)

    def draw_in_bands(
        self,
        image: np.ndarray,
        before: Statistics | None,
        mixing: np.ndarray | None,
        on_progress: Callable[[float], None],
    ) -> tuple[np.ndarray, Statistics]:
        return self.of_films.draw_in_bands(image, before, mixing, on_progress)

    def banded_bytes(self, height: int, width: int) -> int:
        return self.of_films.banded_bytes(height, width)
