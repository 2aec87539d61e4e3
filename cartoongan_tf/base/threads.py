"""Work in threads, in its order. What Pillow, OpenCV and the disk do runs outside Python's lock."""

import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor


def map_ahead(function: Callable, items: Iterable, num_threads: int, num_ahead: int = 0) -> Iterator:
    """function(item) for each item, in their order.

    Args:
      function: called in `num_threads` threads; its errors are raised here.
      items: taken as they are needed.
      num_threads: at least 1.
      num_ahead: how many results may wait to be taken; as many as there are threads if that is more.

    Yields:
      the results. When the caller stops early, only the calls that have begun are waited for.
    """
    with ThreadPoolExecutor(num_threads) as threads:
        results = collections.deque()
        try:
            for item in items:
                results.append(threads.submit(function, item))
                if len(results) > max(num_threads, num_ahead):
                    yield results.popleft().result()
            while results:
                yield results.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)
