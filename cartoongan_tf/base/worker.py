"""Something to call in a process of its own: what ends that process costs the call in hand, and nothing else."""

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
                kind, value = self._answer(on_progress)
            except (EOFError, ConnectionError) as error:
                raise WorkerDied(self._bury()) from error
            except BaseException:  # its answer must not be taken for that of the next call
                self.close()
                self._process = None
                raise
        if kind == _ERROR:
            raise value
        return value

    def close(self) -> None:
        """End the process at once, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        connection, its_end = context.Pipe()
        process = context.Process(target=_serve, args=(its_end, self._load, self._args), daemon=True)
        with _interrupts_held_back(), _without_main_module():
            process.start()
            self._process, self._connection = process, connection
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
        """Wait for the process to end, and forget it; return by what it ended."""
        process, self._process = self._process, None
        process.join()
        self._connection.close()
        code = process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"status {code}"


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back in the block, and in the process that is started there."""
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
    """Keep a process that is started in the block from running the script again that started this one."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _serve(connection: Connection, load: Callable[..., Callable], args: tuple) -> None:
    """Load, and answer calls, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    kind, function = _attempt(load, lambda done: connection.send((_PROGRESS, done)), *args)
    with contextlib.suppress(EOFError, ConnectionError):
        _send(connection, (kind, None if kind == _RESULT else function))
        while kind == _RESULT:
            _send(connection, _attempt(function, *connection.recv()))


def _end_with_parent() -> None:
    """End this process when the one that started it has ended, whatever is being computed."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _send(connection: Connection, answer: tuple[str, Any]) -> None:
    """Send an answer; of one that cannot leave the process, what it was."""
    try:
        connection.send(answer)
    except (pickle.PicklingError, TypeError, AttributeError):
        notes = "".join(getattr(answer[1], "__notes__", ()))
        connection.send((_ERROR, RuntimeError(f"{answer[1]!r} cannot be sent to another process\n{notes}")))


def _attempt(function: Callable, *args) -> tuple[str, Any]:
    try:
        return _RESULT, function(*args)
    except Exception as error:  # it is raised again where the call was made, with this stack trace as a note
        error.add_note(traceback.format_exc())
        return _ERROR, error
