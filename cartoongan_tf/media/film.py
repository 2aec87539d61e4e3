"""Films from file to file: the frames pass through a function in batches, the sound is copied.

Kept: each frame's time (variable rates too), the colour tags, the shape of the pixels, the sound bit for bit. Lost:
subtitles, chapters, cover pictures, depths over 8 bits, the fields of interlaced frames. Films stored turned or
mirrored, as phones do, become upright. Knows nothing of TensorFlow.
"""

import contextlib
import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.base.threads import iterate_ahead, map_ahead
from cartoongan_tf.media.film_reader import FilmBatch, Reader, Time, opened
from cartoongan_tf.media.film_writer import CONTAINERS, Writer, holds

WRITABLE_SUFFIXES = tuple(CONTAINERS)
_CUT_SHORT_SHARE = 0.9  # share of the expected frames below which a film may have been cut short
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
      num_audio: number of audio streams copied.
      num_audio_left_out: number of audio streams skipped because this PyAV does not know their codec.
      duration_secs: time from the first frame's start to the last one's end.
    """

    num_frames: int
    num_expected: int | None
    num_broken: int
    num_interlaced: int
    num_audio: int
    num_audio_left_out: int
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
        if self.num_audio_left_out:
            remarks.append(f"skipped {self.num_audio_left_out} sound tracks of unknown kind")
        return remarks


def output_suffix(film: str | os.PathLike) -> str:
    """Return the film's own suffix if films can be written with it, else .mkv, which holds almost any sound."""
    suffix = Path(film).suffix
    return suffix if suffix.lower() in WRITABLE_SUFFIXES else ".mkv"


def check_film(film: str | os.PathLike, target: str | os.PathLike) -> None:
    """Raise the InputErrors of `draw_film` that can be found in a moment, before a model is loaded."""
    with opened(film) as reader:
        _check_target(reader, Path(target))


def draw_film(
    film: str | os.PathLike,
    target: str | os.PathLike,
    draw: Callable[[np.ndarray], np.ndarray],
    batch_size: int = 4,
    quality: int = 95,
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

    Raises:
      InputError: the film cannot be read, has no frames, or has colours that FFmpeg does not know; the target's format
        cannot hold its sound (reported before anything is drawn) or its size.
      OSError: the target cannot be written, because the disk is full for example.
    """
    target = Path(target)
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(opened(film))
        _check_target(reader, target)
        temporary = stack.enter_context(atomic.replacing(target))
        writer = stack.enter_context(Writer(temporary, target, reader, quality))
        progress = stack.enter_context(Bar(total=reader.num_frames, desc=Path(film).name, unit="frame"))
        times = _draw_batches(reader, batch_size, draw, writer, progress)
        writer.finish()
        return _report(reader, times)


def _check_target(reader: Reader, target: Path) -> None:
    """Raise InputError unless the target's format can be written and can hold the film's sound."""
    suffix = target.suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        raise InputError(
            f"{target}: cannot write a film in that format; end the name in {', '.join(WRITABLE_SUFFIXES)}"
        )
    for stream in reader.audio:
        if not holds(suffix, stream):
            able = [other for other in WRITABLE_SUFFIXES if holds(other, stream)]
            remedy = f"name an --output that ends in {able[-1]}" if able else "convert the film's sound to AAC first"
            codec = stream.codec_context.codec.canonical_name
            raise InputError(f"{reader.film}: {suffix} cannot hold its sound ({codec}); {remedy}")


def _draw_batches(
    reader: Reader, batch_size: int, draw: Callable[[np.ndarray], np.ndarray], writer: Writer, progress: Bar
) -> list[Time]:
    """Draw in this thread while one thread reads and another one writes.

    Returns:
      all frames' times, once all are written.
    """

    def drawn(batch: FilmBatch) -> tuple[FilmBatch, np.ndarray | None]:
        drawings = draw(np.stack(batch.pictures)) if batch.pictures else None
        progress.update(len(batch.times))
        return batch, drawings

    def write(drawn_batch: tuple[FilmBatch, np.ndarray | None]) -> list[Time]:
        batch, drawings = drawn_batch
        _write(writer, batch, drawings)
        return batch.times

    times: list[Time] = []
    with contextlib.closing(iterate_ahead(reader.batches(batch_size), _BATCHES_AHEAD)) as batches:
        drawn_batches = map(drawn, batches)
        for batch_times in map_ahead(write, drawn_batches, num_threads=1, num_ahead=_BATCHES_AHEAD):
            times += batch_times
    return times


def _write(writer: Writer, batch: FilmBatch, drawings: np.ndarray | None) -> None:
    """Write a batch; `drawings`, uint8 RGB [N, H, W, 3], are those of its pictures, None if it has none."""
    remaining = iter(() if drawings is None else drawings)
    for time in batch.times:
        writer.show(next(remaining) if time.has_picture else None, time.pts, time.duration)
    for packet in batch.audio:
        writer.copy(packet)


def _report(reader: Reader, times: list[Time]) -> FilmReport:
    first = times[0]
    last = times[-1]
    return FilmReport(
        num_frames=len(times),
        num_expected=reader.num_frames,
        num_broken=reader.num_broken,
        num_interlaced=reader.num_interlaced,
        num_audio=len(reader.audio),
        num_audio_left_out=reader.num_audio_left_out,
        duration_secs=float((last.pts + last.duration - first.pts) * reader.time_base),
    )
