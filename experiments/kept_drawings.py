"""Drawings that take minutes each: made once, kept in files, and timed."""

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from cartoongan_tf.base import atomic
from cartoongan_tf.media import pictures


class Drawings:
    """The drawings of some photos by a slow method.

    Attributes:
      secs_per_picture: median time of a drawing.
    """

    def __init__(self, drawings_by_photo: dict[bytes, np.ndarray], secs_per_picture: float):
        self.secs_per_picture = secs_per_picture
        self._drawings_by_photo = drawings_by_photo

    @classmethod
    def make(
        cls,
        folder: Path,
        photos: Sequence[np.ndarray],
        draw: Callable[[int], np.ndarray],
        shaped_by: Callable[[int], Sequence[Any]],
    ) -> "Drawings":
        """Draw photos, or read their drawings if they are in the folder already.

        Args:
          folder: folder of the method; for each drawing it holds HASH.png, and HASH.json with the seconds.
          photos: uint8 RGB [H, W, 3].
          draw: function of a photo's number that returns its drawing, of the same size.
          shaped_by: function of a photo's number that returns the other inputs of its drawing, arrays or values: a
            style picture, the number of steps.
        """
        secs = []
        drawings_by_photo = {}
        for number, photo in enumerate(tqdm(photos, desc=f"drawing {folder.name}", unit="picture")):
            path = folder / _hash([photo, *shaped_by(number)])
            drawing, drawing_secs = _drawn_or_read(path, draw, number)
            secs.append(drawing_secs)
            drawings_by_photo[photo.tobytes()] = drawing
        return cls(drawings_by_photo, statistics.median(secs))

    def draw(self, photo: np.ndarray) -> np.ndarray:
        """Return the drawing of one of the photos."""
        return self._drawings_by_photo[photo.tobytes()]


def _hash(values: Sequence[Any]) -> str:
    digest = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            digest.update(f"{value.shape}".encode() + value.tobytes())
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()[:16]


def _drawn_or_read(path: Path, draw: Callable[[int], np.ndarray], number: int) -> tuple[np.ndarray, float]:
    """Return a drawing and its seconds."""
    picture = path.with_name(f"{path.name}.png")
    note = path.with_name(f"{path.name}.json")
    if not note.exists():
        start = time.perf_counter()
        drawing = draw(number)
        secs = time.perf_counter() - start
        pictures.write_picture(picture, drawing)
        atomic.write_json(note, {"secs": secs})  # written last: an interrupted drawing has no note and is made again
    return pictures.read_picture(picture), json.loads(note.read_text())["secs"]
