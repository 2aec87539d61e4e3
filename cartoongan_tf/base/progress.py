"""Programs are never silent for long: bars move each second, and what has no bar is named every few seconds.

    with progress.told():  # program.run does this
        with progress.stage("loading pepper"):
            ...
        for photo in progress.Bar(photos, unit="picture"):
            ...

On a terminal and in a log alike, something moves or is said at least every five seconds.
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
_TICK_SECS = 1.0  # on a terminal bars move as often


class Bar(tqdm):
    """A progress bar whose clock moves while its count does not."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.disable:
            with _teller.lock:
                _teller.bars.add(self)

    def close(self):
        with _teller.lock:
            _teller.bars.discard(self)
        super().close()


class PictureBar:
    """A bar over pictures that moves within each of them; a context manager."""

    _FORMAT = "{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}"

    def __init__(self, num_pictures: int):
        self._num_pictures, self._num_begun, self._num_done = num_pictures, 0, 0
        self._bar: Bar | None = None

    def __enter__(self):
        disable = self._num_pictures == 0
        self._bar = Bar(
            total=self._num_pictures, bar_format=self._FORMAT, leave=self._num_pictures > 1, disable=disable
        )
        return self

    def __exit__(self, *_):
        self._bar.close()

    @property
    def position(self) -> float:
        """The number of pictures done, with the part of the one in hand."""
        return self._bar.n if self._bar is not None else 0

    def begin(self, name: str) -> None:
        """Say that a picture is drawn now."""
        self._num_begun += 1
        self._move_to(self._num_begun - 1)
        self._bar.set_description(f"{name}, {self._num_begun} of {self._num_pictures}", refresh=False)

    def show_part(self, done: float) -> None:
        """Show how much of the picture in hand is done, from 0 to 1."""
        self._move_to(self._num_begun - 1 + done)

    def end(self) -> None:
        """Say that another picture is written, or skipped."""
        self._num_done += 1
        self._move_to(self._num_done)

    def _move_to(self, position: float) -> None:
        if self._bar is not None and position > self.position:
            self._bar.update(position - self.position)


@contextlib.contextmanager
def stage(text: str) -> Iterator[None]:
    """Name what goes on in the block: said where the block takes long and no bar moves."""
    entry = _Stage(text)
    _teller.stages.append(entry)
    try:
        yield
    finally:
        _teller.stages.remove(entry)


@contextlib.contextmanager
def told(text: str) -> Iterator[None]:
    """Keep telling, on standard error, what goes on in the block; `text` names what no stage names."""
    stop = threading.Event()
    thread = threading.Thread(target=_teller.tell_until, args=(stop,), daemon=True)
    with stage(text):
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextlib.contextmanager
def speaking_through(stream: TextIO) -> Iterator[None]:
    """Tell through another stream in the block, as standard error is held back."""
    with _teller.lock:
        _teller.stream = stream
    try:
        yield
    finally:
        with _teller.lock:
            _teller.stream = None


class _Stage:
    def __init__(self, text: str):
        self.text, self.began = text, time.monotonic()


class _Teller:
    """Tells what goes on.

    Attributes:
      bars: those that are open.
      stages: those that go on, the innermost last.
      stream: to write to; None: standard error.
      last_told: when something was said or moved.
    """

    def __init__(self):
        self.lock = threading.RLock()
        self.bars: weakref.WeakSet[Bar] = weakref.WeakSet()
        self.stages: list[_Stage] = []
        self.stream: TextIO | None = None
        self.last_told = 0.0

    def tell_until(self, stop: threading.Event) -> None:
        self.last_told = time.monotonic()
        while not stop.wait(_TICK_SECS):
            self.tell()

    def tell(self) -> None:
        """Move the bars; without one, name the stage in hand if nothing was said for long."""
        with self.lock:
            self._tell()

    def _tell(self) -> None:
        now, shown = time.monotonic(), [bar for bar in self.bars if _is_shown(bar)]
        silent_secs = now - self.last_told
        if silent_secs < (0 if shown and sys.stderr.isatty() else MOST_SILENT_SECS - _TICK_SECS):
            return
        for bar in shown:
            bar.refresh()
        if not shown:
            stage_in_hand = self.stages[-1]
            secs = now - stage_in_hand.began
            tqdm.write(f"... {stage_in_hand.text} ({secs:.0f} s)", file=self.stream or sys.stderr)
        self.last_told = now


def _is_shown(bar: Bar) -> bool:
    """Return whether a bar has been drawn: one with a delay waits for it."""
    return not bar.disable and (bar.delay <= 0 or time.time() >= bar.start_t + bar.delay)


_teller = _Teller()
