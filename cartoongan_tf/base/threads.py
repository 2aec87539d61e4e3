"""Work in threads, in order. Pillow, OpenCV and the disk work outside Python's lock."""

import collections
import contextlib
import itertools
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


def map_ahead(function: Callable, items: Iterable, num_threads: int, num_ahead: int = 0) -> Generator[Any, None, None]:
    """Yield function(item) for each item, in order.

    Args:
      function: function to call in the threads; its errors are raised here.
      items: items, taken as they are needed.
      num_threads: number of threads, at least 1.
      num_ahead: number of results that may wait to be used; at least `num_threads` may.

    If the caller stops early, only the calls that have begun are waited for.
    """
    with ThreadPoolExecutor(num_threads) as threads:
        results: collections.deque[Future] = collections.deque()
        try:
            for item in items:
                results.append(threads.submit(function, item))
                if len(results) > max(num_threads, num_ahead):
                    yield results.popleft().result()
            while results:
                yield results.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)


def iterate_ahead(items: Iterable, num_ahead: int) -> Generator[Any, None, None]:
    """Yield items that one background thread takes ahead of their use; its errors are raised here.

    Args:
      items: items to take.
      num_ahead: number of items that may wait to be used.

    Close the iterator if it is not used up: it waits for the item that is being taken, and takes no other.
    """
    iterator = iter(items)
    end = object()
    taken = map_ahead(lambda _: next(iterator, end), itertools.repeat(None), num_threads=1, num_ahead=num_ahead)
    with contextlib.closing(taken):
        yield from itertools.takewhile(lambda item: item is not end, taken)
