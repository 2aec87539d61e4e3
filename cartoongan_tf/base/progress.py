"""Progress reports: a bar moves every second, and work without a bar is named every few seconds.

    with progress.reported("cartoonize works"):  # program.run does this
        with progress.stage("loading pepper"):
            ...
        for photo in progress.Bar(photos, unit="picture"):
            ...

On a terminal and in a log, something moves or is printed at least every five seconds.
"""

import contextlib
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import TextIO

from tqdm import tqdm

MOST_SILENT_SECS = 4.0  # five are promised
_TICK_SECS = 1.0  # bars on a terminal move this often


class Bar(tqdm):
    """A progress bar whose clock moves while its count does not."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.disable:
            with _reporter.lock:
                _reporter.bars.add(self)

    def close(self):
        with _reporter.lock:
            _reporter.bars.discard(self)
        super().close()


class PictureBar:
    """A progress bar over pictures that also moves within each picture; a context manager."""

    _FORMAT = "{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}"

    def __init__(self, num_pictures: int):
        self._num_pictures = num_pictures
        self._num_begun = 0
        self._num_done = 0
        self._bar: Bar | None = None

    def __enter__(self):
        disable = self._num_pictures == 0
        self._bar = Bar(
            total=self._num_pictures, bar_format=self._FORMAT, leave=self._num_pictures > 1, disable=disable
        )
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

    @property
    def position(self) -> float:
        """The number of pictures done, plus the share of the current one."""
        return self._bar.n if self._bar is not None else 0

    def begin(self, name: str) -> None:
        """Name the picture that begins now."""
        self._num_begun += 1
        self._move_to(self._num_begun - 1)
        if self._bar is not None:
            self._bar.set_description(f"{name}, {self._num_begun} of {self._num_pictures}", refresh=False)

    def show_part(self, done: float) -> None:
        """Show the share of the current picture that is done, from 0 to 1."""
        self._move_to(self._num_begun - 1 + done)

    def end(self) -> None:
        """Count another picture as written or skipped."""
        self._num_done += 1
        self._move_to(self._num_done)

    def _move_to(self, position: float) -> None:
        if self._bar is not None and position > self.position:
            self._bar.update(position - self.position)


@contextlib.contextmanager
def stage(text: str) -> Iterator[None]:
    """Name the work of the block; the name is printed if the block takes long and no bar moves."""
    entry = _Stage(text)
    _reporter.stages.append(entry)
    try:
        yield
    finally:
        _reporter.stages.remove(entry)


@contextlib.contextmanager
def reported(text: str) -> Iterator[None]:
    """Report progress of the block on standard error; `text` names work outside of any stage."""
    stop = threading.Event()
    thread = threading.Thread(target=_reporter.report_until, args=(stop,), daemon=True)
    with stage(text):
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextlib.contextmanager
def speaking_through(stream: TextIO) -> Iterator[None]:
    """Report to another stream within the block, because standard error is held back."""
    with _reporter.lock:
        _reporter.stream = stream
    try:
        yield
    finally:
        with _reporter.lock:
            _reporter.stream = None


class _Stage:
    def __init__(self, text: str):
        self.text = text
        self.began = time.monotonic()


class _Reporter:
    """The reporter of this process's progress.

    Attributes:
      bars: open progress bars.
      stages: current stages, the innermost last.
      stream: stream to print to; None: standard error.
      last_report: time at which something was last printed or moved.
    """

    def __init__(self):
        self.lock = threading.RLock()
        self.bars: weakref.WeakSet[Bar] = weakref.WeakSet()
        self.stages: list[_Stage] = []
        self.stream: TextIO | None = None
        self.last_report = 0.0

    def report_until(self, stop: threading.Event) -> None:
        self.last_report = time.monotonic()
        while not stop.wait(_TICK_SECS):
            self.report()

    def report(self) -> None:
        """Move the bars; without a bar, name the current stage if nothing was printed for long."""
        with self.lock:
            self._report()

    def _report(self) -> None:
        now = time.monotonic()
        shown = [bar for bar in self.bars if _is_shown(bar)]
        silent_secs = now - self.last_report
        if silent_secs < (0 if shown and sys.stderr.isatty() else MOST_SILENT_SECS - _TICK_SECS):
            return
        for bar in shown:
            bar.refresh()
        if not shown:
            current = self.stages[-1]
            secs = now - current.began
            tqdm.write(f"... {current.text} ({secs:.0f} s)", file=self.stream or sys.stderr)
        self.last_report = now


def _is_shown(bar: Bar) -> bool:
    """Return whether a bar is visible; a bar with a delay appears after it."""
    return not bar.disable and (bar.delay <= 0 or time.time() >= bar.start_t + bar.delay)


_reporter = _Reporter()
