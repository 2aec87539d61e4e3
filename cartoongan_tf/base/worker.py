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
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

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
        self._running: _Running | None = None
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
                running = self._running or self._start()
                running.connection.send(args)
                kind, value = running.answer(on_progress)
            except (EOFError, ConnectionError) as error:
                raise WorkerDied(self._bury()) from error
            except BaseException:  # a late answer must not be taken for that of the next call
                self.close()
                self._running = None
                raise
        if kind == _ERROR:
            raise value
        return value

    def close(self) -> None:
        """Kill the process."""
        if self._running is not None:
            self._running.process.kill()
            self._running.process.join()

    def _start(self) -> "_Running":
        context = multiprocessing.get_context("spawn")
        connection, its_end = context.Pipe()
        process = context.Process(target=_serve, args=(its_end, self._load, self._args), daemon=True)
        with _interrupts_held_back(), _without_main_module():
            process.start()
            running = self._running = _Running(process, connection)
        its_end.close()
        kind, value = running.answer(lambda done: None)
        if kind == _ERROR:
            raise value
        return running

    def _bury(self) -> str:
        """Forget the dead process, and return its signal or exit status as text."""
        running, self._running = self._running, None
        return "before it started" if running is None else running.wait()


class _Running(NamedTuple):
    """A started process, and this end of the connection to it."""

    process: BaseProcess
    connection: Connection

    def answer(self, on_progress: Report) -> tuple[str, Any]:
        """Wait for the answer to a call, and pass progress on meanwhile."""
        while True:
            kind, value = self.connection.recv()
            if kind != _PROGRESS:
                return kind, value
            on_progress(value)

    def wait(self) -> str:
        """Wait for the process to end, and return its signal or exit status as text."""
        self.process.join()
        self.connection.close()
        code = self.process.exitcode or 0
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
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
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
