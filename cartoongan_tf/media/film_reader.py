"""Films as upright pictures in batches, with the other tracks as the packets in which they are stored.

Timestamps (`pts`, `dts`) and durations count in their stream's time base, a fraction of a second.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media.deinterlacing import Deinterlacer
from cartoongan_tf.media.film_frames import FilmBatch, FilmFrame, Time
from cartoongan_tf.media.film_pixels import FrameConverter, tag_untagged_hd
from cartoongan_tf.media.film_stream import FilmStream, Item, LostFrame, TrackPacket, time_base_of

_RUN_UP_SECS = 1  # a decoder may need the frames before a key frame for those that are shown first after it
_DEFAULT_RATE = Fraction(25)  # frames in a second, where the film does not state it


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
      film: path of the film.
      container: the open file.
      video: the stream that is read as pictures.
      rate: number of frames in a second, on average.
      time_base: unit of the frames' times, in seconds.
      num_broken: number of damaged frames so far.
      is_transparent: whether a frame so far was transparent anywhere.
      num_interlaced: number of frames so far that were interlaced.
      num_retimed: number of frames so far of `frames` that had no usable time of their own.
      cut_short: reason why `frames` ended before the file did; empty if it did not.
    """

    def __init__(self, film: str | os.PathLike, container: av.container.InputContainer):
        self.film = film
        self.container = container
        self.video = _video_of(film, container)
        rates = (self.video.average_rate, self.video.guessed_rate)  # either may be nonsense, and is then too high
        self.rate = min((rate for rate in rates if rate), default=_DEFAULT_RATE)
        self.time_base = time_base_of(self.video)
        self._stream = FilmStream(film, container, self.video, self.rate)
        self._deinterlacer = Deinterlacer()
        self._converter: FrameConverter | None = None  # from the first frame with a picture on
        self.is_transparent = False
        self.num_broken = 0
        self.num_retimed = 0
        self.cut_short = ""

    @property
    def num_frames(self) -> int | None:
        """About the number of frames; None where the film does not state it. Those that a trim hides do not count."""
        duration_secs = Fraction(self.container.duration or 0, av.time_base)
        if self.video.duration:
            duration_secs = self.video.duration * self.time_base
        counts = (self.video.frames, round(duration_secs * self.rate))
        return min((count for count in counts if count), default=None)

    @property
    def num_interlaced(self) -> int:
        return self._deinterlacer.num_interlaced

    @property
    def first(self) -> av.VideoFrame:
        """The first frame with a picture, once it has been read; its size and colours stand for all frames."""
        assert self._converter is not None, "no frame has been read"
        return self._converter.first

    @property
    def has_alpha(self) -> bool:
        """Whether the film has an alpha channel; known once a frame has been read."""
        assert self._converter is not None, "no frame has been read"
        return self._converter.has_alpha

    @property
    def aspect(self) -> Fraction:
        """The width of a pixel over its height, upright; known once a frame has been read."""
        assert self._converter is not None, "no frame has been read"
        aspect = self.video.sample_aspect_ratio or Fraction(1)
        return 1 / aspect if self._converter.is_on_its_side else aspect

    def batches(self, size: int, tracks: Sequence[av.stream.Stream] = ()) -> Iterator[FilmBatch]:
        """Yield the film in batches of at most `size` pictures, with the packets of other tracks.

        A damaged frame shows the last good one. Until there is one, frames that cannot be decoded are dropped, and
        the first frame that can be decoded at all has a picture.

        Raises:
          InputError: not one frame can be read, the file cannot be read to its end, or swscale does not know its
            colours.
        """
        clock = self._stream.clock(self.video)
        batch = FilmBatch()
        for item in self._items(tracks):
            if isinstance(item, TrackPacket):
                batch.packets.append(item.packet)
                continue
            self.num_broken += _is_damaged(item)
            picture = self._picture_of(item)
            if self._converter is None:
                continue  # there is nothing to show yet
            if len(batch.pictures) == size:
                yield batch
                batch = FilmBatch()
            pts, duration = clock(item.pts, item.duration)
            batch.times.append(Time(pts, duration, has_picture=picture is not None))
            if picture is not None:
                batch.pictures.append(picture)
        self._check_any_frame()
        yield batch

    def frames(self, key_frames_only: bool = False) -> Iterator[FilmFrame]:
        """Yield the undamaged frames, or only the key frames, as far as the file can be read.

        Raises:
          InputError: not one frame can be read.
        """
        self.video.thread_type = "AUTO"
        if key_frames_only:
            self.video.codec_context.skip_frame = "NONKEY"
        clock = self._stream.clock(self.video)
        try:
            for item in self._items(is_deinterlaced=not key_frames_only):
                self.num_broken += _is_damaged(item)
                if isinstance(item, av.VideoFrame):
                    converter = self._converter_for(item)
                    pts, duration = clock(item.pts, item.duration)
                    self.num_retimed += item.pts is None or pts != clock.shift(item.pts)
                    if not item.is_corrupt:
                        yield FilmFrame(Time(pts, duration, has_picture=True), item, converter)
        except InputError as error:
            self.cut_short = str(error)
        self._check_any_frame()

    def jump_to(self, time: int) -> None:
        """Let `frames` begin before a time, at a key frame, if that can be found.

        Args:
          time: timestamp in the film's time base.
        """
        stored = self._stream.clock(self.video).unshift(time) - round(_RUN_UP_SECS / self.time_base)
        with contextlib.suppress(av.error.FFmpegError):  # it reads from the beginning then
            self.container.seek(stored, stream=self.video)

    def track_packets(self, tracks: Sequence[av.stream.Stream]) -> Iterator[av.Packet]:
        """Yield the packets of some tracks with their new timestamps, and decode none.

        Raises:
          InputError: the file cannot be read to its end.
        """
        return self._stream.track_packets(tracks)

    def _items(self, tracks: Sequence[av.stream.Stream] = (), is_deinterlaced: bool = True) -> Iterator[Item]:
        """Yield the stream's items, frames as they are to be shown; key frames alone cannot be deinterlaced."""
        items = self._stream.items(tracks)
        for item in self._deinterlacer.items(items) if is_deinterlaced else items:
            if isinstance(item, av.VideoFrame):
                tag_untagged_hd(item)
            yield item

    def _picture_of(self, frame: LostFrame | av.VideoFrame) -> np.ndarray | None:
        """Return a frame's picture, uint8 RGB or RGBA [H, W, 3 or 4]; None if the last good one is shown in its place.

        A frame that is damaged in part has a picture only if it is the first.
        """
        if isinstance(frame, LostFrame) or (frame.is_corrupt and self._converter is not None):
            return None
        converter = self._converter_for(frame)
        if not converter.has_alpha:
            return converter.rgb(frame)
        picture = converter.rgba(frame)
        self.is_transparent |= bool((picture[..., 3] < 255).any())
        return picture

    def _converter_for(self, frame: av.VideoFrame) -> FrameConverter:
        """Return the film's converter; the first frame that is asked for decides its size."""
        if self._converter is None:
            self._converter = FrameConverter(self.film, frame)
        return self._converter

    def _check_any_frame(self) -> None:
        if self._converter is None:
            raise InputError(
                f"{self.film}: no frame in it can be read; it may be cut short or encrypted, fetch or export it again"
            )


def _is_damaged(item: Item) -> bool:
    return isinstance(item, LostFrame) or (isinstance(item, av.VideoFrame) and item.is_corrupt)


def _video_of(film: str | os.PathLike, container: av.container.InputContainer) -> av.VideoStream:
    """Return the first video stream that is no cover picture.

    Raises:
      InputError: there is none, or none that can be decoded.
    """
    covers = av.stream.Disposition.attached_pic
    videos = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not videos:
        raise InputError(f"{film}: has no video in it; name another film")
    if not videos[0].codec_context:
        raise InputError(f"{film}: its video's codec is not known to PyAV; convert it to H.264")
    return videos[0]
