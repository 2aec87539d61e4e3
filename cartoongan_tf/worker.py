"""Something to call in a process of its own: what ends that process costs the call in hand, and nothing else."""

import contextlib
import multiprocessing
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

_RESULT, _ERROR, _PROGRESS = "result", "error", "progress"

Report = Callable[[float], None]


class WorkerDied(Exception):
    """The process ended in the middle of a call; the message says by what."""


class Worker:
    """A process that loads something once and calls it whenever it is asked to; a context manager.

    The process is started at the first call, and again at the first call after it died. Calls from several threads
    wait for each other.
    """

    def __init__(self, load: Callable[..., Callable], *args):
        """
        Args:
          load: called in the process with a function that reports progress, from 0 to 1, and with `args`; returns what
            is to be called. To be found by its name in a module.
        """
        self._load, self._args = load, args
        self._process: multiprocessing.Process | None = None
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, *args, on_progress: Report = lambda done: None) -> Any:
        """Return what the call returns, or raise what it raises.

        Raises:
          WorkerDied: the process ended before it answered.
        """
        with self._lock:
            try:
                if self._process is None:
                    self._start()
                self._connection.send(args)
                return self._answer(on_progress)
            except (EOFError, ConnectionError) as error:
                raise WorkerDied(self._bury()) from error

    def close(self) -> None:
        """End the process at once, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, its_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(its_end, self._load, self._args), daemon=True)
        self._process.start()
        its_end.close()
        try:
            self._answer(lambda done: None)
        except (EOFError, ConnectionError):
            raise
        except Exception:
            self._bury()
            raise

    def _answer(self, on_progress: Report) -> Any:
        while True:
            kind, value = self._connection.recv()
            if kind == _RESULT:
                return value
            if kind == _ERROR:
                raise value
            on_progress(value)

    def _bury(self) -> str:
        """Wait for the process to end, and forget it; return by what it ended."""
        self._process.join()
        code, self._process = self._process.exitcode, None
        self._connection.close()
        return signal.Signals(-code).name if (code or 0) < 0 else f"status {code}"


def _serve(connection: Connection, load: Callable[..., Callable], args: tuple) -> None:
    """Load, and answer calls, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    kind, function = _attempt(load, lambda done: connection.send((_PROGRESS, done)), *args)
    with contextlib.suppress(EOFError, OSError):
        connection.send((kind, None if kind == _RESULT else function))
        while kind == _RESULT:
            connection.send(_attempt(function, *connection.recv()))


def _attempt(function: Callable, *args) -> tuple[str, Any]:
    try:
        return _RESULT, function(*args)
    except Exception as error:  # it is raised again where the call was made, with this stack trace as a note
        error.add_note(traceback.format_exc())
        return _ERROR, error
