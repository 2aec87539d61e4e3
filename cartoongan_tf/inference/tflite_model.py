"""A .tflite generator in the interpreter that phones use."""

import os
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from cartoongan_tf.base import machine
from cartoongan_tf.base.errors import InputError, first_line
from cartoongan_tf.models.picture_sizes import MINIMUM_SIZE_PX

PHOTO = "photo"
CARTOON = "cartoon"
STATISTICS = "statistics"
KEEP = "keep"
PICTURE = "serving_default"
FILM = "film"


class Signature(NamedTuple):
    """The names of a signature's inputs and outputs, in order."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


SIGNATURES = {
    PICTURE: Signature((PHOTO,), (CARTOON,)),
    FILM: Signature((PHOTO, STATISTICS, KEEP), (CARTOON, STATISTICS)),
}


class TFLiteGenerator:
    """A generator: float32 RGB [N, H, W, 3] in [-1, 1] -> the same, whatever the file itself takes and gives.

    It may be called from several threads; they take turns, as an interpreter holds one picture at a time.

    Attributes:
      size: height and width that it takes, in pixels; None: any multiples of 4 from 8 up. For other sizes a call raises
        RuntimeError.
      dtype: type of the file's pictures: float32 in [-1, 1], or uint8 in 0..255.
      tensor_shapes: shapes of all tensors of the first signature, weights among them.
      no_statistics: the statistics with which `draw_frame` begins, float32 [1, 1, 1, S]; None: the file has no such
        signature, as those of generators without norms.
    """

    def __init__(self, model: bytes, name: str | os.PathLike, num_threads: int | None = None):
        """
        Args:
          model: content of a .tflite file.
          name: name of the file, for errors.
          num_threads: number of threads to compute with; None: one per CPU that this process may use.

        Raises:
          InputError: it is no .tflite file, or takes no RGB pictures.
        """
        if not model:
            raise InputError(f"{name}: an empty file; export it again")
        try:
            self._interpreter = Interpreter(model_content=model, num_threads=num_threads or machine.num_threads())
        except ValueError as error:
            raise InputError(f"{name}: not a .tflite file that can be read ({first_line(error)})") from error
        self._photo = self._interpreter.get_input_details()[0]
        self._cartoon = self._interpreter.get_output_details()[0]
        self._turn = threading.Lock()
        self.tensor_shapes = [details["shape"].tolist() for details in self._interpreter.get_tensor_details()]
        self.dtype = self._photo["dtype"]
        signature = self._photo["shape_signature"].tolist()
        if len(signature) != 4 or signature[3] != 3 or self.dtype not in (np.float32, np.uint8):
            raise InputError(
                f"{name}: takes {self.dtype.__name__} {signature}, where RGB pictures, float32 or uint8, were "
                "expected; export_model writes such files"
            )
        self.size = None if signature[1:3] == [-1, -1] else tuple(signature[1:3])
        self.no_statistics = self._find_statistics()
        try:
            if self.size is None:
                self._resize((1, MINIMUM_SIZE_PX, MINIMUM_SIZE_PX, 3))
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{name}: LiteRT cannot prepare it ({first_line(error)}); export it again") from error

    @classmethod
    def load(cls, path: Path, num_threads: int | None = None) -> "TFLiteGenerator":
        """Load a file; raises as the constructor does."""
        return cls(path.read_bytes(), path, num_threads)

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        return self._from_file(self._run(self._to_file(photo)))

    def draw_frame(self, photo: np.ndarray, statistics: np.ndarray, keep: float) -> tuple[np.ndarray, np.ndarray]:
        """Run on a frame of a film, with the norms' statistics averaged over time; without the signature, ValueError.

        Args:
          photo: float32 RGB [1, H, W, 3] in [-1, 1].
          statistics: those after the frame before, or `no_statistics`.
          keep: the share of them that is kept; 0 where a shot begins.

        Returns:
          the cartoon, float32 RGB [1, H, W, 3] in [-1, 1], and the statistics after it.
        """
        inputs = {PHOTO: self._to_file(photo), STATISTICS: statistics, KEEP: np.full(1, keep, np.float32)}
        with self._turn:
            # A new runner each time, without a name: while one exists, the interpreter takes no other size of pictures.
            outputs = self._interpreter.get_signature_runner(FILM)(**inputs)
        return self._from_file(outputs[CARTOON]), outputs[STATISTICS]

    def _find_statistics(self) -> np.ndarray | None:
        signatures = self._interpreter.get_signature_list()
        if FILM not in signatures or set(signatures[FILM]["inputs"]) != set(SIGNATURES[FILM].inputs):
            return None
        details = self._interpreter.get_signature_runner(FILM).get_input_details()
        return np.zeros(details[STATISTICS]["shape"], np.float32)

    def _to_file(self, photo: np.ndarray) -> np.ndarray:
        if self.dtype == np.float32:
            return photo
        return np.round((photo + 1.0) * 127.5).clip(0, 255).astype(np.uint8)

    def _from_file(self, cartoon: np.ndarray) -> np.ndarray:
        return cartoon if self.dtype == np.float32 else cartoon.astype(np.float32) / 127.5 - 1.0

    def _run(self, photo: np.ndarray) -> np.ndarray:
        with self._turn:
            self._resize(photo.shape)
            self._interpreter.set_tensor(self._photo["index"], photo)
            self._interpreter.invoke()
            return self._interpreter.get_tensor(self._cartoon["index"])

    def _resize(self, shape: tuple[int, ...]) -> None:
        self._interpreter.resize_tensor_input(self._photo["index"], shape, strict=True)
        self._interpreter.allocate_tensors()
