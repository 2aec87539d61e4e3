"""A function in a process of its own: if that process dies, only the current call fails."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

_RESULT, _ERROR, _PROGRESS = "result", "error", "progress"

Report = Callable[[float], None]


class WorkerDied(Exception):
    """The end of a worker's process during a call; the message names the signal or exit status."""


class Worker:
    """A process that loads a function once and calls it on request; a context manager.

    The first call starts the process, and so does the first call after it died. Calls from several threads wait for
    each other.
    """

    def __init__(self, load: Callable[..., Callable], *args):
        """
        Args:
          load: function that returns the function to call. It runs in the process, with a function that reports
            progress from 0 to 1 and with `args`. It must be importable by name.
        """
        self._load = load
        self._args = args
        self._process: multiprocessing.Process | None = None
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, *args, on_progress: Report = lambda done: None) -> Any:
        """Call the loaded function in the process; return or raise what it does.

        Raises:
          WorkerDied: the process ended before it answered.
        """
        with self._lock:
            try:
                if self._process is None:
                    self._start()
                self._connection.send(args)
                kind, value = self._answer(on_progress)
            except (EOFError, ConnectionError) as error:
                raise WorkerDied(self._bury()) from error
            except BaseException:  # a late answer must not be taken for that of the next call
                self.close()
                self._process = None
                raise
        if kind == _ERROR:
            raise value
        return value

    def close(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        connection, its_end = context.Pipe()
        process = context.Process(target=_serve, args=(its_end, self._load, self._args), daemon=True)
        with _interrupts_held_back(), _without_main_module():
            process.start()
            self._process = process
            self._connection = connection
        its_end.close()
        kind, value = self._answer(lambda done: None)
        if kind == _ERROR:
            raise value

    def _answer(self, on_progress: Report) -> tuple[str, Any]:
        while True:
            kind, value = self._connection.recv()
            if kind != _PROGRESS:
                return kind, value
            on_progress(value)

    def _bury(self) -> str:
        """Wait for the process to end, forget it, and return its signal or exit status as text."""
        process, self._process = self._process, None
        process.join()
        self._connection.close()
        code = process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"status {code}"


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Block Ctrl-C within the block and in a process started there."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _without_main_module() -> Iterator[None]:
    """Hide the main module within the block, so that a new process does not run the user's script again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _serve(connection: Connection, load: Callable[..., Callable], args: tuple) -> None:
    """Load the function and answer calls until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    kind, function = _attempt(load, lambda done: connection.send((_PROGRESS, done)), *args)
    with contextlib.suppress(EOFError, ConnectionError):
        _send(connection, (kind, None if kind == _RESULT else function))
        while kind == _RESULT:
            _send(connection, _attempt(function, *connection.recv()))


def _end_with_parent() -> None:
    """Exit when the parent process has ended."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _send(connection: Connection, answer: tuple[str, Any]) -> None:
    """Send an answer, or a description of one that cannot be pickled."""
    try:
        connection.send(answer)
    except (pickle.PicklingError, TypeError, AttributeError):
        notes = "".join(getattr(answer[1], "__notes__", ()))
        connection.send((_ERROR, RuntimeError(f"{answer[1]!r} cannot be sent to another process\n{notes}")))


def _attempt(function: Callable, *args) -> tuple[str, Any]:
    try:
        return _RESULT, function(*args)
    except Exception as error:  # the caller raises it again, with this stack trace as a note
        error.add_note(traceback.format_exc())
        return _ERROR, error
