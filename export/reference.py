"""The generator to export, as the reference that every exported file is compared with."""

from collections.abc import Callable

import keras
import numpy as np

from export import parity

Size = tuple[int, int] | None  # height and width in pixels; None: each photo's own


class Reference:
    """A generator, and the photos to compare exported files on.

    Attributes:
      generator: float32 RGB [N, H, W, 3] in [-1, 1] -> the same.
      photos: uint8 RGB [H, W, 3] each.
      keras_sha256: SHA-256 of the generator's .keras file.
    """

    def __init__(self, generator: keras.Model, photos: list[np.ndarray], keras_sha256: str = ""):
        self.generator = generator
        self.photos = photos
        self.keras_sha256 = keras_sha256
        self._cartoons: dict[Size, list[np.ndarray]] = {}

    def compare(self, run: Callable[[np.ndarray], np.ndarray], size: Size = None) -> parity.Parity:
        """Compare an exported file with the generator on all photos.

        Args:
          run: runs the file; float32 RGB [1, H, W, 3] in [-1, 1] -> the same.
          size: the size to bring all photos to.
        """
        photos = [parity.fitting(photo, size) for photo in self.photos]
        if size not in self._cartoons:
            with parity.on_cpu():
                self._cartoons[size] = [np.asarray(self.generator(photo)) for photo in photos]
        return parity.compare([run(photo) for photo in photos], self._cartoons[size])
