"""Drawings that take minutes each: made once, kept, and timed."""

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
from cartoongan_tf.evaluation.evaluator import Draw
from cartoongan_tf.media import pictures


class Drawings:
    """What a slow way makes of some photos; what is in its folder already is not drawn again.

    Attributes:
      secs_per_picture: the median.
    """

    def __init__(
        self,
        folder: Path,
        photos: Sequence[np.ndarray],
        draw: Callable[[int], np.ndarray],
        shaped_by: Callable[[int], Sequence[Any]],
    ):
        """
        Args:
          folder: of the way; for each drawing it holds HASH.png, and HASH.json with the seconds.
          photos: uint8 RGB [H, W, 3].
          draw: the number of a photo -> its drawing, of the same size.
          shaped_by: the number of a photo -> what else its drawing depends on, arrays or values: style picture, steps.
        """
        secs, self._drawings = [], {}
        for number in tqdm(range(len(photos)), desc=f"drawing {folder.name}", unit="picture"):
            name = _hash([photos[number], *shaped_by(number)])
            drawing, took = _made(folder / name, draw, number)
            secs.append(took)
            self._drawings[photos[number].tobytes()] = drawing
        self.secs_per_picture = statistics.median(secs)

    def way(self) -> Draw:
        """Photo -> drawing, for `Evaluator.row`."""
        return lambda photo: self._drawings[photo.tobytes()]


def _hash(values: Sequence[Any]) -> str:
    parts = ((each.shape, each.tobytes()) if isinstance(each, np.ndarray) else (repr(each), b"") for each in values)
    return hashlib.sha256(b"".join(f"{text}".encode() + content for text, content in parts)).hexdigest()[:16]


def _made(path: Path, draw: Callable[[int], np.ndarray], number: int) -> tuple[np.ndarray, float]:
    picture, note = path.with_name(f"{path.name}.png"), path.with_name(f"{path.name}.json")
    if not note.exists():
        start = time.perf_counter()
        drawn = draw(number)
        secs = time.perf_counter() - start
        pictures.write_picture(picture, drawn)
        atomic.write_json(note, {"secs": secs})  # last: both are there, or neither counts
    return pictures.read_picture(picture), json.loads(note.read_text())["secs"]
