"""Requests to stop: Ctrl-C, and the SIGTERM that clusters send before they preempt a job."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[], int]]:
    """Delay requests to stop within the block until the current work is complete.

    A second Ctrl-C or SIGTERM interrupts at once. Outside the main thread nothing changes, because Python handles
    signals only there.

    Yields:
      a function that returns the number of the signal received, or 0.
    """
    received: list[int] = []

    def note(number: int, frame: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        print("\nAsked to stop: saving after this step (ask again to stop at once)", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0
        return
    before = [signal.signal(number, note) for number in _SIGNALS]
    try:
        yield lambda: received[0] if received else 0
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)
