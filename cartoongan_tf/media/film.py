"""Films from file to file: the frames pass through a function in batches, the other tracks are copied.

Kept: each frame's time (variable rates too), the colour tags, the shape of the pixels, chapters, title and date, and
the tracks that the format takes, bit for bit (`film_tracks`). Lost: cover pictures, depths over 8 bits, the fields of
interlaced frames. Films stored turned or mirrored, as phones do, become upright. Knows nothing of TensorFlow.
"""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.base.threads import iterate_ahead, map_ahead
from cartoongan_tf.media.film_formats import CONTAINERS
from cartoongan_tf.media.film_frames import FilmBatch, Time
from cartoongan_tf.media.film_reader import Reader, opened
from cartoongan_tf.media.film_tracks import TrackPlan, plan_tracks
from cartoongan_tf.media.film_writer import Writer

_CUT_SHORT_SHARE = 0.9  # share of the expected frames below which a film may have been cut short
_MOST_BROKEN = 0.5  # share of the frames
_SAME_SHAPE = 0.05  # difference of two pictures' proportions that rounded sides may have
_BATCHES_AHEAD = 2  # number of batches read ahead, and of those waiting to be written


@dataclasses.dataclass(frozen=True)
class FilmReport:
    """The facts about a written film.

    Attributes:
      num_frames: number of frames in the result.
      num_expected: about the number of frames that the film states; None where it states none.
      num_broken: number of damaged frames in the film. The last good drawing is shown in their place; before the first
        good frame they are dropped, or drawn where there is anything to see.
      num_interlaced: number of frames that were interlaced.
      transparency_lost: whether the film is transparent and the result is not.
      num_audio: number of audio streams in the result.
      track_remarks: remarks on tracks that are not copied.
      duration_secs: time from the first frame's start to the last one's end.
    """

    num_frames: int
    num_expected: int | None
    num_broken: int
    num_interlaced: int
    transparency_lost: bool
    num_audio: int
    track_remarks: list[str]
    duration_secs: float

    def remarks(self) -> list[str]:
        """Return a remark on each thing that differs from the film."""
        remarks = []
        if self.num_interlaced:
            remarks.append(f"{self.num_interlaced} interlaced frames are deinterlaced")
        if self.num_broken:
            remarks.append(f"{self.num_broken} broken frames; the last good one is shown in their place")
        if self.num_frames < _CUT_SHORT_SHARE * (self.num_expected or 0):
            remarks.append(f"{self.num_frames} of about {self.num_expected} frames; it may have been cut short")
        if self.transparency_lost:
            remarks.append("its transparency is laid over white; an --output that ends in .webm keeps it")
        return remarks + self.track_remarks


def check_film(film: str | os.PathLike, target: str | os.PathLike) -> None:
    """Raise the InputErrors of `draw_film` that can be found in a moment, before a model is loaded."""
    check_target(Path(target))
    with opened(film):
        pass


def check_target(target: Path) -> None:
    """Raise InputError unless the target's format can be written."""
    if target.suffix.lower() not in CONTAINERS:
        raise InputError(f"{target}: cannot write a film in that format; end the name in {', '.join(CONTAINERS)}")


def draw_film(
    film: str | os.PathLike,
    target: str | os.PathLike,
    draw: Callable[[np.ndarray], np.ndarray],
    batch_size: int = 4,
    quality: int = 95,
    keep_metadata: bool = False,
) -> FilmReport:
    """Draw every frame of a film and write the result, complete or not at all.

    A bar with the film's name on standard error shows the progress. Reading and writing go on in threads of their
    own while `draw` works in the caller's.

    Args:
      film: any file that FFmpeg reads.
      target: file that ends in .mp4, .m4v, .mov or .mkv (H.264) or .webm (VP9, which is slow to write).
      draw: uint8 RGB [N, H, W, 3] -> uint8 RGB [N, H2, W2, 3], frames in order, N at most `batch_size`; H2 and W2 the
        same every time. The codecs need even sides: where they are odd, the last row or column is repeated.
      batch_size: number of frames to draw at once.
      quality: 1 to 100, as for JPEG: crf 51 to 15 of H.264, 62 to 18 of VP9. 95 is hard to tell from the drawing.
      keep_metadata: whether to keep the date and the place of the recording.

    Raises:
      InputError: the film cannot be read, has no frames, has colours that FFmpeg does not know, or consists
        mostly of broken frames; the target's format
        is unknown or cannot hold its size.
      OSError: the target cannot be written, because the disk is full for example.
    """
    target = Path(target)
    check_target(target)
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(opened(film))
        tracks = plan_tracks(reader.container, reader.video, target)
        temporary = stack.enter_context(atomic.replacing(target))
        writer = stack.enter_context(Writer(temporary, target, reader, tracks, quality, keep_metadata))
        progress = stack.enter_context(Bar(total=reader.num_frames, desc=Path(film).name, unit="frame"))
        times = draw_batches(reader.batches(batch_size, tracks.read), draw, writer, progress)
        _check_most_are_sound(film, reader.num_broken, len(times))
        writer.finish()
        return _report(reader, tracks, times, writer.keeps_alpha)


