"""The stream of a film's frames and of its other tracks' packets, in the order in which they are shown and heard.

Timestamps (`pts`, `dts`) and durations count in their stream's time base, a fraction of a second.
"""

import bisect
import os
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import av

from cartoongan_tf.media.film_pixels import explaining

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_STARTS_ANYWHERE: Any = av.format.Flags.ts_discont


class TrackPacket(NamedTuple):
    """A packet of another track, with its new timestamps."""

    packet: av.Packet


class LostFrame(NamedTuple):
    """A frame that cannot be decoded: only its time is known."""

    pts: int
    duration: int


Item = TrackPacket | LostFrame | av.VideoFrame


class FilmStream:
    """The frames, and other tracks' packets, of an open film, to go through once."""

    def __init__(
        self, film: str | os.PathLike, container: av.container.InputContainer, video: av.VideoStream, rate: Fraction
    ):
        """
        Args:
          film: path of the film, for messages.
          container: the open film.
          video: its video stream.
          rate: number of frames in a second, on average.
        """
        self._film = film
        self._container = container
        self._video = video
        self._rate = rate
        self._decode = _decoder_of(video)

    def items(self, tracks: Sequence[av.stream.Stream]) -> Iterator[Item]:
        """Yield the packets of other tracks, and between them the frames in the order in which they are shown.

        Packets lie in the order in which they are decoded. A frame that cannot be decoded therefore waits until a
        decoded frame is shown after it.

        Raises:
          InputError: the file cannot be read to its end.
        """
        clocks = {stream: self.clock(stream) for stream in tracks}
        waiting: list[LostFrame] = []
        for packet in self._packets([self._video, *tracks]):
            if packet.stream in clocks:
                yield _with_new_time(packet, clocks[packet.stream])
                continue
            try:
                frames = self._decode(packet)
            except av.error.FFmpegError:
                bisect.insort(waiting, _lost_frame(packet))
                continue
            for frame in frames:
                while waiting and (frame.pts is None or waiting[0].pts < frame.pts):
                    yield waiting.pop(0)
                yield frame
        yield from waiting

    def track_packets(self, tracks: Sequence[av.stream.Stream]) -> Iterator[av.Packet]:
        """Yield the packets of some tracks as they lie in the file, with their new timestamps; raises as `items`."""
        clocks = {stream: self.clock(stream) for stream in tracks}
        for packet in self._packets(tracks) if tracks else ():
            yield _with_new_time(packet, clocks[packet.stream]).packet

    def clock(self, stream: av.stream.Stream) -> "Clock":
        """Return a clock for a stream of this film.

        Broadcasts start their clock anywhere; their start becomes 0.
        """
        starts_anywhere = self._container.format.flags & _STARTS_ANYWHERE.value
        start_secs = Fraction(self._container.start_time or 0, av.time_base) if starts_anywhere else Fraction(0)
        second = 1 / time_base_of(stream)
        return Clock(origin=round(start_secs * second), second=round(second), step=max(1, round(second / self._rate)))

    def _packets(self, streams: Sequence[av.stream.Stream]) -> Iterator[av.Packet]:
        """Yield the packets as they lie in the file; the video ends with an empty one, which the decoder needs."""
        with explaining(f"{self._film}: cannot be read to its end", "fetch or export it again"):
            for packet in self._container.demux(*streams):
                if packet.size or packet.stream is self._video:
                    yield packet


class Clock:
    """Strictly increasing timestamps for a stream, with made-up ones in place of those that are missing."""

    def __init__(self, origin: int, second: int, step: int):
        """
        Args:
          origin: timestamp that becomes 0, in the stream's time base as all here.
          second: length of a second.
          step: distance between frames until a duration is known.
        """
        self._origin = origin
        self._second = second
        self._step = step
        self._last: int | None = None

    def __call__(self, timestamp: int | None, duration: int | None) -> tuple[int, int]:
        """Return the timestamp to write for the next frame or packet, and its duration."""
        self._last = self._next(timestamp)
        self._step = duration or self._step
        return self._last, self._step

    def shift(self, timestamp: int) -> int:
        """Return a timestamp with the origin as 0."""
        return timestamp - self._origin

    def unshift(self, timestamp: int) -> int:
        """Return the timestamp that `shift` takes to this one."""
        return timestamp + self._origin

    def _next(self, timestamp: int | None) -> int:
        now = None if timestamp is None else self.shift(timestamp)
        if self._last is None:
            return now or 0
        recording_restarts = now is not None and now < self._last - self._second  # recordings were joined
        if now is None or recording_restarts:
            return self._last + self._step
        if now <= self._last:
            return self._last + max(1, self._step // 2)  # leaves room for the next one
        return now


def time_base_of(stream: av.stream.Stream) -> Fraction:
    """Return the unit of a stream's timestamps, in seconds."""
    assert stream.time_base is not None  # every stream of an open file has one
    return stream.time_base


def _decoder_of(video: av.VideoStream) -> Callable[[av.Packet], list[Any]]:
    """Return the function that decodes a packet. FFmpeg's own decoders of VP8 and VP9 leave the alpha channel out."""
    tags = {name.lower(): value for name, value in video.metadata.items()}
    library = _ALPHA_DECODERS.get(video.codec_context.name) if tags.get("alpha_mode") == "1" else None
    if not library:
        return av.Packet.decode
    decoder: Any = av.CodecContext.create(library, "r")
    return lambda packet: decoder.decode(packet if packet.size else None)


def _with_new_time(packet: av.Packet, clock: Clock) -> TrackPacket:
    if packet.stream.type == "subtitle":  # several may be shown at once
        packet.pts = packet.dts = clock.shift(packet.pts or packet.dts or 0)
    else:
        packet.dts, _ = clock(packet.dts, packet.duration)
        packet.pts = packet.dts  # sound is never reordered
    return TrackPacket(packet)


def _lost_frame(packet: av.Packet) -> LostFrame:
    pts = packet.dts if packet.pts is None else packet.pts
    return LostFrame(pts or 0, packet.duration or 0)
