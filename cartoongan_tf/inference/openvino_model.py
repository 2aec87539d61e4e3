"""A .tflite generator in OpenVINO, an optional package that is faster than LiteRT where it is used (docs/speed.md)."""

import hashlib
import importlib.util
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cartoongan_tf.base import machine
from cartoongan_tf.base.errors import first_line


def is_faster_here() -> bool:
    """Return whether OpenVINO is installed, and faster than LiteRT on this processor."""
    return machine.has_avx512() and importlib.util.find_spec("openvino") is not None


class OpenVINOGenerator:
    """A generator: float32 RGB [N, H, W, 3] in [-1, 1] -> the same; H and W multiples of 4 from 8 up."""

    def __init__(self, path: Path, num_threads: int | None = None):
        """
        Args:
          path: a .tflite file that takes float32 pictures of any size.
          num_threads: number of threads to compute with; None: one per CPU that this process may use.
        """
        import openvino

        core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": num_threads or machine.num_threads(),
            "INFERENCE_PRECISION_HINT": "f32",  # by default bfloat16 where the processor can, with other cartoons
            "ENABLE_CPU_PINNING": False,  # by default several processes would compute on the same CPUs
        }
        core.set_property("CPU", settings)
        self._model = core.compile_model(core.read_model(path), "CPU")

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        return self._model(photo)[0]


class FasterFromSecond:
    """A generator that draws its first picture or tile by LiteRT, the others by OpenVINO, which takes longer to start.

    Their cartoons differ by rounding. It may be called from several threads; they take turns, as each uses all
    processors.
    """

    def __init__(self, litert: Callable[[np.ndarray], np.ndarray], path: Path, model: bytes):
        """
        Args:
          litert: the generator in LiteRT.
          path: its .tflite file.
          model: content of the file. If OpenVINO cannot load it, or it has changed, LiteRT draws all pictures.
        """
        self._litert = litert
        self._path = path
        self._model_hash = hashlib.sha256(model).digest()
        self._others: Callable[[np.ndarray], np.ndarray] | None = None
        self._is_first = True
        self._turn = threading.Lock()

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        with self._turn:
            if self._is_first:
                self._is_first = False
                return self._litert(photo)
            if self._others is None:
                self._others = self._load_others()
            return self._others(photo)

    def _load_others(self) -> Callable[[np.ndarray], np.ndarray]:
        try:
            if hashlib.sha256(self._path.read_bytes()).digest() == self._model_hash:
                return OpenVINOGenerator(self._path)
        except (OSError, RuntimeError) as error:  # RuntimeError is OpenVINO's
            text = f"{self._path}: OpenVINO cannot load it ({first_line(error)}); LiteRT draws on"
            tqdm.write(text, file=sys.stderr)
        return self._litert
