"""A film writer: drawings are encoded, and the tracks of the film that was drawn are written between them.

Timestamps and durations count in their stream's time base, a fraction of a second.
"""

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import hdr
from cartoongan_tf.media.film_formats import CONTAINERS
from cartoongan_tf.media.film_tracks import CopiedTrack, EncodedSound, TrackPlan, copy_facts
from cartoongan_tf.media.transparency import over_white

_BT709_LIMITED = {"colorspace": 1, "color_range": 1, "color_primaries": 1, "color_trc": 1}


class Source(Protocol):
    """The properties that the result takes from the film that was drawn; read at the first drawing, not before."""

    @property
    def film(self) -> str | os.PathLike:
        """Path of the film, for messages."""

    @property
    def first(self) -> av.VideoFrame:
        """A frame, whose colour tags are kept."""

    @property
    def rate(self) -> Fraction:
        """Number of frames in a second, on average."""

    @property
    def time_base(self) -> Fraction:
        """Unit of the frames' times, in seconds."""

    @property
    def aspect(self) -> Fraction:
        """The width of a pixel over its height."""

    @property
    def container(self) -> av.container.InputContainer:
        """The open film, whose facts and chapters are kept."""


class Writer:
    """A film that is being written, H.264 or, in WebM, VP9; a context manager.

    If its block fails, what has been written is removed.

    Attributes:
      keeps_alpha: whether the film is written with alpha; known from the first drawing on.
    """

    def __init__(
        self, path: Path, target: Path, source: Source, tracks: TrackPlan | None, quality: int, keep_metadata: bool
    ):
        """
        Args:
          path: file to write.
          target: file that it will become; messages name it, and its suffix decides the format.
          source: film that is drawn.
          tracks: tracks of that film to write, with the facts about it; None for a part of it, which is joined later.
          quality, keep_metadata: as in `film.draw_film`.
        """
        self._path = path
        self._target = target
        self._source = source
        self._tracks = tracks
        self.keeps_alpha = False
        self._keep_metadata = keep_metadata
        container = CONTAINERS[target.suffix.lower()]
        self._is_webm = container == "webm"
        self._encoder_options = _encoder_options(self._is_webm, quality)
        self._container = av.open(str(path), "w", format=container, container_options=_muxer_options(container))
        # The streams are added at the first drawing, when its size is known.
        self._video: Any = None
        self._written_tracks: dict[av.stream.Stream, CopiedTrack | EncodedSound] = {}
        self._frame: Any = None

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        if kind:  # closing would rewrite the file, however long it is
            self._path.unlink(missing_ok=True)
        with contextlib.suppress(av.error.FFmpegError):
            self._container.close()

    def show(self, drawing: np.ndarray | None, pts: int, duration: int) -> None:
        """Add a frame.

        Args:
          drawing: uint8 RGB or RGBA [H, W, 3 or 4] of the first one's shape, or None for the last one again; the first
            frame must be a drawing. Odd sides grow by one pixel.
          pts: time at which it is shown.
          duration: time for which it is shown.

        Raises:
          InputError: the format does not take the drawings' size, or the source's colour tags cannot be used.
          OSError: the target cannot be written.
        """
        with self._naming_target():
            if drawing is not None:
                if self._video is None:
                    self._add_video(*drawing.shape)
                    self._add_tracks()
                self._frame = self._encodable(drawing)
            self._frame.pts = pts
            self._frame.duration = duration
            self._container.mux(self._video.encode(self._frame))

    def copy(self, packet: av.Packet) -> None:
        """Add frames that are encoded already, with the same options, where `show` would add drawings.

        Args:
          packet: packet of another file's video, with the timestamps that it is to have here, in its own time base.

        Raises:
          InputError, OSError: as `show`.
        """
        with self._naming_target():
            if self._video is None:
                self._video = self._container.add_stream_from_template(packet.stream)
                self._video.codec_context.framerate = self._source.rate  # Matroska would state a wrong one
                self._add_tracks()
            packet.stream = self._video
            self._container.mux(packet)

    def add(self, packet: av.Packet) -> None:
        """Add a packet of a track of the source, at its own time. Call `show` or `copy` first; raises as these do."""
        with self._naming_target():
            for converted in self._written_tracks[packet.stream].convert(packet):
                self._container.mux(converted)

    def finish(self) -> None:
        """Write what the encoders hold back, and close the file; raises as `show`."""
        with self._naming_target():
            if self._frame is not None:
                self._container.mux(self._video.encode(None))
            for track in self._written_tracks.values():
                for packet in track.finish():
                    self._container.mux(packet)
            self._container.close()

    def _encodable(self, drawing: np.ndarray) -> av.VideoFrame:
        """Return a frame in YUV with even sides and the source's colour tags."""
        height, width, _ = drawing.shape
        pixels = drawing if self.keeps_alpha else over_white(drawing)
        even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        rgb = av.VideoFrame.from_ndarray(even, "rgba" if self.keeps_alpha else "rgb24")
        _copy_color_tags(self._source.first, rgb)
        kinds = av.video.reformatter.Interpolation
        accurate = kinds.BICUBIC | kinds.ACCURATE_RND  # else 1 to 2 of 255 too dark
        try:
            frame = rgb.reformat(self._video.width, self._video.height, self._video.pix_fmt, interpolation=accurate)
        except av.error.FFmpegError as error:
            problem = f"its colours cannot be written ({error.strerror})"
            raise InputError(f"{self._source.film}: {problem}; convert it to H.264 with BT.709's colours") from error
        _copy_color_tags(self._source.first, frame)  # swscale has changed those for which it has other names
        frame.time_base = self._source.time_base
        return frame

    def _add_video(self, height: int, width: int, num_channels: int) -> None:
        """Add the video, for drawings of this shape."""
        source = self._source
        codec = "libx264"
        aspect = source.aspect
        height += height % 2
        width += width % 2
        if self._is_webm:  # VP9 cannot store that pixels are not square
            codec = "libvpx-vp9"
            width = 2 * round(width * aspect / 2)
            aspect = Fraction(1)
        size: dict[str, Any] = {"width": width, "height": height}
        self._video = self._container.add_stream(codec, source.rate, time_base=source.time_base, **size)
        self.keeps_alpha = self._is_webm and num_channels == 4
        self._video.pix_fmt = "yuva420p" if self.keeps_alpha else "yuv420p"
        self._video.options = self._encoder_options
        context = self._video.codec_context
        context.sample_aspect_ratio = aspect
        context.flags |= av.codec.context.Flags.frame_duration  # the last frame's is in no timestamp
        _copy_color_tags(source.first, context)

    def _add_tracks(self) -> None:
        """Add the other tracks, and the facts about the film."""
        if self._tracks is None:
            return
        for stream in self._tracks.copied:
            self._written_tracks[stream] = CopiedTrack(self._container, stream)
        for stream in self._tracks.encoded:
            self._written_tracks[stream] = EncodedSound(self._container, stream, self._target.suffix.lower())
        for attachment in self._tracks.attachments:
            self._container.add_attachment(attachment.name, attachment.mimetype, attachment.data)
        copy_facts(self._source.container, self._container, self._keep_metadata)
        self._container.set_chapters(self._source.container.chapters())

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


def _encoder_options(is_webm: bool, quality: int) -> dict[str, str]:
    if is_webm:
        return {"crf": f"{20 + 0.45 * (95 - quality):.0f}", "b": "0", "row-mt": "1", "cpu-used": "3"}
    # Parts of a film that are encoded apart can be joined if their headers are equal.
    return {"crf": f"{17 + 0.36 * (95 - quality):.1f}", "preset": "medium", "x264-params": "stitchable=1"}


def _muxer_options(container: str) -> dict[str, str]:
    if container in ("mp4", "mov"):  # browsers play while they load; late starts, in milliseconds otherwise
        return {"movflags": "+faststart", "movie_timescale": "90000"}
    return {"avoid_negative_ts": "disabled"}  # sound before time 0, the codec's run-up, must not delay the rest


def _copy_color_tags(source: av.VideoFrame, target: av.VideoFrame | av.VideoCodecContext) -> None:
    """Copy a frame's colour tags; use BT.709's where the source is not YUV, or was HDR."""
    becomes_bt709 = source.format.is_rgb or hdr.is_hdr(source.color_trc)
    for name, value in _BT709_LIMITED.items():
        setattr(target, name, value if becomes_bt709 else getattr(source, name))
