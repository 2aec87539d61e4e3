"""`Cartoonizer`, which turns photos into cartoons with a trained generator from a file of any kind."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cartoongan_tf import styles
from cartoongan_tf.inference.blending import blend_with_photo
from cartoongan_tf.inference.drawing_size import DrawingSize
from cartoongan_tf.inference.engine import Engine
from cartoongan_tf.inference.planning import Method, Plan
from cartoongan_tf.inference.runtime import Runtime
from cartoongan_tf.inference.runtimes import load_runtime
from cartoongan_tf.inference.steady import STEADINESS

if TYPE_CHECKING:
    from cartoongan_tf.inference.film_cartoonizer import FilmCartoonizer


def _ignore(done: float) -> None:
    pass


class Cartoonizer:
    """A trained generator that cartoonizes pictures and films; may be called from several threads.

    cartoonizer = Cartoonizer.load()
    cartoon = cartoonizer(photo)
    """

    def __init__(
        self,
        runtime: Runtime,
        method: Method = "auto",
        on_progress: Callable[[float], None] = _ignore,
        drawing_size: int = 0,
    ):
        """
        Args:
          runtime: the generator; `runtimes.load_runtime` loads it from a file.
          method: "whole" runs each picture in one piece. "banded" runs it in parts in bounded memory, with the same
            result within rounding: in tiles, or in bands of rows, which take about twice the time. "auto" uses tiles
            from a megapixel on, and bands for what the available memory, or TensorFlow's kernels on this processor
            (`kernel_limits`), cannot take in one piece.
          on_progress: called with the completed share of a picture, from 0 to 1, while it is run in parts.
          drawing_size: longer side, in pixels, at which larger pictures are drawn; their cartoons are enlarged to the
            size of the picture. 0 draws each picture at its own size.

        Raises:
          InputError: the method needs bands, and this runtime has none.
        """
        self._engine = Engine(runtime, method, on_progress)
        self._size = DrawingSize(drawing_size)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike = styles.DEFAULT,
        method: Method = "auto",
        on_progress: Callable[[float], None] = _ignore,
        drawing_size: int | None = None,
    ) -> "Cartoonizer":
        """Load a generator.

        Args:
          path: a .keras file, a SavedModel folder (or its parent, of which the newest version is used) or a .tflite
            file, as training and the exporter write them; or the name of a style that comes with the package.
          method, on_progress, drawing_size: as in the constructor; by default, a style has its own drawing size, and
            other models draw each picture at its own size.

        Raises:
          InputError: the path does not exist, or is no model that can be used.
        """
        if drawing_size is None:
            drawing_size = styles.drawing_size(path)
        return cls(load_runtime(styles.find_model(path)), method, on_progress, drawing_size)

    def __call__(self, photo: np.ndarray, strength: float = 1.0, keep_colors: bool = False) -> np.ndarray:
        """Cartoonize a picture, or a batch of pictures of one size.

        Args:
          photo: uint8 RGB [H, W, 3] or [N, H, W, 3], H and W from 1 up.
          strength: 1 is the cartoon, 0 the photo; values between mix the two.
          keep_colors: take only the lightness from the cartoon, and the colours from the photo.

        Returns:
          uint8 RGB of the same shape.

        Raises:
          ValueError: the array has another shape or dtype, or the strength is not from 0 to 1.
          InputError: the picture is too large for the available memory.
        """
        photo = np.asarray(photo)
        _check_array(photo)
        _check_strength(strength)
        photos = photo[np.newaxis] if photo.ndim == 3 else photo
        cartoons = self._size.enlarge(self._engine.run(self._size.shrink(photos)), photos)
        return blend_with_photo(photos, cartoons, strength, keep_colors).reshape(photo.shape)

    def film(
        self,
        keep_statistics: float = STEADINESS,
        keep_drawing: float = STEADINESS,
        strength: float = 1.0,
        keep_colors: bool = False,
    ) -> "FilmCartoonizer":
        """Return a cartoonizer for the frames of one film, in order: uint8 RGB [N, H, W, 3] -> the same.

        Still regions of the film stay still in the cartoon.

        Args:
          keep_statistics: share of the norms' statistics kept from frame to frame, from 0 to below 1; only a .keras
            file supports it, others ignore it.
          keep_drawing: share of the cartoon kept where the film stands still, from 0 to below 1.
          strength, keep_colors: as for a picture.

        Raises:
          ValueError: the strength is not from 0 to 1.
        """
        _check_strength(strength)
        from cartoongan_tf.inference.film_cartoonizer import FilmCartoonizer  # imports what finds cuts

        return FilmCartoonizer(self._engine, self._size, keep_statistics, keep_drawing, strength, keep_colors)

    def plan(self, height: int, width: int) -> Plan:
        """Return how pictures drawn at a size in pixels are run: in one piece or in parts, and how many at once.

        Raises:
          InputError: they are too large for the available memory.
        """
        return self._engine.plan(height, width)


def _check_array(photo: np.ndarray) -> None:
    if photo.dtype != np.uint8 or photo.ndim not in (3, 4) or photo.shape[-1] != 3 or 0 in photo.shape:
        raise ValueError(f"expected uint8 RGB [H, W, 3] or [N, H, W, 3], got {photo.dtype} {list(photo.shape)}")


def _check_strength(strength: float) -> None:
    if not 0 <= strength <= 1:
        raise ValueError(f"strength {strength} is not from 0 to 1")
