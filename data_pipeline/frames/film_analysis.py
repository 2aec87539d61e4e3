"""A film, looked at once from end to end: what was measured of each frame. Kept in a file, as it takes long."""

import dataclasses
import functools
import hashlib
import itertools
import json
import os
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.base.threads import map_ahead
from cartoongan_tf.media.film_reader import FilmFrame, Reader, Time, opened
from cartoongan_tf.media.shots import CutDetector
from data_pipeline.frames.bars import BarFinder, PictureArea
from data_pipeline.frames.measures import ANALYSED_PX, FrameMeasures, measure
from data_pipeline.near_duplicates import HASH_BITS

NUM_THREADS = min(8, os.cpu_count() or 1)  # each holds a frame or two, 25 MB of a 4K film
_VERSION = 1  # of what is measured, and how: raise it, and films that were looked at are looked at again
_HASH_BYTES = HASH_BITS // 8
# One entry for each frame: 63 bytes, 11 MB for two hours.
_FRAME = np.dtype(
    [
        ("pts", "i8"),  # in the film's time base
        ("begins", "?"),  # whether a shot begins with it
        ("brightness", "f4"),  # and so on: as in frame_measures.Measures
        ("contrast", "f4"),
        ("sharpness", "f4"),
        ("is_text", "?"),
        ("hash", "u1", _HASH_BYTES),
    ]
)
_ENOUGH_FRAMES = 24  # to tell bars by
_STEP_FRAMES = 4  # neighbours show the same bars
_CUT_SHORT_SHARE = 0.9  # of the frames that a film says to have


@dataclasses.dataclass
class FilmAnalysis:
    """What was measured of a film.

    Attributes:
      frames: the frames that can be read, in order; fields as in `_FRAME`.
      time_base: of their `pts`, in seconds.
      end_pts: when the last of them ends.
      size: (height, width) of a frame in pixels, upright.
      box: where the picture lies in it, without black bars.
      warnings: what is wrong with the film, in words.
    """

    frames: np.ndarray
    time_base: Fraction
    end_pts: int
    size: tuple[int, int]
    box: PictureArea
    warnings: list[str]

    def secs(self, index: int) -> float:
        """When a frame is shown; the film's end for the frame behind the last."""
        pts = self.frames["pts"][index] if index < len(self.frames) else self.end_pts
        return float(int(pts) * self.time_base)

    def hash(self, index: int) -> int:
        return int.from_bytes(self.frames["hash"][index].tobytes(), "big")


def film_key(film: str | os.PathLike, crop_bars: bool) -> str:
    """What an analysis depends on, in a few letters: the file as it is now, and how it is looked at."""
    status = os.stat(film)
    facts = [os.path.realpath(film), status.st_size, status.st_mtime_ns, crop_bars, _VERSION]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def analyse(film: str | os.PathLike, crop_bars: bool) -> FilmAnalysis:
    """Look at every frame of a film, with a bar on standard error.

    Raises:
      InputError: it cannot be opened, no frame in it can be read, or its colours are unknown. A film that ends before
        it should is no error: what there is is looked at, and `warnings` tell.
    """
    size, box = _find_box(film, crop_bars)
    with opened(film) as reader:
        looked_at = map_ahead(functools.partial(_look_at, box, size[0]), reader.frames(), NUM_THREADS)
        progress = Bar(looked_at, desc=f"look at {Path(film).name}", total=reader.num_frames, unit="frame")
        cuts, records, end_pts = CutDetector(), bytearray(), 0
        for time, picture, measures in progress:
            records += _record(time.pts, cuts.is_cut(picture), measures)
            end_pts = time.pts + time.duration
        frames = np.frombuffer(bytes(records), _FRAME)
        if not len(frames):
            raise InputError(f"{film}: every frame in it is damaged; fetch or export it again")
        return FilmAnalysis(frames, reader.time_base, end_pts, size, box, _warnings(reader, len(frames)))


def _find_box(film: str | os.PathLike, crop_bars: bool) -> tuple[tuple[int, int], PictureArea]:
    """(height, width) of the frames, and where their picture lies.

    Key frames, which are read fast, show where the bars are; where a film has few of them, the others do.
    """
    finder = BarFinder()
    for key_frames_only in (True, False):
        finder = BarFinder()
        with opened(film) as reader:
            step = 1 if key_frames_only else _STEP_FRAMES
            frames = Bar(reader.frames(key_frames_only), desc=f"find bars in {Path(film).name}", unit="frame")
            for frame in itertools.islice(frames, 0, None, step):
                finder.look_at(frame.grey())
                if not crop_bars:
                    return finder.size, PictureArea(0, finder.size[0], 0, finder.size[1])
        if finder.num_frames >= _ENOUGH_FRAMES:
            break
    return finder.size, finder.box()


def _look_at(box: PictureArea, height: int, frame: FilmFrame) -> tuple[Time, np.ndarray, FrameMeasures]:
    """A frame without bars, small; `height`: of the frames that `box` is meant for."""
    small = frame.picture(ANALYSED_PX)
    picture = box.crop(small, len(small) / height)
    return frame.time, picture, measure(picture)


def _record(pts: int, begins: bool, measures: FrameMeasures) -> bytes:
    hash = list(measures.hash.to_bytes(_HASH_BYTES, "big"))
    return np.array((pts, begins, *measures[:-1], hash), _FRAME).tobytes()


def _warnings(reader: Reader, num_frames: int) -> list[str]:
    warnings = [f"{reader.num_broken} damaged frames were left out"] if reader.num_broken else []
    if reader.cut_short:
        warnings.append(f"read as far as it goes: {reader.cut_short}")
    elif num_frames + reader.num_broken < _CUT_SHORT_SHARE * (reader.num_frames or 0):
        warnings.append(f"{num_frames} of about {reader.num_frames} frames; it may have been cut short")
    return warnings


def save(analysis: FilmAnalysis, path: Path) -> None:
    """Write an analysis to an .npz file, whole or not at all."""
    facts = {
        "time_base": str(analysis.time_base),
        "end_pts": analysis.end_pts,
        "size": analysis.size,
        "box": analysis.box,
        "warnings": analysis.warnings,
    }
    with atomic.replacing(path) as temporary:
        np.savez_compressed(temporary, frames=analysis.frames, facts=json.dumps(facts))


def load(path: Path) -> FilmAnalysis | None:
    """The analysis that was saved to a file; None where there is none, or it is damaged."""
    try:
        with np.load(path) as file:
            frames, facts = file["frames"], json.loads(str(file["facts"]))
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    return FilmAnalysis(
        frames,
        Fraction(facts["time_base"]),
        facts["end_pts"],
        tuple(facts["size"]),
        PictureArea(*facts["box"]),
        facts["warnings"],
    )
