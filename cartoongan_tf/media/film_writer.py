"""Write a film: drawings are encoded, and the sound of the film that was drawn is copied as it is.

Timestamps and durations count in their stream's time base, a fraction of a second.
"""

import contextlib
import io
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import numpy as np

from cartoongan_tf.base.errors import InputError

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".webm": "webm", ".mkv": "matroska"}
_BT709_LIMITED = {"colorspace": 1, "color_range": 1, "color_primaries": 1, "color_trc": 1}


class Source(Protocol):
    """What the result takes from the film that was drawn; asked at the first drawing, not before.

    Attributes:
      film: its path, for messages.
      first: a frame; its colour tags are kept.
      rate: frames in a second, on average.
      time_base: of the frames' times, in seconds.
      aspect: the width of a pixel over its height.
      audio: the streams to copy.
    """

    film: str | os.PathLike
    first: av.VideoFrame
    rate: Fraction
    time_base: Fraction
    aspect: Fraction
    audio: list[av.AudioStream]


class Writer:
    """The film being written, H.264 or, in WebM, VP9. A context: where its block fails, what is written is removed."""

    def __init__(self, path: Path, target: Path, source: Source, quality: int):
        """Write to `path` what is to become `target`, which messages name; `quality` as `film.draw_film` has it."""
        self._path, self._target, self._source = path, target, source
        container = CONTAINERS[target.suffix.lower()]
        self._is_webm = container == "webm"
        self._encoder_options = _encoder_options(self._is_webm, quality)
        # What sound there is before time 0, the codec's run-up, doesn't delay the rest.
        options = {"avoid_negative_ts": "disabled"}
        if container in ("mp4", "mov"):  # browsers play while they load; late starts, in milliseconds otherwise
            options = {"movflags": "+faststart", "movie_timescale": "90000"}
        self._container = av.open(str(path), "w", format=container, container_options=options)
        self._video = self._frame = None  # the stream waits for the first drawing, whose size it has

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        if kind:  # closing would rewrite the file, however long it is
            self._path.unlink(missing_ok=True)
        with contextlib.suppress(av.error.FFmpegError):
            self._container.close()

    def show(self, drawing: np.ndarray | None, pts: int, duration: int) -> None:
        """Add a frame: a drawing, uint8 RGB [H, W, 3] of the first one's size, or None for the last one again.

        The first frame must be a drawing. Odd sides grow by one pixel.

        Raises:
          InputError: the format does not take the drawings' size; the source's colour tags have no use.
          OSError: the target cannot be written.
        """
        with self._naming_target():
            if self._video is None:
                self._add_streams(*drawing.shape[:2])
            if drawing is not None:
                self._frame = self._encodable(drawing)
            self._frame.pts, self._frame.duration = pts, duration
            self._container.mux(self._video.encode(self._frame))

    def copy(self, packet: av.Packet) -> None:
        """Add a packet of an audio stream of the source, at its own time; errors as of `show`, which goes first."""
        packet.stream = self._audio[packet.stream]
        with self._naming_target():
            self._container.mux(packet)

    def finish(self) -> None:
        """Write what the encoder holds back, and close the file; errors as of `show`."""
        with self._naming_target():
            self._container.mux(self._video.encode(None))
            self._container.close()

    def _encodable(self, drawing: np.ndarray) -> av.VideoFrame:
        """A frame in YUV with even sides and the source's colour tags."""
        height, width, _ = drawing.shape
        even = np.pad(drawing, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(even, "rgb24")
        _tag(frame, self._source.first)
        size = {"width": self._video.width, "height": self._video.height}
        kinds = av.video.reformatter.Interpolation
        accurate = kinds.BICUBIC | kinds.ACCURATE_RND  # else 1 to 2 of 255 too dark
        try:
            frame = frame.reformat(format="yuv420p", interpolation=accurate, **size)
        except av.error.FFmpegError as error:
            problem = f"its colours cannot be written ({error.strerror})"
            raise InputError(f"{self._source.film}: {problem}; convert it to H.264 with BT.709's colours") from error
        _tag(frame, self._source.first)  # swscale has changed what it has other names for
        frame.time_base = self._source.time_base
        return frame

    def _add_streams(self, height: int, width: int) -> None:
        """Add the video, for drawings of this size, and the sound."""
        source, codec, aspect = self._source, "libx264", self._source.aspect
        height, width = height + height % 2, width + width % 2
        if self._is_webm:  # VP9 cannot say that pixels are not square
            codec, width, aspect = "libvpx-vp9", 2 * round(width * aspect / 2), Fraction(1)
        size = {"width": width, "height": height}
        self._video = self._container.add_stream(codec, source.rate, time_base=source.time_base, **size)
        self._video.options = self._encoder_options
        context = self._video.codec_context
        context.sample_aspect_ratio = aspect
        context.flags |= av.codec.context.Flags.frame_duration  # the last frame's is in no timestamp
        _tag(context, source.first)
        self._audio = {stream: _add_copy(self._container, stream) for stream in source.audio}

    @contextlib.contextmanager
    def _naming_target(self) -> Iterator[None]:
        """Turn FFmpeg's errors into ours, which name the target and not the temporary file."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._target)) from error
        except av.error.FFmpegError as error:
            remedy = "try another format or a smaller film"
            raise InputError(f"{self._target}: cannot be written ({error.strerror}); {remedy}") from error


def holds(suffix: str, stream: av.AudioStream) -> bool:
    """Whether a format takes a stream as it is: some refuse at once, some when the header is written.

    Args:
      suffix: the format's, one of CONTAINERS.
      stream: of an open film.
    """
    probe = av.open(io.BytesIO(), "w", format=CONTAINERS[suffix])
    try:
        _add_copy(probe, stream)
        probe.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    finally:
        with contextlib.suppress(av.error.FFmpegError):
            probe.close()
    return True


def _encoder_options(is_webm: bool, quality: int) -> dict[str, str]:
    if is_webm:
        return {"crf": f"{20 + 0.45 * (95 - quality):.0f}", "b": "0", "row-mt": "1", "cpu-used": "3"}
    return {"crf": f"{17 + 0.36 * (95 - quality):.1f}", "preset": "medium"}


def _add_copy(container: av.container.OutputContainer, stream: av.AudioStream) -> av.AudioStream:
    """Add a stream that is to hold another one's packets; its language and title come along."""
    copy = container.add_stream_from_template(stream)
    copy.metadata.update({key: value for key, value in stream.metadata.items() if key in ("language", "title")})
    copy.disposition = stream.disposition
    return copy


def _tag(frame: av.VideoFrame | av.VideoCodecContext, like: av.VideoFrame) -> None:
    """Give it another frame's colour tags; BT.709's where that one is no YUV."""
    for name, value in _BT709_LIMITED.items():
        setattr(frame, name, value if like.format.is_rgb else getattr(like, name))
