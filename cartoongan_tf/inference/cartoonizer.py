"""`Cartoonizer`: one way to use a trained generator, whatever form its file has."""

import functools
import math
import os
from collections.abc import Callable
from typing import Literal

import numpy as np

from cartoongan_tf import styles
from cartoongan_tf.base import memory
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.blending import blend_with_photo
from cartoongan_tf.inference.runtimes import KerasRuntime, ModelForm, SavedModelRuntime, TFLiteRuntime
from cartoongan_tf.inference.steady import STEADINESS, SteadyDrawer, mixing_matrix

Method = Literal["auto", "whole", "banded"]
USABLE_SHARE = 0.8  # of the memory at hand: other programs need some too
_ONE_PIECE = "{} draws a picture in one piece; the .keras file can draw it in bands, in less memory"


def _ignore(done: float) -> None:
    pass


class Cartoonizer:
    """Draws pictures with a trained generator; may be called from several threads.

    cartoonizer = Cartoonizer.load()
    cartoon = cartoonizer(photo)
    """

    def __init__(self, form: ModelForm, method: Method = "auto", on_progress: Callable[[float], None] = _ignore):
        """
        Args:
          form: what draws; `load` finds it for a file.
          method: "whole" draws each picture in one piece, "banded" band after band in bounded memory, about half as
            fast and equal within rounding; "auto" draws in bands what the memory at hand, or TensorFlow's kernels on
            this processor (`kernel_limits`), cannot take in one piece.
          on_progress: called, while a picture is drawn in bands, with the share of it that is done, from 0 to 1.
        """
        if method == "banded" and not form.has_layers:
            raise InputError(f"{form.name} cannot draw in bands; give the .keras file, or another --method")
        self._form, self._method, self._on_progress = form, method, on_progress

    @classmethod
    def load(
        cls,
        path: str | os.PathLike = styles.DEFAULT,
        method: Method = "auto",
        on_progress: Callable[[float], None] = _ignore,
    ) -> "Cartoonizer":
        """Load a generator.

        Args:
          path: a .keras file, a SavedModel folder (or its parent, whose newest version is taken), or a .tflite
            file, as training and the exporter write them; or the name of a style that comes with the package.
          method, on_progress: see the class.

        Raises:
          InputError: there is nothing at the path, or nothing that can be used.
        """
        path = styles.find_model(path)
        if path.is_dir():
            return cls(SavedModelRuntime(path), method, on_progress)
        if path.suffix == ".tflite":
            return cls(TFLiteRuntime(path), method, on_progress)
        if path.suffix == ".keras":
            return cls(KerasRuntime(path), method, on_progress)
        raise InputError(
            f"{path}: not a model; give a .keras file (import_weights makes one of a .pth), a .tflite file or "
            "a SavedModel folder"
        )

    def __call__(self, photo: np.ndarray, strength: float = 1.0, keep_colors: bool = False) -> np.ndarray:
        """Draw a picture, or a batch of pictures of one size.

        Args:
          photo: uint8 RGB [H, W, 3] or [N, H, W, 3], H and W from 1 up.
          strength: 1 is the cartoon, 0 the photo, and between them a mixture.
          keep_colors: take only the light from the cartoon, and the colours from the photo.

        Returns:
          uint8 RGB of the same shape.

        Raises:
          ValueError: the array has another shape or dtype, or the strength is not from 0 to 1.
          InputError: the picture is too large for the memory at hand.
        """
        photo = np.asarray(photo)
        _check_array(photo)
        if not 0 <= strength <= 1:
            raise ValueError(f"strength {strength} is not from 0 to 1")
        photos = photo[np.newaxis] if photo.ndim == 3 else photo
        cartoons = blend_with_photo(photos, self._draw(photos), strength, keep_colors)
        return cartoons.reshape(photo.shape)

    def film(self, keep_statistics: float = STEADINESS, keep_drawing: float = STEADINESS) -> SteadyDrawer:
        """A drawer for the frames of one film, in their order: uint8 RGB [N, H, W, 3] -> the same.

        What stands still in the film stands still in the cartoon.

        Args:
          keep_statistics: share of the norms' statistics kept from frame to frame, from 0 to below 1; only a .keras
            file takes it.
          keep_drawing: share of the drawing kept where the film stands still, from 0 to below 1.
        """
        draw = functools.partial(self._draw_film, keep_statistics)
        return SteadyDrawer(draw, lambda height, width: max(1, self.num_at_once(height, width)), keep_drawing)

    def _draw(self, photos: np.ndarray) -> np.ndarray:
        height, width = photos.shape[1:3]
        limit = self.num_at_once(height, width)
        if limit:
            starts = range(0, len(photos), limit)
            try:
                with memory.promised(min(limit, len(photos)) * self._whole_bytes(height, width), USABLE_SHARE):
                    parts = [self._form.draw(photos[start : start + limit]) for start in starts]
                return parts[0] if len(parts) == 1 else np.concatenate(parts)
            except MemoryError as error:  # a GPU's, most often
                self._require_bands(error)
        with memory.promised(self._form.banded_bytes(height, width), USABLE_SHARE):
            return np.stack([self._draw_in_bands(photo)[0] for photo in photos])

    def _draw_in_bands(self, photo: np.ndarray, *statistics):
        return self._form.draw_in_bands(photo, *statistics, on_progress=self._on_progress)

    def _draw_film(self, keep_statistics: float, frames: np.ndarray, begins: list[bool], before):
        """The next frames of a film; see `SteadyDrawer`."""
        if not self._form.has_layers:
            return self._draw(frames), None
        if self.num_at_once(*frames.shape[1:3]):
            try:
                return self._form.draw_film(frames, before, mixing_matrix(begins, keep_statistics))
            except MemoryError as error:
                self._require_bands(error)
        cartoons = []
        for frame, shot_begins in zip(frames, begins, strict=True):
            cartoon, before = self._draw_in_bands(frame, before, mixing_matrix([shot_begins], keep_statistics))
            cartoons.append(cartoon)
        return np.stack(cartoons), before

    def _require_bands(self, error: MemoryError) -> None:
        """Raise InputError if a picture that is too large for the device in one piece cannot be drawn in bands."""
        if not self._form.has_layers:
            raise InputError(f"out of memory ({error}); {_ONE_PIECE.format(self._form.name)}") from error
        if self._method == "whole":
            raise InputError(f"out of memory ({error}); give --method=auto, or --long_side") from error

    def num_at_once(self, height: int, width: int) -> int:
        """Return how many pictures of that size to draw at once in one piece; 0: in bands.

        Raises:
          InputError: neither can be done.
        """
        values = self._form.values_per_pixel * height * width
        if self._method == "whole":
            if values > self._form.most_values:
                raise InputError(self._too_large(height, width, math.inf))
            return int(self._form.most_values / values)
        usable = USABLE_SHARE * memory.available_bytes()
        at_once = int(min(self._form.most_values_before_bands / values, usable / self._whole_bytes(height, width)))
        if self._method == "auto" and at_once:
            return at_once
        if not self._fits(height, width, usable):
            raise InputError(self._too_large(height, width, usable))
        return 0

    def _whole_bytes(self, height: int, width: int) -> float:
        return self._form.bytes_per_pixel * height * width

    def _fits_in_one_piece(self, height: int, width: int, usable: float) -> bool:
        """Return whether TensorFlow's kernels and the memory can take a picture of that size in one piece."""
        values = self._form.values_per_pixel * height * width
        return values <= self._form.most_values and self._whole_bytes(height, width) <= usable

    def _fits(self, height: int, width: int, usable: float) -> bool:
        """Return whether a picture of that size can be drawn, in bands if they may be used."""
        if self._fits_in_one_piece(height, width, usable):
            return True
        can_use_bands = self._form.has_layers and self._method != "whole"
        return can_use_bands and self._form.banded_bytes(height, width) <= usable

    def _too_large(self, height: int, width: int, usable: float) -> str:
        side, too_long = 0, max(height, width)  # the longest side that fits lies between
        while too_long - side > 8:
            middle = (side + too_long) // 2
            scale = middle / max(height, width)
            fits = self._fits(max(1, round(height * scale)), max(1, round(width * scale)), usable)
            side, too_long = (middle, too_long) if fits else (side, middle)
        advice = f"--long_side={side} fits" if side else "free some memory"
        if self._method == "whole" and self._form.has_layers:
            advice = f"leave out --method=whole, or give --long_side={side}"
        one_piece = "" if self._form.has_layers else f". {_ONE_PIECE.format(self._form.name)}"
        return f"{width} x {height} pixels {self._problem(height, width, usable)}; {advice}{one_piece}"

    def _problem(self, height: int, width: int, usable: float) -> str:
        needed = self._whole_bytes(height, width)
        if self._form.has_layers:
            needed = min(needed, self._form.banded_bytes(height, width))
        if needed > usable:
            return f"take about {needed / 1e9:.1f} GB to draw, and {usable / 1e9:.1f} GB can be used"
        return "are more than TensorFlow's kernels take in one piece on this machine"


def _check_array(photo: np.ndarray) -> None:
    if photo.dtype != np.uint8 or photo.ndim not in (3, 4) or photo.shape[-1] != 3 or 0 in photo.shape:
        raise ValueError(f"expected uint8 RGB [H, W, 3] or [N, H, W, 3], got {photo.dtype} {list(photo.shape)}")
