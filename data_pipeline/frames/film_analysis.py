"""The analysis of a film: measures of every frame, taken in one pass and kept in a file, as the pass takes long."""

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
from cartoongan_tf.media.film_frames import FilmFrame, Time
from cartoongan_tf.media.film_reader import Reader, opened
from cartoongan_tf.media.shots import CutDetector
from data_pipeline.frames.bars import BarFinder, PictureArea
from data_pipeline.frames.measures import ANALYSED_PX, FrameMeasures, measure
from data_pipeline.near_duplicates import HASH_BITS

NUM_THREADS = min(8, os.cpu_count() or 1)  # each holds a frame or two, 25 MB in a 4K film
_VERSION = 2  # raise it when the measures change: then films are analysed again
_HASH_BYTES = HASH_BITS // 8
# The measures of one frame: 63 bytes, 11 MB for two hours.
FRAME_RECORD = np.dtype(
    [
        ("pts", "i8"),  # in the film's time base
        ("begins", "?"),  # whether a shot begins with it
        ("brightness", "f4"),  # from here on as in measures.FrameMeasures
        ("contrast", "f4"),
        ("sharpness", "f4"),
        ("is_text", "?"),
        ("hash", "u1", _HASH_BYTES),
    ]
)
_ENOUGH_KEY_FRAMES = 24  # to find bars
_FRAME_STEP = 4  # neighbouring frames show the same bars
_TRUNCATED_SHARE = 0.9  # of the frames that a film claims to have


@dataclasses.dataclass
class FilmAnalysis:
    """The analysis of a film.

    Attributes:
      frames: measures of the frames that can be read, in order: FRAME_RECORD [N].
      time_base: unit of their `pts`, in seconds.
      end_pts: time when the last frame ends, in that unit.
      size: (height, width) of a frame in pixels, upright.
      picture_area: area of the picture in a frame, without black bars.
      warnings: problems with the film, in words.
    """

    frames: np.ndarray
    time_base: Fraction
    end_pts: int
    size: tuple[int, int]
    picture_area: PictureArea
    warnings: list[str]

    def secs(self, index: int) -> float:
        """Return the time when a frame is shown; the film's end for the index after the last frame."""
        pts = self.frames["pts"][index] if index < len(self.frames) else self.end_pts
        return float(int(pts) * self.time_base)

    def hash(self, index: int) -> int:
        """Return the perceptual hash of a frame."""
        return int.from_bytes(self.frames["hash"][index].tobytes(), "big")


def film_key(film: str | os.PathLike, crop_bars: bool) -> str:
    """Return a short hash of everything that an analysis depends on: the file's identity and the options."""
    status = os.stat(film)
    facts = [os.path.realpath(film), status.st_size, status.st_mtime_ns, crop_bars, _VERSION]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def analyse(film: str | os.PathLike, crop_bars: bool) -> FilmAnalysis:
    """Measure every frame of a film, with a progress bar on standard error.

    A truncated film is no error: the frames before the break are analysed, and `warnings` reports it.

    Raises:
      InputError: the film cannot be opened, no frame in it can be read, or its colours are unknown.
    """
    size, picture_area = _find_picture(film, crop_bars)
    with opened(film) as reader:
        measured = map_ahead(functools.partial(_measure, picture_area, size[0]), reader.frames(), NUM_THREADS)
        progress = Bar(measured, desc=f"look at {Path(film).name}", total=reader.num_frames, unit="frame")
        cuts = CutDetector()
        frame_records = bytearray()
        end_pts = 0
        for time, picture, measures in progress:
            frame_records += _frame_record(time.pts, cuts.is_cut(picture), measures)
            end_pts = time.pts + time.duration
        frames = np.frombuffer(bytes(frame_records), FRAME_RECORD)
        if not len(frames):
            raise _all_damaged(film)
        return FilmAnalysis(frames, reader.time_base, end_pts, size, picture_area, _warnings(reader, len(frames)))


