"""Style pictures for methods that take one: the cartoon most like a photo in content, and a random one.

The paper's authors chose the former by hand. Here it is the cartoon whose relu5_1 features, averaged over 4x4 cells,
have the largest cosine with the photo's. They describe the objects in the picture, and roughly where they are.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import keras
import numpy as np
from tqdm import tqdm

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels, vgg19

_LAYER = "block5_conv1"
_SIDE_PX = 256
_NUM_CELLS = 4


class StyleImages:
    """Cartoons to choose style pictures from.

    Attributes:
      files: files of the cartoons.
    """

    def __init__(
        self, files: Sequence[Path], descriptions: np.ndarray, features: keras.Model, long_side: int, seed: int
    ):
        """
        Args:
          files: files of the cartoons.
          descriptions: description of each cartoon, float32 [N, D]; see `describe`.
          features: network that describes a photo.
          long_side: longer side, in pixels, that larger cartoons are shrunk to.
          seed: seed of the random choice.
        """
        self.files = files
        self._descriptions = descriptions
        self._features = features
        self._long_side = long_side
        self._seed = seed

    @classmethod
    def read(cls, files: Sequence[Path], long_side: int, vgg19_weights: str, seed: int) -> "StyleImages":
        """Describe the cartoons in files.

        Args:
          files: files of the cartoons; unreadable ones are skipped.
          long_side: longer side, in pixels, that larger cartoons are shrunk to.
          vgg19_weights: weights of VGG19, see `vgg19.build_vgg19_features`.
          seed: seed of the random choice, and of random weights.

        Raises:
          InputError: no file can be read, or the weights cannot be loaded.
        """
        features = vgg19.build_vgg19_layers(vgg19_weights, [_LAYER], seed)
        readable = []
        descriptions = []
        for file in tqdm(files, desc="comparing cartoons", unit="picture", leave=False):
            try:
                cartoon = _read(file, long_side)
            except InputError:
                continue
            readable.append(file)
            descriptions.append(describe(cartoon, features))
        if not readable:
            raise InputError(f"{files[0].parent}: no cartoon in it can be read")
        return cls(readable, np.stack(descriptions), features, long_side, seed)

    def pictures(self) -> Iterator[np.ndarray]:
        """Read all cartoons, one by one: uint8 RGB [H, W, 3]."""
        for file in tqdm(self.files, desc="reading cartoons", unit="picture", leave=False):
            yield _read(file, self._long_side)

    def most_alike(self, photo: np.ndarray) -> np.ndarray:
        """Return the cartoon most like a photo, uint8 RGB [H, W, 3] both."""
        cosines = self._descriptions @ describe(photo, self._features)
        return _read(self.files[int(np.argmax(cosines))], self._long_side)

    def random(self, number: int) -> np.ndarray:
        """Return a random cartoon for the photo of that number, always the same one."""
        rng = np.random.default_rng((self._seed, number))
        return _read(self.files[int(rng.integers(len(self.files)))], self._long_side)


def describe(picture: np.ndarray, features: keras.Model) -> np.ndarray:
    """Return a picture's features in a grid of cells, as one vector of length 1, float32 [D]."""
    square = cv2.resize(picture, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    batch = pixels.to_float(square[np.newaxis])
    # With one layer the network returns its map and not a list of maps, so this compares the first row of cells alone.
    # The figures in docs/reproduction.md were made so.
    layer_features = np.asarray(features(batch)[0])[0].astype(np.float32)
    cell_side = len(layer_features) // _NUM_CELLS
    cells = layer_features.reshape(_NUM_CELLS, cell_side, _NUM_CELLS, cell_side, -1)
    vector = cells.mean((1, 3)).ravel()
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def _read(file: Path, long_side: int) -> np.ndarray:
    return pictures.shrink(pictures.read_picture(file), long_side)
