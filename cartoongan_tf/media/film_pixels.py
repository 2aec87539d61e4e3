"""The pixels of a film's frames, as upright pictures of one size."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import av
import cv2
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import hdr
from cartoongan_tf.media.transparency import over_white, whiten

_UNSPECIFIED = 2  # these as in colour tags (ITU-T H.273)
_BT709 = 1
_FULL_RANGE = 2  # JPEG's, which is BT.601 at any size
_HD_WIDTH = 1280
_MOST_SD_HEIGHT = 576
_Interpolation = av.video.reformatter.Interpolation
_FAST = _Interpolation.AREA
_ACCURATE = _Interpolation.BICUBIC | _Interpolation.ACCURATE_RND | _Interpolation.FULL_CHR_H_INT


class FrameConverter:
    """A converter for the frames of one film. HDR becomes SDR.

    All frames get the first one's size and orientation; recordings that were joined may have several.

    Attributes:
      first: the first frame.
      is_on_its_side: whether the film is stored turned by 90 degrees.
      has_alpha: whether the film has an alpha channel.
    """

    def __init__(self, film: str | os.PathLike, first: av.VideoFrame):
        """
        Args:
          film: path of the film, for messages.
          first: its first frame.
        """
        self._film = film
        self._matrix = _display_matrix(first)
        self.first = first
        self.is_on_its_side = _is_on_its_side(self._matrix)
        self.has_alpha = any(component.is_alpha for component in first.format.components)

    def rgb(self, frame: av.VideoFrame, long_side: int = 0) -> np.ndarray:
        """Return a frame's colours, over white where it is transparent.

        Args:
          frame: a decoded frame.
          long_side: longer side in pixels to which larger frames are shrunk; 0 keeps their size.

        Returns:
          uint8 RGB [H, W, 3].

        Raises:
          InputError: swscale does not know the film's colours.
        """
        width = self.first.width
        height = self.first.height
        if not 0 < long_side < max(width, height):
            return self._rgb(frame, width, height, _ACCURATE)  # others are 1 to 2 of 255 too dark
        scale = long_side / max(width, height)
        return self._rgb(frame, max(1, round(width * scale)), max(1, round(height * scale)), _FAST)

    def rgba(self, frame: av.VideoFrame) -> np.ndarray:
        """Return a frame of a film with alpha, uint8 RGBA [H, W, 4], white where it is transparent; raises as `rgb`."""
        return whiten(self._converted(frame, self.first.width, self.first.height, "rgba", _ACCURATE))

    def grey(self, frame: av.VideoFrame) -> np.ndarray:
        """Return a frame's grey levels, uint8 [H, W]; raises as `rgb`."""
        if self.has_alpha or hdr.is_hdr(self.first.color_trc):
            return cv2.cvtColor(self._rgb(frame, self.first.width, self.first.height, _FAST), cv2.COLOR_RGB2GRAY)
        return self._converted(frame, self.first.width, self.first.height, "gray", _FAST)

    def _rgb(self, frame: av.VideoFrame, width: int, height: int, method: Any) -> np.ndarray:
        if self.has_alpha:
            return over_white(self._converted(frame, width, height, "rgba", method))
        if not hdr.is_hdr(self.first.color_trc):
            return self._converted(frame, width, height, "rgb24", method)
        codes = self._converted(frame, width, height, "rgb48le", method)
        return hdr.to_sdr(codes, self.first.color_trc, self.first.color_primaries)

    def _converted(self, frame: av.VideoFrame, width: int, height: int, format: str, method: Any) -> np.ndarray:
        with explaining(f"{self._film}: its colours cannot be read", "convert it to H.264 with BT.709's colours"):
            converted = frame.reformat(width, height, format, interpolation=method)
        return _turn_upright(converted.to_ndarray(), self._matrix)


def tag_untagged_hd(frame: av.VideoFrame) -> None:
    """Tag a frame as BT.709 if it is HD and says nothing of its colours, as players do; FFmpeg would take BT.601."""
    is_hd = frame.width >= _HD_WIDTH or frame.height > _MOST_SD_HEIGHT
    is_untagged = frame.colorspace == _UNSPECIFIED and frame.color_range != _FULL_RANGE and not frame.format.is_rgb
    if is_hd and is_untagged:
        frame.colorspace = _BT709


@contextlib.contextmanager
def explaining(problem: str, remedy: str) -> Iterator[None]:
    """Turn FFmpeg's errors in the block, some of which are OSErrors, into InputErrors."""
    try:
        yield
    except av.error.FFmpegError as error:
        raise InputError(f"{problem} ({error.strerror}); {remedy}") from error


def _display_matrix(frame: av.VideoFrame) -> np.ndarray:
    """Return, as int32 [2, 2], x and y of where the stored x axis points, then of where the stored y axis points."""
    try:
        matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not know all kinds of side data, such as EXIF's and those of spatial films
        angle = -np.radians(frame.rotation)
        turn = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        return np.rint(turn).astype(np.int32)
    if matrix is None:
        return np.eye(2, dtype=np.int32)
    return np.frombuffer(matrix, np.int32).reshape(3, 3)[:2, :2]


def _is_on_its_side(matrix: np.ndarray) -> bool:
    return bool(abs(matrix[0, 1]) > abs(matrix[0, 0]))


def _turn_upright(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Turn and mirror [H, W, ...] as a display matrix says, by whole quarter turns."""
    if _is_on_its_side(matrix):
        picture = picture.swapaxes(0, 1)
        matrix = matrix[::-1]
    x_step = -1 if matrix[0, 0] < 0 else 1
    y_step = -1 if matrix[1, 1] < 0 else 1
    return picture[::y_step, ::x_step]
