"""Black bars around the picture of a whole film: letterbox and pillarbox. Does not know how films are read."""

from typing import NamedTuple

import cv2
import numpy as np

_BLACK_LEVELS = 24  # of 255; codecs leave noise of a few levels, and the black of some films is not quite black
# Share of a row that is lit where the picture is; subtitles in a bar light up less than a fifth of a row.
_LIT_SHARE = 0.2
# Share of a film's frames in which a row may be lit and still belong to a bar, because of a studio's logo for example.
_LIT_FRAMES_SHARE = 0.02
_DARK_FRAME_SHARE = 0.1  # frames with a smaller share of lit pixels do not show where the picture ends
# Near a bar, most of the picture's edge is lit in some frame. A figure on a black background touches the outermost lit
# row in its middle only. The edge is examined a few pixels inside.
_EDGE_PX = 3
_EDGE_SHARE = 0.75
_INSET_PX = 2  # cropped beyond the bar, whose edge may be soft
_MIN_AREA_SHARE = 0.25  # smallest believable share of the picture in a frame; an upright phone film has 0.32


class PictureArea(NamedTuple):
    """The area of the picture in a frame, in pixels; `bottom` and `right` are exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    def crop(self, frame: np.ndarray, scale: float = 1.0) -> np.ndarray:
        """Return the part of a frame, [H, W, ...], in this area.

        Args:
          frame: the frame.
          scale: size of the frame relative to the frames that the area was found in.
        """
        top = round(self.top * scale)
        bottom = round(self.bottom * scale)
        left = round(self.left * scale)
        right = round(self.right * scale)
        return frame[top : max(bottom, top + 1), left : max(right, left + 1)]


class _Span(NamedTuple):
    """A range of rows or of columns; `end` is exclusive."""

    first: int
    end: int


class BarFinder:
    """The light seen in a film's frames so far, which shows where its picture is.

    Attributes:
      num_frames: number of frames that were light enough to count.
      size: (height, width) of the frames, in pixels.
    """

    def __init__(self):
        self.num_frames = 0
        self.size = (0, 0)
        self._lit_frames_by_row = np.zeros(0, int)  # number of frames in which a row is lit
        self._lit_frames_by_column = np.zeros(0, int)
        self._ever_lit = np.zeros((0, 0), np.uint8)  # 1 where a pixel is lit in any frame

    def look_at(self, grey: np.ndarray) -> None:
        """Take a frame into account, uint8 [H, W]; all frames have one size."""
        height, width = grey.shape
        if self.size == (0, 0):
            self.size = (height, width)
            self._lit_frames_by_row = np.zeros(height, int)
            self._lit_frames_by_column = np.zeros(width, int)
            self._ever_lit = np.zeros_like(grey)
        _, lit = cv2.threshold(grey, _BLACK_LEVELS, 1, cv2.THRESH_BINARY)
        if cv2.mean(lit)[0] < _DARK_FRAME_SHARE:
            return
        self.num_frames += 1
        self._ever_lit |= np.asarray(lit)
        self._lit_frames_by_row += _sums(lit, axis=1) > _LIT_SHARE * width
        self._lit_frames_by_column += _sums(lit, axis=0) > _LIT_SHARE * height

    def picture_area(self) -> PictureArea:
        """Return the area inside the bars; the whole frame unless bars are certain."""
        height, width = self.size
        whole_frame = PictureArea(0, height, 0, width)
        rows = self._lit_span(self._lit_frames_by_row)
        columns = self._lit_span(self._lit_frames_by_column)
        if rows is None or columns is None:
            return whole_frame
        ever_lit = self._ever_lit[rows.first : rows.end, columns.first : columns.end]
        top, bottom = _without_bars(rows, ever_lit, height)
        left, right = _without_bars(columns, ever_lit.T, width)
        if (bottom - top) * (right - left) < _MIN_AREA_SHARE * height * width:
            return whole_frame
        return PictureArea(top, bottom, left, right)

    def _lit_span(self, num_lit_frames: np.ndarray) -> _Span | None:
        """Return the range from the first to the last row, or column, that is often lit, or None if none is."""
        often_lit = np.flatnonzero(num_lit_frames > _LIT_FRAMES_SHARE * self.num_frames)
        if not often_lit.size:
            return None
        return _Span(int(often_lit[0]), int(often_lit[-1]) + 1)


def _sums(lit: np.ndarray, axis: int) -> np.ndarray:
    return cv2.reduce(lit, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()


def _without_bars(lit_span: _Span, ever_lit: np.ndarray, size: int) -> _Span:
    """Return the rows, or columns, to keep.

    Args:
      lit_span: the rows that are often lit, so bars may end at its first and begin at its end.
      ever_lit: [N, M], 1 where a pixel in these rows is lit in any frame.
      size: number of rows in a frame.
    """
    inside = min(_EDGE_PX, len(ever_lit) - 1)
    has_bar_before = lit_span.first > 0 and ever_lit[inside].mean() >= _EDGE_SHARE
    has_bar_after = lit_span.end < size and ever_lit[-1 - inside].mean() >= _EDGE_SHARE
    return _Span(
        first=lit_span.first + _INSET_PX if has_bar_before else 0,
        end=lit_span.end - _INSET_PX if has_bar_after else size,
    )
