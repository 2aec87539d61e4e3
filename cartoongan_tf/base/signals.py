"""Being asked to stop: Ctrl-C, and SIGTERM, by which clusters preempt."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[], int]]:
    """Take requests to stop, within the block, for ones that can wait until the work in hand is done.

    A second Ctrl-C interrupts at once, and so does a second SIGTERM. In other threads than the main one nothing is
    changed, as Python handles signals there alone.

    Yields:
      a function that gives the number of the signal received; 0 while there is none.
    """
    received = []

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
