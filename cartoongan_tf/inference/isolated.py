"""A `Cartoonizer` in a process of its own, for programs: if that process dies, it costs one picture or film.

The kernels of TensorFlow and LiteRT end their process where they meet something unexpected, and the system ends a
process that takes too much memory. The program that asked for the cartoon continues with the next file.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cartoongan_tf.base import machine, program
from cartoongan_tf.base.errors import InputError, first_line
from cartoongan_tf.base.worker import Report, Worker, WorkerDied

if TYPE_CHECKING:
    from cartoongan_tf.inference.planning import Method

_ADVICE = "--drawing_size draws it smaller, --method=banded in less memory"


class IsolatedCartoonizer:
    """A `Cartoonizer` in another process. Its first call loads the model."""

    def __init__(self, worker: Worker, on_progress: Report):
        self._worker = worker
        self._on_progress = on_progress

    def load(self) -> None:
        """Load the model now.

        Raises:
          InputError: as `Cartoonizer.load`, or the process ended.
        """
        try:
            self._worker.call("load")
        except WorkerDied as death:
            raise InputError(
                f"--model: the process that loaded it ended ({death}); give it again, or free memory"
            ) from death

    def __call__(self, photo: np.ndarray, strength: float = 1.0, keep_colors: bool = False) -> np.ndarray:
        """Cartoonize as `Cartoonizer.__call__` does.

        Raises:
          ValueError: as `Cartoonizer`.
          InputError: as `Cartoonizer`, or the process ended.
        """
        return self._call("photo", photo, strength, keep_colors)

    def film(
        self, keep_statistics: float, keep_drawing: float, strength: float = 1.0, keep_colors: bool = False
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Begin a film, as `Cartoonizer.film` does. It replaces the film before."""
        self._call("film", keep_statistics, keep_drawing, strength, keep_colors)
        return lambda frames: self._call("frames", frames)

    def _call(self, *request):
        try:
            return self._worker.call(*request, on_progress=self._on_progress)
        except WorkerDied as death:
            raise InputError(f"the process that drew it ended ({death}); {_ADVICE}") from death


@contextlib.contextmanager
def isolated_cartoonizer(
    model: str, method: "Method", drawing_size: int | None, on_progress: Report, num_threads: int = 0
) -> Iterator[IsolatedCartoonizer]:
    """Yield a cartoonizer in a process that lives as long as the block.

    Args:
      model, method, drawing_size: as in `Cartoonizer.load`.
      on_progress: called in the thread that asked for a picture, with the completed share of it, from 0 to 1.
      num_threads: number of threads to draw with; 0: one for each CPU that this process may use.
    """
    with Worker(load_in_process, model, method, drawing_size, num_threads) as worker:
        yield IsolatedCartoonizer(worker, on_progress)


def load_in_process(
    report: Report, model: str, method: "Method", drawing_size: int | None, num_threads: int = 0
) -> Callable:
    """Load the model in the process that runs it, and return the function that answers requests."""
    if num_threads:
        machine.limit_threads(num_threads)
        cv2.setNumThreads(num_threads)
    from cartoongan_tf.inference.cartoonizer import Cartoonizer

    with program.stderr_held_back():  # LiteRT says there that it uses the CPU
        cartoonizer = Cartoonizer.load(model, method, report, drawing_size)
    film: Callable | None = None

    def answer(kind: str, *values):
        nonlocal film
        match kind:
            case "photo":
                return _with_short_errors(cartoonizer, *values)
            case "film":
                film = cartoonizer.film(*values)
            case "frames":
                assert film, "a film begins with a call of its own"
                return _with_short_errors(film, *values)

    return answer


def _with_short_errors(function: Callable, *values) -> np.ndarray:
    """Call a cartoonizer; report TensorFlow's and memory errors in one sentence, as they cannot leave the process."""
    try:
        return function(*values)
    except InputError:
        raise
    except Exception as error:
        if not program.is_from_outside(error):
            raise
        raise InputError(f"cannot be drawn ({first_line(error)}); {_ADVICE}") from None
