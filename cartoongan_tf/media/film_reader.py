"""Read a film: its frames as upright pictures in batches, its sound as the packets that it is stored in.

Timestamps (`pts`, `dts`) and durations count in their stream's time base, a fraction of a second.
"""

import bisect
import contextlib
import dataclasses
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np

from cartoongan_tf.base.errors import InputError

FILM_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".vob", ".ts", ".mts", ".m2ts"),
    *(".wmv", ".asf", ".flv", ".3gp", ".3g2", ".ogv", ".mxf"),
)


class Time(NamedTuple):
    """When a frame is shown; a frame without a picture of its own shows the last one."""

    pts: int
    duration: int
    has_picture: bool


@dataclasses.dataclass
class FilmBatch:
    """The next part of a film.

    Attributes:
      pictures: uint8 RGB [H, W, 3] each, of the frames whose times have a picture.
      times: every frame's, increasing strictly.
      audio: the packets that lie between these frames, each stream's in their order, with their new timestamps.
    """

    pictures: list[np.ndarray] = dataclasses.field(default_factory=list)
    times: list[Time] = dataclasses.field(default_factory=list)
    audio: list[av.Packet] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class FilmFrame:
    """A frame of an open film; its pictures are made when they are asked for."""

    time: Time
    _reader: "Reader"
    _stored: av.VideoFrame

    def picture(self, long_side: int = 0) -> np.ndarray:
        """uint8 RGB [H, W, 3], upright, shrunk to a longer side of `long_side` pixels unless that is 0.

        Raises InputError where swscale does not know the film's colours.
        """
        return self._reader.convert(self._stored, "rgb24", long_side)

    def grey(self) -> np.ndarray:
        """Its grey levels, uint8 [H, W]; raises as `picture`."""
        return self._reader.convert(self._stored, "gray")


class _Lost(NamedTuple):
    """Stands for a frame that cannot be decoded, with those of its attributes that do not come from its picture."""

    pts: int
    duration: int
    is_corrupt: bool = True


