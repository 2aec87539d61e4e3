"""A film in parts: groups of shots that several machines draw at the same time, and that are joined again.

The drawings are those of `film.draw_film`, as a drawing depends on the shot that it lies in, not on those before it.
Frames are encoded once, with their part. Joining copies them, and adds the film's other tracks.
"""

import contextlib
import heapq
import itertools
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.media.film import check_target, draw_batches
from cartoongan_tf.media.film_formats import CONTAINERS
from cartoongan_tf.media.film_frames import FilmBatch, FilmFrame
from cartoongan_tf.media.film_reader import Reader, opened
from cartoongan_tf.media.film_tracks import plan_tracks
from cartoongan_tf.media.film_writer import Writer
from cartoongan_tf.media.shots import CUT_SEARCH_PX, CutDetector

PART_SUFFIX = ".mp4"  # counts time in any film's unit
_FEWEST_FRAMES = 240  # of a part, but for the last one: fewer are not worth opening a film and finding the place in it
_BEFORE_ALL = -(2**62)  # as a timestamp


class Part(NamedTuple):
    """Some shots of a film.

    Attributes:
      start: timestamp of its first frame, in the film's time base.
      num_frames: number of its frames.
      checksum: CRC-32 of its first frame's small picture.
    """

    start: int
    num_frames: int
    checksum: int


def find_parts(film: str | os.PathLike, target: str | os.PathLike) -> list[Part]:
    """Find the parts in which a film can be drawn.

    Args:
      film: any file that FFmpeg reads.
      target: the file to be written; its suffix decides the format.

    Returns:
      all parts, in order; none for a film to be drawn in one piece: one that is short, damaged, interlaced, transparent
      or oddly timed, or becomes WebM.

    Raises:
      InputError: the film cannot be read, or the target's format is unknown.
    """
    target = Path(target)
    check_target(target)
    if CONTAINERS[target.suffix.lower()] == "webm":
        return []
    with opened(film) as reader:
        parts = _group_shots(reader.frames())
        is_odd = reader.num_broken or reader.num_interlaced or reader.num_retimed or reader.cut_short
        return [] if is_odd or reader.has_alpha or len(parts) < 2 else parts


def _group_shots(frames: Iterator[FilmFrame]) -> list[Part]:
    cuts = CutDetector()
    parts: list[Part] = []
    for frame in frames:
        small = frame.picture(CUT_SEARCH_PX)
        begins_shot = cuts.is_cut(small)
        if not parts or (begins_shot and parts[-1].num_frames >= _FEWEST_FRAMES):
            parts.append(Part(frame.time.pts, 0, _checksum(small)))
        parts[-1] = parts[-1]._replace(num_frames=parts[-1].num_frames + 1)
    return parts


def _checksum(picture: np.ndarray) -> int:
    return zlib.crc32(picture.tobytes())


def draw_part(
    film: str | os.PathLike,
    part: Part,
    target: Path,
    draw: Callable[[np.ndarray], np.ndarray],
    batch_size: int = 4,
    quality: int = 95,
) -> None:
    """Draw a part of a film, and write it as a film of its own without sound, complete or not at all.

    Args:
      film: the film.
      part: one of its parts.
      target: file to write, which ends in PART_SUFFIX.
      draw, batch_size, quality: as of `film.draw_film`; `draw` gets the frames of this part alone.

    Raises:
      InputError: as `film.draw_film`, or the film has changed since its parts were found.
      OSError: the target cannot be written.
    """
    with (
        _opened_at(film, part) as (reader, frames),
        atomic.replacing(target) as temporary,
        Writer(temporary, target, reader, None, quality, keep_metadata=False) as writer,
    ):
        times = draw_batches(_batches(frames, part.start, batch_size), draw, writer, Bar(disable=True))
        if len(times) != part.num_frames:
            problem = "has changed while it was drawn"
            raise InputError(f"{film}: {problem}; leave it in its place, and run the same command again")
        writer.finish()


@contextlib.contextmanager
def _opened_at(film: str | os.PathLike, part: Part) -> Iterator[tuple[Reader, Iterator[FilmFrame]]]:
    """Yield a reader of the film, and the part's frames."""
    for find_frames in (_frames_near, _frames_from_the_beginning):
        with opened(film) as reader:
            frames = find_frames(reader, part)
            if frames is not None:
                yield reader, frames
                return


def _frames_near(reader: Reader, part: Part) -> Iterator[FilmFrame] | None:
    """Return the part's frames after a jump to its place; None if the decoder does not find it there."""
    reader.jump_to(part.start)
    frames = _frames_from_the_beginning(reader, part)
    first = next(frames, None)
    if first is None or first.time.pts != part.start or _checksum(first.picture(CUT_SEARCH_PX)) != part.checksum:
        return None
    return itertools.chain([first], frames)


def _frames_from_the_beginning(reader: Reader, part: Part) -> Iterator[FilmFrame]:
    later = itertools.dropwhile(lambda frame: frame.time.pts < part.start, reader.frames())
    return itertools.islice(later, part.num_frames)


def _batches(frames: Iterator[FilmFrame], start: int, size: int) -> Iterator[FilmBatch]:
    """Yield frames in batches, with times that begin at 0."""
    while batch := list(itertools.islice(frames, size)):
        pictures = [frame.picture() for frame in batch]
        yield FilmBatch(pictures, [frame.time._replace(pts=frame.time.pts - start) for frame in batch])


def join_parts(
    film: str | os.PathLike,
    target: str | os.PathLike,
    parts: Sequence[Part],
    files: Sequence[Path],
    quality: int = 95,
    keep_metadata: bool = False,
) -> list[str]:
    """Write a film from its drawn parts and from its other tracks, complete or not at all.

    Args:
      film: the film.
      target, quality, keep_metadata: as of `film.draw_film`.
      parts: all its parts, in order.
      files: file of each, as `draw_part` wrote them.

    Returns:
      a remark on each thing that differs from the film.

    Raises:
      InputError, OSError: as `film.draw_film`.
    """
    target = Path(target)
    with opened(film) as reader, atomic.replacing(target) as temporary:
        tracks = plan_tracks(reader.container, reader.video, target)
        with Writer(temporary, target, reader, tracks, quality, keep_metadata) as writer:
            video = _video_packets(parts, files, reader)
            writer.copy(next(video))
            for packet in heapq.merge(video, reader.track_packets(tracks.read), key=_secs):
                if packet.stream in tracks.read:
                    writer.add(packet)
                else:
                    writer.copy(packet)
            writer.finish()
        return tracks.remarks()


def _video_packets(parts: Sequence[Part], files: Sequence[Path], reader: Reader) -> Iterator[av.Packet]:
    """Yield the packets of all parts, at their times in the film."""
    last_dts = _BEFORE_ALL
    for part, file in zip(parts, files, strict=True):
        with opened(file) as part_reader:
            offset = round(part.start * reader.time_base / part_reader.time_base)
            for packet in part_reader.container.demux(part_reader.video):
                if packet.pts is None or packet.dts is None:
                    continue  # the empty one at the end
                packet.pts += offset
                packet.dts = max(packet.dts + offset, last_dts + 1)
                last_dts = packet.dts
                yield packet


def _secs(packet: av.Packet) -> float:
    assert packet.dts is not None  # both kinds of packets have new timestamps
    return float(packet.dts * packet.time_base)
