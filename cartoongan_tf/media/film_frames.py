"""The frames of a film: their times, their pictures, and batches of them.

Timestamps (`pts`) and durations count in the film's time base, a fraction of a second.
"""

import dataclasses
from typing import NamedTuple

import av
import numpy as np

from cartoongan_tf.media.film_pixels import FrameConverter


class Time(NamedTuple):
    """The time at which a frame is shown; a frame without a picture of its own shows the last one."""

    pts: int
    duration: int
    has_picture: bool


@dataclasses.dataclass
class FilmBatch:
    """The next part of a film.

    Attributes:
      pictures: uint8 RGB [H, W, 3], or RGBA where the film has alpha, each, of the frames whose times have a picture.
      times: time of every frame, strictly increasing.
      packets: packets of other tracks between these frames with their new timestamps, each stream's in order.
    """

    pictures: list[np.ndarray] = dataclasses.field(default_factory=list)
    times: list[Time] = dataclasses.field(default_factory=list)
    packets: list[av.Packet] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class FilmFrame:
    """A frame of an open film. Its pixels are converted only when they are asked for."""

    time: Time
    _stored: av.VideoFrame
    _converter: FrameConverter

    def picture(self, long_side: int = 0) -> np.ndarray:
        """Return the upright picture, uint8 RGB [H, W, 3]; arguments and errors as of `FrameConverter.rgb`."""
        return self._converter.rgb(self._stored, long_side)

    def grey(self) -> np.ndarray:
        """Return the upright grey levels, uint8 [H, W]; raises as `picture`."""
        return self._converter.grey(self._stored)
