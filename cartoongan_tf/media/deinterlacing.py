"""Deinterlacing: frames of two fields, which were taken one after the other, become frames of one moment.

FFmpeg's filter bwdif makes them, at the film's own frame rate. A frame is interlaced if its flag says so or if it shows
combs, as many converted films have lost the flag. A comb: at an edge that moved between the fields, pixels differ from
those above and below, which belong to the other field, but not from the next ones of their own.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, TypeVar

import av
import av.filter
import cv2
import numpy as np

_LEAST_HEIGHT = 288  # interlaced films have 480 lines or more; below, combs have been scaled away
_BLOCK_PX = 32
_COLUMN_STEP = 4  # a moving edge's comb is seen in a quarter of the columns as well
_STEP = 14  # of 8-bit luma, from a pixel of a comb to both neighbours
_COMBED_SHARE = 0.1  # of a block's pixels
_FEWEST_BLOCKS = 2

_Item = TypeVar("_Item")


class Deinterlacer:
    """A deinterlacer for the frames of one film.

    Attributes:
      num_interlaced: number of interlaced frames so far.
    """

    def __init__(self) -> None:
        self.num_interlaced = 0
        self._filter: _Filter | None = None  # from the first interlaced frame on
        self._waiting: deque[tuple[Any, bool]] = deque()  # from the oldest frame in the filter on

    def items(self, items: Iterator[_Item]) -> Iterator[_Item]:
        """Yield the items in their order, with interlaced frames deinterlaced.

        Args:
          items: frames in the order in which they are shown, with anything else between them.
        """
        for item in items:
            is_interlaced = False
            if isinstance(item, av.VideoFrame):
                is_interlaced = item.interlaced_frame or is_combed(item)
                self.num_interlaced += is_interlaced
                yield from self._use_filter_for(item, is_interlaced)
            if not self._filter:
                yield item
                continue
            self._waiting.append((item, is_interlaced))
            if isinstance(item, av.VideoFrame):
                yield from self._released(self._filter.push(item))
        yield from self._end_filter()

    def _use_filter_for(self, frame: av.VideoFrame, is_interlaced: bool) -> Iterator:
        """Begin to filter at the first interlaced frame, and anew where the frames' size changes."""
        if self._filter and not self._filter.takes(frame):
            yield from self._end_filter()
        if is_interlaced and not self._filter:
            self._filter = _Filter(frame)

    def _end_filter(self) -> Iterator:
        if self._filter:
            yield from self._released(self._filter.end())
        while self._waiting:
            yield self._waiting.popleft()[0]
        self._filter = None

    def _released(self, filtered: Iterator[av.VideoFrame]) -> Iterator:
        """Yield what was waiting for these filtered frames."""
        for result in filtered:
            while not isinstance(self._waiting[0][0], av.VideoFrame):
                yield self._waiting.popleft()[0]
            frame, is_interlaced = self._waiting.popleft()
            yield _with_times_of(frame, result) if is_interlaced else frame


def is_combed(frame: av.VideoFrame) -> bool:
    """Return whether a decoded frame shows combs; frames that are not in YUV with planes, or small, never do."""
    depth = frame.format.components[0].bits
    if frame.format.is_rgb or not frame.format.is_planar or frame.height < _LEAST_HEIGHT:
        return False
    plane = frame.planes[0]
    dtype = np.uint8 if depth == 8 else np.uint16
    rows = np.frombuffer(plane, dtype).reshape(plane.height, -1)  # type: ignore[call-overload]
    luma = np.ascontiguousarray(rows[:, : frame.width : _COLUMN_STEP])
    step = _STEP << (depth - 8)
    of_comb = _share_that_sticks_out(luma, 1, step) - 2 * _share_that_sticks_out(luma, 2, step)
    return bool((of_comb > _COMBED_SHARE).sum() >= _FEWEST_BLOCKS)


def _share_that_sticks_out(luma: np.ndarray, distance: int, step: int) -> np.ndarray:
    """Return each block's share of pixels above or below both those `distance` rows up and down, float32."""
    height = len(luma)
    here = luma[2:-2]
    up = luma[2 - distance : height - 2 - distance]
    down = luma[2 + distance : height - 2 + distance]
    above = cv2.min(cv2.subtract(here, up), cv2.subtract(here, down))  # negative differences become 0
    below = cv2.min(cv2.subtract(up, here), cv2.subtract(down, here))
    _, sticks_out = cv2.threshold(cv2.max(above, below), step, 255, cv2.THRESH_BINARY)
    blocks = (max(1, luma.shape[1] * _COLUMN_STEP // _BLOCK_PX), max(1, height // _BLOCK_PX))
    return cv2.resize(sticks_out, blocks, interpolation=cv2.INTER_AREA) / np.float32(255)


class _Filter:
    """A running bwdif. It gives one frame for each that it takes, a few later."""

    def __init__(self, first: av.VideoFrame):
        self._kind = _kind_of(first)
        self._graph = av.filter.Graph()
        source = self._graph.add_buffer(
            width=first.width, height=first.height, format=first.format, time_base=first.time_base
        )
        bwdif = self._graph.add("bwdif", "mode=send_frame:deint=all")
        self._graph.link_nodes(source, bwdif, self._graph.add("buffersink")).configure()

    def takes(self, frame: av.VideoFrame) -> bool:
        return _kind_of(frame) == self._kind

    def push(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        self._graph.push(frame)
        return self._done()

    def end(self) -> Iterator[av.VideoFrame]:
        self._graph.push(None)
        return self._done()

    def _done(self) -> Iterator[av.VideoFrame]:
        while True:
            try:
                yield self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return


def _kind_of(frame: av.VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name


def _with_times_of(frame: av.VideoFrame, result: av.VideoFrame) -> av.VideoFrame:
    result.pts = frame.pts
    result.time_base = frame.time_base
    result.duration = frame.duration
    return result
