"""A `Cartoonizer` in a process of its own, for programs: what ends that process costs one picture or film.

TensorFlow's kernels end their process where they meet what they do not expect, and the system ends one that takes too
much memory. The program that asked for the drawing goes on with the next.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator

import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.worker import Report, Worker, WorkerDied

_ADVICE = "--long_side draws it smaller, --method=banded in less memory"


class IsolatedCartoonizer:
    """Draws as `Cartoonizer` does; its first call loads the model."""

    def __init__(self, worker: Worker, on_progress: Report):
        self._worker, self._on_progress = worker, on_progress

    def load(self) -> None:
        """Load the model now.

        Raises:
          InputError: see `Cartoonizer.load`.
        """
        try:
            self._worker.call("load")
        except WorkerDied as death:
            raise InputError(
                f"--model: the process that loaded it ended ({death}); give it again, or free memory"
            ) from death

    def __call__(self, photos: np.ndarray) -> np.ndarray:
        """Draw pictures of one size: uint8 RGB [N, H, W, 3] -> the same.

        Raises:
          InputError: they cannot be drawn, or the process ended.
        """
        return self._call("photos", photos)

    def film(self, keep_statistics: float, keep_drawing: float) -> Callable[[np.ndarray], np.ndarray]:
        """Begin a film; see `Cartoonizer.film`. There is one at a time."""
        self._call("film", keep_statistics, keep_drawing)
        return lambda frames: self._call("frames", frames)

    def _call(self, *request):
        try:
            return self._worker.call(*request, on_progress=self._on_progress)
        except WorkerDied as death:
            raise InputError(f"the process that drew it ended ({death}); {_ADVICE}") from death


@contextlib.contextmanager
def isolated_cartoonizer(model: str, method: str, on_progress: Report) -> Iterator[IsolatedCartoonizer]:
    """Yield what draws with a model, in a process that lives as long as the block.

    Args:
      model, method: see `Cartoonizer.load`.
      on_progress: called in the thread that asked for a picture, with the share of it that is done, from 0 to 1.
    """
    with Worker(load_in_process, model, method) as worker:
        yield IsolatedCartoonizer(worker, on_progress)


def load_in_process(report: Report, model: str, method: str) -> Callable:
    """Load the model in the process that draws."""
    program.start_tensorflow()
    from cartoongan_tf.inference.cartoonizer import Cartoonizer

    cartoonizer, films = Cartoonizer.load(model, method, report), []

    def answer(kind: str, *values):
        match kind:
            case "photos":
                return _explain(cartoonizer, *values)
            case "film":
                films[:] = [cartoonizer.film(*values)]
            case "frames":
                return _explain(films[0], *values)

    return answer


def _explain(draw: Callable[[np.ndarray], np.ndarray], photos: np.ndarray) -> np.ndarray:
    """Draw, and turn what TensorFlow and the memory say into one sentence: their errors cannot leave the process."""
    try:
        return draw(photos)
    except (MemoryError, sys.modules["tensorflow"].errors.OpError) as error:
        raise InputError(f"cannot be drawn ({str(error).partition(chr(10))[0]}); {_ADVICE}") from None
