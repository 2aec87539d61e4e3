"""The tracks beside a film's picture: sound, subtitles, attachments, and the facts about the film.

They are copied as they are where the result's format takes them. Sound that it does not take is encoded anew; other
tracks are left out, and `TrackPlan.remarks` reports that.
"""

import contextlib
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import av

from cartoongan_tf.media.film_formats import CONTAINERS

_SOUND_ENCODERS = {".webm": "libopus"}
_USUAL_SOUND_ENCODER = "aac"
_BITS_PER_CHANNEL = 96_000  # in a second
_USUAL_RATE = 48_000
_FACTS = ("title", "artist", "album", "show", "genre", "description", "copyright", "date", "language")
_DATE_AND_PLACE = {
    "creation_time": "creation_time",
    "location": "location",
    "com.apple.quicktime.location.iso6709": "location",
}


class TrackPlan(NamedTuple):
    """The way that each track of a film takes; usable while the film is open.

    Attributes:
      copied: streams whose packets are copied.
      encoded: audio streams to decode and encode anew.
      attachments: attached files, such as fonts, that are copied.
      left_out: number of tracks left out of each kind.
    """

    copied: list[av.stream.Stream]
    encoded: list[av.AudioStream]
    attachments: list[Any]
    left_out: Counter[str]

    @property
    def read(self) -> list[av.stream.Stream]:
        """The streams whose packets are needed."""
        return [*self.copied, *self.encoded]

    @property
    def num_audio(self) -> int:
        return sum(stream.type == "audio" for stream in self.read)

    def remarks(self) -> list[str]:
        """Return a remark on sound that is encoded anew, and one on all that is left out."""
        remarks = []
        if self.encoded:
            codecs = ", ".join(sorted({stream.codec_context.codec.canonical_name for stream in self.encoded}))
            remarks.append(f"its sound ({codecs}) is encoded anew, as the result's format does not take it")
        if self.left_out:
            kinds = [f"{count} {kind}{'s' * (count > 1)}" for kind, count in self.left_out.items()]
            remarks.append(f"left out: {', '.join(kinds)}")
        return remarks


def plan_tracks(container: av.container.InputContainer, video: av.VideoStream, target: Path) -> TrackPlan:
    """Decide what becomes of each stream of a film.

    Args:
      container: the open film.
      video: the stream that is drawn.
      target: file to write, whose suffix is one of CONTAINERS.
    """
    suffix = target.suffix.lower()
    plan = TrackPlan([], [], [], Counter())
    for stream in container.streams:
        if stream is video:
            continue
        if isinstance(stream, av.AudioStream) and stream.codec_context:
            if not stream.rate:
                plan.left_out["empty sound track"] += 1
            else:
                (plan.copied if holds(suffix, stream) else plan.encoded).append(stream)
        elif stream.type == "subtitle" and stream.codec_context and holds(suffix, stream):
            plan.copied.append(stream)
        elif stream.type == "attachment" and CONTAINERS[suffix] == "matroska":
            plan.attachments.append(stream)
        elif not (stream.type == "data" and container.chapters()):  # in MP4, chapters are such a track
            plan.left_out[_kind_of(stream)] += 1
    return plan


def _kind_of(stream: av.stream.Stream) -> str:
    if stream.type == "video":
        return "cover picture" if stream.disposition & av.stream.Disposition.attached_pic else "other video track"
    if stream.type == "attachment":
        return "attachment"
    codec = f"{stream.codec_context.codec.canonical_name} " if stream.codec_context else ""
    kind = "sound" if stream.type == "audio" else stream.type
    return f"{codec or 'unknown '}{kind} track"


def holds(suffix: str, stream: av.stream.Stream) -> bool:
    """Return whether a format takes a stream as it is: some refuse at once, some when the header is written.

    Args:
      suffix: suffix of the format, one of CONTAINERS.
      stream: audio or subtitle stream of an open film.
    """
    probe = av.open(io.BytesIO(), "w", format=CONTAINERS[suffix])
    try:
        CopiedTrack(probe, stream)
        probe.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    finally:
        with contextlib.suppress(av.error.FFmpegError):
            probe.close()
    return True


class CopiedTrack:
    """A track of the result that holds another one's packets."""

    def __init__(self, container: av.container.OutputContainer, stream: av.stream.Stream):
        self._stream = container.add_stream_from_template(stream)
        copy_facts(stream, self._stream)
        self._stream.disposition = stream.disposition

    def convert(self, packet: av.Packet) -> Iterable[av.Packet]:
        """Return the packets to write for one of the film's."""
        packet.stream = self._stream
        return [packet]

    def finish(self) -> Iterable[av.Packet]:
        """Return the packets that are still to be written."""
        return []


class EncodedSound:
    """A track of the result with another one's sound, encoded anew; methods as of `CopiedTrack`."""

    def __init__(self, container: av.container.OutputContainer, stream: av.AudioStream, suffix: str):
        codec = av.Codec(_SOUND_ENCODERS.get(suffix, _USUAL_SOUND_ENCODER), "w")
        rate = stream.rate if stream.rate in (codec.audio_rates or ()) else _USUAL_RATE
        channels = min(stream.codec_context.channels, 2)
        layout = "mono" if channels == 1 else "stereo"
        self._stream: Any = container.add_stream(codec.name, rate=rate, layout=layout)
        self._stream.codec_context.bit_rate = _BITS_PER_CHANNEL * channels
        copy_facts(stream, self._stream)
        self._stream.disposition = stream.disposition
        self._resampler: Any = None  # begins at the first frame, once the encoder is open and tells its frames' size

    def convert(self, packet: av.Packet) -> Iterable[av.Packet]:
        with contextlib.suppress(av.error.FFmpegError):  # a damaged packet is silence
            for frame in packet.decode():
                yield from self._encode(frame)

    def finish(self) -> Iterable[av.Packet]:
        if self._resampler:
            yield from self._encode(None)
            yield from self._stream.encode(None)

    def _encode(self, frame: Any) -> Iterable[av.Packet]:
        if self._resampler is None:
            context = self._stream.codec_context
            context.open(strict=False)
            self._resampler = av.AudioResampler(context.format, context.layout, context.rate, context.frame_size)
        for part in self._resampler.resample(frame):
            yield from self._stream.encode(part)


def copy_facts(source: Any, target: Any, with_date_and_place: bool = False) -> None:
    """Copy the title, the language and the like of a film or of one of its streams; date and place on request."""
    names = dict(zip(_FACTS, _FACTS, strict=True)) | (_DATE_AND_PLACE if with_date_and_place else {})
    for name, value in source.metadata.items():
        if name.lower() in names:
            target.metadata[names[name.lower()]] = value