def _find_picture(film: str | os.PathLike, crop_bars: bool) -> tuple[tuple[int, int], PictureArea]:
    """Return (height, width) of the frames and the area of the picture in them.

    Key frames are read fast, and enough of them show where the bars are. A film with few of them is read again, with
    other frames too.
    """
    if not crop_bars:
        height, width = _frame_size(film)
        return (height, width), PictureArea(0, height, 0, width)
    finder = _look_at_frames(film, key_frames_only=True)
    if finder.num_frames < _ENOUGH_KEY_FRAMES:
        finder = _look_at_frames(film, key_frames_only=False)
    return finder.size, finder.picture_area()


def _frame_size(film: str | os.PathLike) -> tuple[int, int]:
    """Return (height, width) of the first frame that can be read."""
    with opened(film) as reader:
        for frame in reader.frames():
            height, width = frame.grey().shape
            return height, width
    raise _all_damaged(film)


def _all_damaged(film: str | os.PathLike) -> InputError:
    return InputError(f"{film}: every frame in it is damaged; download or export it again")


def _look_at_frames(film: str | os.PathLike, key_frames_only: bool) -> BarFinder:
    """Collect the light in all key frames, or in every fourth of all frames."""
    finder = BarFinder()
    step = 1 if key_frames_only else _FRAME_STEP
    with opened(film) as reader:
        frames = Bar(reader.frames(key_frames_only), desc=f"find bars in {Path(film).name}", unit="frame")
        for frame in itertools.islice(frames, 0, None, step):
            finder.look_at(frame.grey())
    return finder


def _measure(picture_area: PictureArea, height: int, frame: FilmFrame) -> tuple[Time, np.ndarray, FrameMeasures]:
    """Shrink a frame, crop its bars and measure it.

    Args:
      picture_area: area of the picture in a frame of full size.
      height: height of that frame, in pixels.
      frame: the frame.

    Returns:
      time of the frame, the small picture without bars, uint8 RGB [H, W, 3], and its measures.
    """
    small = frame.picture(ANALYSED_PX)
    picture = picture_area.crop(small, len(small) / height)
    return frame.time, picture, measure(picture)


def _frame_record(pts: int, begins: bool, measures: FrameMeasures) -> bytes:
    hash_bytes = list(measures.hash.to_bytes(_HASH_BYTES, "big"))
    return np.array((pts, begins, *measures[:-1], hash_bytes), FRAME_RECORD).tobytes()


def _warnings(reader: Reader, num_frames: int) -> list[str]:
    warnings = []
    if reader.num_interlaced:
        warnings.append(f"{reader.num_interlaced} interlaced frames are deinterlaced")
    if reader.num_broken:
        warnings.append(f"skipped {reader.num_broken} damaged frames")
    if reader.cut_short:
        warnings.append(f"read up to where it breaks off: {reader.cut_short}")
    elif num_frames + reader.num_broken < _TRUNCATED_SHARE * (reader.num_frames or 0):
        warnings.append(f"has {num_frames} of about {reader.num_frames} frames; it may be truncated")
    return warnings


def save(analysis: FilmAnalysis, path: Path) -> None:
    """Write an analysis to an .npz file, completely or not at all."""
    facts = {
        "time_base": str(analysis.time_base),
        "end_pts": analysis.end_pts,
        "size": analysis.size,
        "box": analysis.picture_area,
        "warnings": analysis.warnings,
    }
    with atomic.replacing(path) as temporary:
        np.savez_compressed(temporary, frames=analysis.frames, facts=json.dumps(facts))


def load(path: Path) -> FilmAnalysis | None:
    """Read an analysis from a file; None if the file does not exist or is damaged."""
    try:
        with np.load(path) as file:
            frames = file["frames"]
            facts = json.loads(str(file["facts"]))
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    return FilmAnalysis(
        frames=frames,
        time_base=Fraction(facts["time_base"]),
        end_pts=facts["end_pts"],
        size=tuple(facts["size"]),
        picture_area=PictureArea(*facts["box"]),
        warnings=facts["warnings"],
    )
