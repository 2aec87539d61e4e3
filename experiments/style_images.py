"""Style pictures for methods that take one: the cartoon most like a photo in content, and one drawn by lot.

The paper's authors chose the former by hand. Here it is the cartoon whose relu5_1 features, averaged over 4x4 cells,
have the largest cosine with the photo's: what is in the picture, and about where.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels, vgg19

_LAYER, _SIDE_PX, _CELLS = "block5_conv1", 256, 4


class StyleImages:
    """Cartoons to choose from."""

    def __init__(self, files: Sequence[Path], long_side: int, vgg19_weights: str, seed: int):
        """
        Args:
          files: of the cartoons; those that cannot be read are left out.
          long_side: to shrink them to, in pixels.
          vgg19_weights: as of `vgg19.build_vgg19_features`.
          seed: of the lot, and of random weights.

        Raises:
          InputError: none can be read, or the weights cannot be had.
        """
        self._features = vgg19.build_vgg19_layers(vgg19_weights, [_LAYER], seed)
        self._seed, self._long_side, self.files, described = seed, long_side, [], []
        for file in tqdm(files, desc="comparing cartoons", unit="picture", leave=False):
            with contextlib.suppress(InputError):
                described.append(self._described(self._read(file)))
                self.files.append(file)
        if not described:
            raise InputError(f"{files[0].parent}: no cartoon in it can be read")
        self._described_pictures = np.stack(described)

    def pictures(self) -> Iterator[np.ndarray]:
        """All of them, read one by one: uint8 RGB [H, W, 3]."""
        for file in tqdm(self.files, desc="reading cartoons", unit="picture", leave=False):
            yield self._read(file)

    def most_alike(self, photo: np.ndarray) -> np.ndarray:
        """The cartoon most like a photo, uint8 RGB [H, W, 3] both."""
        return self._read(self.files[int(np.argmax(self._described_pictures @ self._described(photo)))])

    def by_lot(self, number: int) -> np.ndarray:
        """A cartoon for the photo of that number."""
        return self._read(self.files[np.random.default_rng((self._seed, number)).integers(len(self.files))])

    def _read(self, file: Path) -> np.ndarray:
        return pictures.shrink(pictures.read_picture(file), self._long_side)

    def _described(self, picture: np.ndarray) -> np.ndarray:
        square = cv2.resize(picture, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        features = np.asarray(self._features(pixels.to_float(square[np.newaxis]))[0])[0].astype(np.float32)
        side = len(features) // _CELLS
        cells = features.reshape(_CELLS, side, _CELLS, side, -1).mean((1, 3)).ravel()
        return cells / max(float(np.linalg.norm(cells)), 1e-12)
