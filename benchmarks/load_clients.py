"""Clients that load a server with photos of several sizes, and with files that are no pictures among them."""

import concurrent.futures
import dataclasses
import itertools
import math
import random
import threading
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from export.serving.remote_model import RemoteModel, ServerError

_QUALITY = 90  # of the photos' JPEG files


class Request(NamedTuple):
    """A file to send.

    Attributes:
      content: the file.
      cartoon: the PNG file that must come back; None: the server must refuse the file.
    """

    content: bytes
    cartoon: bytes | None


@dataclasses.dataclass(frozen=True)
class Load:
    """The record of a server under a load.

    Attributes:
      latencies_secs: time of each cartoon, from the request to the whole answer.
      num_refused: number of bad files, each of which was refused.
      secs: time from the first request to the last answer.
      peak_bytes: the most memory that the server has held until then.
    """

    latencies_secs: list[float]
    num_refused: int
    secs: float
    peak_bytes: int = 0

    @property
    def pictures_per_sec(self) -> float:
        return len(self.latencies_secs) / self.secs


def photo_files(photos: Sequence[np.ndarray], megapixels: Sequence[float]) -> list[bytes]:
    """Return JPEG files of photos, uint8 RGB [H, W, 3] each, one of each size; the photos are scaled to it."""
    files = []
    for photo, size in zip(itertools.cycle(photos), megapixels, strict=False):
        height, width = photo.shape[:2]
        scale = math.sqrt(size * 1e6 / (height * width))
        new_size = (max(1, round(width * scale)), max(1, round(height * scale)))
        scaled = np.asarray(Image.fromarray(photo).resize(new_size, Image.Resampling.LANCZOS))
        files.append(pictures.encode(pictures.Picture([scaled]), ".jpg", _QUALITY))
    return files


def turns_of_bad(share: float) -> Iterator[bool]:
    """Yield without end whether the next request is a bad one, so that a share of all are, evenly spread."""
    for number in itertools.count():
        yield math.floor(share * (number + 1) + 0.5) > math.floor(share * number + 0.5)


def mixed(good: Sequence[Request], bad: Sequence[Request], is_bad: Iterator[bool], seed: int) -> Iterator[Request]:
    """Yield requests, the good ones in random order and equally often.

    Args:
      good, bad: the requests to choose from.
      is_bad: whether the next request is a bad one.
      seed: seed of the order.
    """
    rng = random.Random(seed)
    shuffled = (request for _ in itertools.count() for request in rng.sample(good, len(good)))
    for next_is_bad in is_bad:
        yield rng.choice(bad) if next_is_bad else next(shuffled)


def load(model: RemoteModel, requests: Iterator[Request], num_clients: int, secs: float) -> Load:
    """Send requests by several clients at once, each of which waits for its answer before it sends the next.

    Args:
      model: the served model; its deadline bounds each request.
      requests: requests, which the clients share.
      num_clients: number of clients.
      secs: time after which no request is sent any more; each client gets at least one cartoon.

    Raises:
      InputError: an answer is another one than was expected, or there is none.
    """
    lock = threading.Lock()
    stop = threading.Event()
    latencies: list[float | None] = []
    begin = time.monotonic()

    def work():
        has_cartoon = False
        while not stop.is_set() and (time.monotonic() < begin + secs or not has_cartoon):
            with lock:
                request = next(requests)
            try:
                latencies.append(_send(model, request))
            except BaseException:
                stop.set()
                raise
            has_cartoon |= request.cartoon is not None

    with concurrent.futures.ThreadPoolExecutor(num_clients) as threads:
        for client in [threads.submit(work) for _ in range(num_clients)]:
            client.result()
    times = [latency for latency in latencies if latency is not None]
    return Load(times, len(latencies) - len(times), time.monotonic() - begin)


def _send(model: RemoteModel, request: Request) -> float | None:
    """Send a request; return the time of its answer in seconds, or None for a bad file that is refused."""
    begin = time.perf_counter()
    try:
        cartoon = model.draw(request.content)
    except ServerError:
        raise
    except InputError as error:
        if request.cartoon is None:
            return None
        raise InputError(f"the server refused a photo: {error}") from error
    seconds = time.perf_counter() - begin
    if request.cartoon is None:
        raise InputError("the server drew a file that is no picture")
    if cartoon != request.cartoon:
        raise InputError("the server drew a photo differently under load than alone")
    return seconds