def _check_most_are_sound(film: str | os.PathLike, num_broken: int, num_frames: int) -> None:
    if num_broken > num_frames * _MOST_BROKEN:
        problem = f"{num_broken} of its {num_frames} frames cannot be decoded; it may be encrypted, or badly damaged"
        raise InputError(f"{film}: {problem}; fetch or export it again")


def draw_batches(
    batches: Iterator[FilmBatch], draw: Callable[[np.ndarray], np.ndarray], writer: Writer, progress: Bar
) -> list[Time]:
    """Draw batches in this thread while one thread reads them and another one gives the drawings to the writer.

    Args:
      batches: frames to draw.
      draw: as of `draw_film`.
      writer: writer of the result; the caller finishes it.
      progress: bar over the frames.

    Returns:
      all frames' times, once all are written.
    """

    def drawn(batch: FilmBatch) -> tuple[FilmBatch, np.ndarray | None]:
        drawings = _draw_with_alpha(draw, np.stack(batch.pictures)) if batch.pictures else None
        progress.update(len(batch.times))
        return batch, drawings

    def write(drawn_batch: tuple[FilmBatch, np.ndarray | None]) -> list[Time]:
        batch, drawings = drawn_batch
        _write(writer, batch, drawings)
        return batch.times

    times: list[Time] = []
    with contextlib.closing(iterate_ahead(batches, _BATCHES_AHEAD)) as batches_ahead:
        drawn_batches = map(drawn, batches_ahead)
        for batch_times in map_ahead(write, drawn_batches, num_threads=1, num_ahead=_BATCHES_AHEAD):
            times += batch_times
    return times


def _draw_with_alpha(draw: Callable[[np.ndarray], np.ndarray], pictures: np.ndarray) -> np.ndarray:
    """Draw pictures, uint8 RGB or RGBA [N, H, W, 3 or 4]; drawings keep their alpha if they have their shape."""
    drawings = draw(np.ascontiguousarray(pictures[..., :3]))
    height, width = drawings.shape[1:3]
    if pictures.shape[3] == 3 or abs(width / height / (pictures.shape[2] / pictures.shape[1]) - 1) > _SAME_SHAPE:
        return drawings
    alphas = [cv2.resize(picture[..., 3], (width, height), interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.concatenate([drawings, np.stack(alphas)[..., np.newaxis]], axis=3)


def _write(writer: Writer, batch: FilmBatch, drawings: np.ndarray | None) -> None:
    """Write a batch; `drawings`, uint8 [N, H, W, 3 or 4], are those of its pictures, None if it has none."""
    remaining = iter(() if drawings is None else drawings)
    for time in batch.times:
        writer.show(next(remaining) if time.has_picture else None, time.pts, time.duration)
    for packet in batch.packets:
        writer.add(packet)


def _report(reader: Reader, tracks: TrackPlan, times: list[Time], keeps_alpha: bool) -> FilmReport:
    first = times[0]
    last = times[-1]
    return FilmReport(
        num_frames=len(times),
        num_expected=reader.num_frames,
        num_broken=reader.num_broken,
        num_interlaced=reader.num_interlaced,
        transparency_lost=reader.is_transparent and not keeps_alpha,
        num_audio=tracks.num_audio,
        track_remarks=tracks.remarks(),
        duration_secs=float((last.pts + last.duration - first.pts) * reader.time_base),
    )
