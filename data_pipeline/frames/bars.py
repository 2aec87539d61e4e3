"""Black bars around the picture of a whole film: letterbox and pillarbox. Knows nothing of how films are read."""

from typing import NamedTuple

import cv2
import numpy as np

_BLACK_LEVELS = 24  # of 255; codecs leave noise of a few levels, and some films' black is not quite black
# Of a row: subtitles in a bar light up less than a fifth of it, the picture's rows more.
_LIT_SHARE = 0.2
_MOMENTS_SHARE = 0.02  # of a film in which a row may be lit and still belong to a bar: a studio's logo, say
_DARK_FRAME_SHARE = 0.1  # frames with fewer lit pixels say nothing of where the picture ends
# Along a bar's edge, so far inside, so much of the picture is lit at some time: a figure on black touches the row that
# looks like an edge in its middle only.
_EDGE_PX, _EDGE_SHARE = 3, 0.75
_INSET_PX = 2  # cropped beyond the bar: its edge may be soft
_MIN_AREA_SHARE = 0.25  # of a frame, to be believed: a phone's upright film has 0.32


class PictureArea(NamedTuple):
    """Where the picture lies in a frame, in pixels; `bottom` and `right` are outside."""

    top: int
    bottom: int
    left: int
    right: int

    def crop(self, picture: np.ndarray, scale: float = 1.0) -> np.ndarray:
        """The part of [H, W, ...] inside; `scale`: the picture's size over that of the frames of the box."""
        top, bottom, left, right = (round(side * scale) for side in self)
        return picture[top : max(bottom, top + 1), left : max(right, left + 1)]


class BarFinder:
    """Collects, over a film's frames, where there is ever anything to see.

    Attributes:
      num_frames: frames that were light enough to count.
      size: (height, width) of the frames, in pixels.
    """

    def __init__(self):
        self.num_frames = 0
        self.size = (0, 0)
        self._moments: list[np.ndarray] = []  # for rows, for columns: in how many frames each is lit
        self._ever_lit = np.zeros((0, 0), np.uint8)

    def look_at(self, grey: np.ndarray) -> None:
        """Take in a frame, uint8 [H, W]; all of one size."""
        if not self._moments:
            self.size = grey.shape
            self._moments = [np.zeros(side, int) for side in grey.shape]
            self._ever_lit = np.zeros_like(grey)
        _, lit = cv2.threshold(grey, _BLACK_LEVELS, 1, cv2.THRESH_BINARY)
        if cv2.mean(lit)[0] < _DARK_FRAME_SHARE:
            return
        self.num_frames += 1
        self._ever_lit |= lit
        for axis, moments in enumerate(self._moments):
            num_lit = cv2.reduce(lit, 1 - axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
            moments += num_lit > _LIT_SHARE * grey.shape[1 - axis]

    def box(self) -> PictureArea:
        """Where the picture is; the whole frame where no bars are found beyond doubt."""
        whole = PictureArea(0, self.size[0], 0, self.size[1])
        spans = [np.flatnonzero(moments > _MOMENTS_SHARE * self.num_frames) for moments in self._moments]
        if not self.num_frames or not all(span.size for span in spans):
            return whole
        box = PictureArea(*(int(edge) for span in spans for edge in (span[0], span[-1] + 1)))
        inside = box.crop(self._ever_lit)
        top, bottom = self._edges(inside, box.top, box.bottom, self.size[0])
        left, right = self._edges(inside.T, box.left, box.right, self.size[1])
        is_likely = (bottom - top) * (right - left) >= _MIN_AREA_SHARE * whole.bottom * whole.right
        return PictureArea(top, bottom, left, right) if is_likely else whole

    @staticmethod
    def _edges(ever_lit: np.ndarray, first: int, end: int, size: int) -> tuple[int, int]:
        """Where to crop, of `size` rows or columns, if bars end at `first` and begin at `end`; [N, M] is lit there."""
        place = min(_EDGE_PX, len(ever_lit) - 1)
        begins = first > 0 and ever_lit[place].mean() >= _EDGE_SHARE
        ends = end < size and ever_lit[-1 - place].mean() >= _EDGE_SHARE
        return first + _INSET_PX if begins else 0, end - _INSET_PX if ends else size