class _Clock:
    """Makes a stream's timestamps strictly increasing from `origin` on, and makes up those that are missing.

    All in the stream's time base; `second` is one second long, `step` lies between frames until a duration is known.
    """

    def __init__(self, origin: int, second: int, step: int):
        self._origin, self._second, self._step = origin, second, step
        self._last: int | None = None

    def __call__(self, timestamp: int | None, duration: int | None) -> tuple[int, int]:
        """The timestamp to write, and the duration."""
        now = None if timestamp is None else timestamp - self._origin
        if self._last is None:
            now = now or 0
        elif now is None or now < self._last - self._second:  # recordings were joined: their clock starts again
            now = self._last + self._step
        elif now <= self._last:
            now = self._last + max(1, self._step // 2)  # leaves room for the next one
        self._last, self._step = now, duration or self._step
        return self._last, self._step


@contextlib.contextmanager
def opened(film: str | os.PathLike) -> Iterator["Reader"]:
    """Yield a reader of the film, which is closed when the block ends.

    Raises:
      InputError: it cannot be opened, or is no film.
    """
    try:
        container = av.open(os.path.abspath(film), metadata_errors="replace")  # a relative name could look like a URL
    except OSError as error:
        raise InputError(f"{film}: cannot be opened ({error.strerror}); name another film") from None
    except av.error.FFmpegError as error:
        problem = f"not a film that can be read, or cut short ({error.strerror})"
        raise InputError(f"{film}: {problem}; fetch or export it again") from None
    with container:
        yield Reader(film, container)


class Reader:
    """An open film, to go through once.

    Attributes:
      film: its path.
      audio: the streams that are read.
      num_audio_left_out: how many are not, because this PyAV does not know their codec.
      rate: frames in a second, on average.
      time_base: of the frames' times, in seconds.
      first: the first frame, once a batch has been read; its size, colours and turn are taken to be all frames'.
      num_broken: damaged frames so far.
      cut_short: why `frames` ended before the file did; empty if it didn't.
    """

    def __init__(self, film: str | os.PathLike, container: av.container.InputContainer):
        self.film, self._container = film, container
        self.audio = [stream for stream in container.streams.audio if stream.codec_context]
        self.num_audio_left_out = len(container.streams.audio) - len(self.audio)
        self._video = _video_of(film, container)
        self.rate = self._video.average_rate or self._video.guessed_rate or Fraction(25)
        self.time_base = self._video.time_base
        self.first: av.VideoFrame | None = None
        self.num_broken = 0
        self.cut_short = ""

    @property
    def num_frames(self) -> int | None:
        """How many frames there are about to be; None where the film doesn't say."""
        duration_secs = Fraction(self._container.duration or 0, av.time_base)
        return self._video.frames or round(duration_secs * self.rate) or None

    @property
    def aspect(self) -> Fraction:
        """The width of a pixel over its height, upright."""
        aspect = self._video.sample_aspect_ratio or Fraction(1)
        return 1 / aspect if _is_on_its_side(_display_matrix(self.first)) else aspect

    def batches(self, size: int) -> Iterator[FilmBatch]:
        """The film in batches of at most `size` pictures; the first one's first frame has a picture.

        Raises:
          InputError: not one frame can be read, the file fails under way, or swscale does not know its colours.
        """
        clock, batch = self._clock(self._video), FilmBatch()
        for item in self._in_order(self.audio):
            if isinstance(item, av.Packet):
                batch.audio.append(item)
                continue
            self.num_broken += item.is_corrupt
            is_lost = isinstance(item, _Lost)
            if is_lost and self.first is None:
                continue
            if len(batch.pictures) == size:
                yield batch
                batch = FilmBatch()
            has_picture = self.first is None or not item.is_corrupt
            batch.times.append(Time(*clock(item.pts, item.duration), has_picture))
            if has_picture:
                self.first = self.first or item
                batch.pictures.append(self.convert(item, "rgb24"))
        self._check_any_frame()
        yield batch

    def frames(self, key_frames_only: bool = False) -> Iterator[FilmFrame]:
        """The frames that are not damaged, or only those stored whole, as far as they can be read; raises as above."""
        self._video.thread_type = "AUTO"
        if key_frames_only:
            self._video.codec_context.skip_frame = "NONKEY"
        clock = self._clock(self._video)
        try:
            for item in self._in_order(audio=[]):
                self.num_broken += item.is_corrupt
                if isinstance(item, _Lost):
                    continue
                self.first = self.first or item
                time = Time(*clock(item.pts, item.duration), has_picture=not item.is_corrupt)
                if time.has_picture:
                    yield FilmFrame(time, self, item)
        except InputError as error:
            self.cut_short = str(error)
        self._check_any_frame()

    def _check_any_frame(self) -> None:
        if self.first is None:
            raise InputError(f"{self.film}: no frame in it can be read; it may be cut short, fetch or export it again")

    def _in_order(self, audio: list[av.AudioStream]) -> Iterator[av.Packet | av.VideoFrame | _Lost]:
        """The audio's packets, and between them the frames in the order in which they are shown."""
        clocks = {stream: self._clock(stream) for stream in audio}
        lost: list[_Lost] = []  # packets lie in the order in which they are decoded, so these wait for their turn
        for packet in self._packets(audio):
            if packet.stream in clocks:
                packet.dts, _ = clocks[packet.stream](packet.dts, packet.duration)
                packet.pts = packet.dts  # audio is never reordered
                yield packet
                continue
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                pts = packet.dts if packet.pts is None else packet.pts
                bisect.insort(lost, _Lost(pts or 0, packet.duration or 0))
                continue
            for frame in frames:
                while lost and (frame.pts is None or lost[0].pts < frame.pts):
                    yield lost.pop(0)
                yield frame
        yield from lost

    def _packets(self, audio: list[av.AudioStream]) -> Iterator[av.Packet]:
        """The packets to use, as they lie in the file; each stream ends with an empty one, which the decoder needs."""
        with _explaining(f"{self.film}: cannot be read to its end", "fetch or export it again"):
            for packet in self._container.demux(self._video, *audio):
                if packet.size or packet.stream is self._video:
                    yield packet

    def _clock(self, stream: av.stream.Stream) -> _Clock:
        """For a stream of this film. Broadcasts start their clock anywhere: there the film's start becomes 0."""
        starts_anywhere = self._container.format.flags & av.format.Flags.ts_discont.value
        start_secs = Fraction(self._container.start_time or 0, av.time_base) if starts_anywhere else 0
        second = 1 / stream.time_base
        return _Clock(round(start_secs * second), round(second), max(1, round(second / self.rate)))

    def convert(self, frame: av.VideoFrame, format: str, long_side: int = 0) -> np.ndarray:
        """A frame's pixels, uint8, as "rgb24" [H, W, 3] or "gray" [H, W]; otherwise as `Frame.picture`.

        They are of the first frame's size, or of the same part of it: recordings that were joined may have several.
        """
        width, height = self.first.width, self.first.height
        kinds = av.video.reformatter.Interpolation
        method = kinds.AREA  # fast
        if 0 < long_side < max(width, height):
            scale = long_side / max(width, height)
            width, height = (max(1, round(side * scale)) for side in (width, height))
        elif format == "rgb24":
            method = kinds.BICUBIC | kinds.ACCURATE_RND | kinds.FULL_CHR_H_INT  # else 1 to 2 of 255 too dark
        with _explaining(f"{self.film}: its colours cannot be read", "convert it to H.264 with BT.709's colours"):
            frame = frame.reformat(width, height, format, interpolation=method)
        return _turn_upright(frame.to_ndarray(), _display_matrix(self.first))


def _video_of(film: str | os.PathLike, container: av.container.InputContainer) -> av.VideoStream:
    """The first video that is no cover picture; InputError, naming the film, where there is none to decode."""
    covers = av.stream.Disposition.attached_pic
    video = next((stream for stream in container.streams.video if not stream.disposition & covers), None)
    if video is None:
        raise InputError(f"{film}: has no video in it; name another film")
    if not video.codec_context:
        raise InputError(f"{film}: its video's codec is not known to PyAV; convert it to H.264")
    return video


@contextlib.contextmanager
def _explaining(problem: str, remedy: str) -> Iterator[None]:
    """Turn FFmpeg's errors, some of which are OSErrors, into ours."""
    try:
        yield
    except av.error.FFmpegError as error:
        raise InputError(f"{problem} ({error.strerror}); {remedy}") from error


def _display_matrix(frame: av.VideoFrame) -> np.ndarray:
    """int32 [2, 2]: x and y of where the stored x axis goes, then of where the stored y axis goes."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    return np.eye(2, dtype=np.int32) if matrix is None else np.frombuffer(matrix, np.int32).reshape(3, 3)[:2, :2]


def _is_on_its_side(matrix: np.ndarray) -> bool:
    return abs(matrix[0, 1]) > abs(matrix[0, 0])


def _turn_upright(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Turn and mirror [H, W, 3] as a display matrix says, by whole quarter turns."""
    if _is_on_its_side(matrix):
        picture, matrix = picture.swapaxes(0, 1), matrix[::-1]
    return picture[:: -1 if matrix[1, 1] < 0 else 1, :: -1 if matrix[0, 0] < 0 else 1]
