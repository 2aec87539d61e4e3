"""The choice of frames to train with: the sharpest good frame of each shot, and no picture twice.

The choice depends only on the analyses of the films and on the flags of `FrameChoiceConfig`. Every frame that is not
taken has a reason, one of `BLACK`, `TEXT`, ... below. The reason of a frame that is taken is "".
"""

import collections
import dataclasses
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cartoongan_tf.base.options import Config, option
from data_pipeline.frames.film_analysis import FilmAnalysis
from data_pipeline.near_duplicates import HASH_BITS, MAX_BITS, NearDuplicates

BLACK = "black"
TEXT = "text"
FADED = "faded"
BLURRED = "blurred"
LESS_SHARP = "less sharp"
DUPLICATE = "near-duplicate of"  # the name of a frame follows
OVER_LIMIT = "over --max_frames"
# A fade scales the contrast with its progress; changes of light within a shot rarely reduce it by a quarter.
_FADED_SHARE = 0.75
_MIN_SHOT_SECS = 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrameChoiceConfig(Config):
    """Flags that decide which frames are taken; changing them does not require another pass over the films."""

    frames_per_shot: int = option(
        "Frames to take from each shot: the sharpest of each of so many equal parts.", 1, at_least=1
    )
    max_frames: int = option(
        "Take at most so many, evenly spaced over all shots of all films; 0: no limit.", 0, at_least=0
    )
    duplicate_bits: int = option(
        f"Drop frames whose perceptual hash differs from an earlier one's in at most so many of its {HASH_BITS} bits: "
        "copies differ in up to 12, other pictures in 56 and more; -1 keeps all.",
        40,
        at_least=-1,
        at_most=MAX_BITS,
    )
    min_sharpness: float = option(
        "Drop frames whose strongest edges are softer: drawings have 0.8 to 2.2, and at most 0.53 when they are out of "
        "focus by 1.5 pixels of 480; 0 switches this off.",
        0.55,
        at_least=0,
    )
    min_brightness: float = option(
        "Drop frames darker on average, in grey levels 0 to 255; 0 switches this off.", 12.0, at_least=0
    )
    min_contrast: float = option(
        "Drop blank frames, whose grey levels vary less (standard deviation); 0 switches this off.",
        6.0,
        at_least=0,
    )
    drop_text: bool = option("Drop titles and credits: nothing but letters on one colour.", True)


@dataclasses.dataclass
class Shot:
    """A shot, with the decision on each of its frames.

    Attributes:
      film: number of its film.
      first: number of its first frame in the film.
      reasons: for each of its frames the reason why it is not taken; "" if it is taken.
    """

    film: int
    first: int
    reasons: list[str]

    @property
    def end(self) -> int:
        """The number of the first frame after the shot."""
        return self.first + len(self.reasons)

    @property
    def taken(self) -> list[int]:
        """The numbers of the frames that are taken."""
        return [self.first + place for place, reason in enumerate(self.reasons) if not reason]

    def drop(self, index: int, reason: str) -> None:
        """Note why a frame is not taken, by its number in the film."""
        self.reasons[index - self.first] = reason


def choose(analyses: Sequence[FilmAnalysis], names: Sequence[str], choice: FrameChoiceConfig) -> list[Shot]:
    """Decide on every frame of every film.

    Args:
      analyses: analyses of the films, in order; of two near-duplicates the earlier one is kept.
      names: first parts of the names of the films' frames, see `film_names`.
      choice: the flags that decide.

    Returns:
      All shots, in order.
    """
    shots = [shot for film, analysis in enumerate(analyses) for shot in _shots(film, analysis, choice)]
    _drop_duplicates(shots, analyses, names, choice.duplicate_bits)
    _drop_over_limit(shots, choice.max_frames)
    return shots


def film_names(films: Sequence[Path]) -> list[str]:
    """Return a unique name for each film: its file's name, with a hash of its path if an earlier film has that name."""
    names = []
    used = set()
    for film in films:
        name = film.stem.casefold()  # some disks do not distinguish capitals
        names.append(f"{film.stem}-{_digest(film)}" if name in used else film.stem)
        used.add(name)
    return names


def _digest(film: Path) -> str:
    return hashlib.sha256(str(film).encode(errors="surrogateescape")).hexdigest()[:6]


def frame_name(film_name: str, secs: float) -> str:
    """Return the name of a film's frame at a time, without suffix."""
    return f"{film_name}-{timecode(secs).replace(':', '-')}"


def timecode(secs: float) -> str:
    """Format seconds as "00:12:34.567"."""
    millis = round(secs * 1000)
    return f"{millis // 3600000:02}:{millis // 60000 % 60:02}:{millis // 1000 % 60:02}.{millis % 1000:03}"


def _shots(film: int, analysis: FilmAnalysis, choice: FrameChoiceConfig) -> Iterator[Shot]:
    """Yield the shots of a film, with the reasons that a shot alone decides."""
    frames = analysis.frames
    is_text = frames["is_text"] & choice.drop_text
    is_dark = (frames["brightness"] < choice.min_brightness) | (frames["contrast"] < choice.min_contrast)
    is_black = is_dark & ~is_text  # a title on black is both
    secs = frames["pts"] * float(analysis.time_base)
    starts = _shot_starts(frames["begins"], is_black, secs)
    for first, end in itertools.pairwise([*starts, len(frames)]):
        shot = slice(first, end)
        yield Shot(film, first, _reasons(frames[shot], is_black[shot], is_text[shot], choice))


def _shot_starts(begins: np.ndarray, is_black: np.ndarray, secs: np.ndarray) -> list[int]:
    """Return the numbers of the frames where shots start: at cuts, and where the picture gets light after black.

    A start is ignored if the shot before it would be all black, or very short: each frame of a quick fade can look like
    a cut.

    Args:
      begins: bool [N], whether there is a cut before each frame.
      is_black: bool [N], whether each frame is black.
      secs: float [N], time of each frame.
    """
    starts = [0]
    has_light = False  # in the current shot
    for index in range(len(begins)):
        gets_light = index > 0 and is_black[index - 1] and not is_black[index]
        is_long = secs[index] - secs[starts[-1]] >= _MIN_SHOT_SECS
        if has_light and is_long and (begins[index] or gets_light):
            starts.append(index)
            has_light = False
        has_light = has_light or not is_black[index]
    return starts


def _reasons(frames: np.ndarray, is_black: np.ndarray, is_text: np.ndarray, choice: FrameChoiceConfig) -> list[str]:
    """Return for each frame of a shot the reason why it is not taken, as far as the shot alone decides that."""
    contrast_of_pictures = frames["contrast"][~is_black & ~is_text]
    is_faded = frames["contrast"] < _FADED_SHARE * contrast_of_pictures.max(initial=0)
    is_blurred = frames["sharpness"] < choice.min_sharpness
    rules = [is_black, is_text, is_faded, is_blurred]
    reasons = np.select(rules, [BLACK, TEXT, FADED, BLURRED], LESS_SHARP).tolist()
    for part in np.array_split(np.arange(len(frames)), choice.frames_per_shot):
        usable = [place for place in part if reasons[place] == LESS_SHARP]
        if usable:
            sharpest = max(usable, key=lambda place: frames["sharpness"][place])
            reasons[sharpest] = ""
    return reasons


def _drop_duplicates(shots: list[Shot], analyses: Sequence[FilmAnalysis], names: Sequence[str], max_bits: int) -> None:
    duplicates = NearDuplicates(max_bits)
    for shot, index in _all_taken(shots):
        analysis = analyses[shot.film]
        name = frame_name(names[shot.film], analysis.secs(index))
        if earlier := duplicates.remember(name, analysis.hash(index)):
            shot.drop(index, f"{DUPLICATE} {earlier}")


def _drop_over_limit(shots: list[Shot], max_frames: int) -> None:
    taken = _all_taken(shots)
    if not max_frames or len(taken) <= max_frames:
        return
    # the middles of `max_frames` equal stretches
    kept_places = {(2 * place + 1) * len(taken) // (2 * max_frames) for place in range(max_frames)}
    for place, (shot, index) in enumerate(taken):
        if place not in kept_places:
            shot.drop(index, OVER_LIMIT)


def _all_taken(shots: list[Shot]) -> list[tuple[Shot, int]]:
    """Return the shot and the number of each frame that is taken."""
    return [(shot, index) for shot in shots for index in shot.taken]


def totals(shots: Sequence[Shot]) -> dict[str, int]:
    """Count the frames dropped for each reason, the most frequent reason first."""
    reasons = [reason for shot in shots for reason in shot.reasons if reason]
    counts = collections.Counter("near-duplicate" if why.startswith(DUPLICATE) else why for why in reasons)
    return dict(counts.most_common())


def spans(shot: Shot, analysis: FilmAnalysis) -> list[dict[str, Any]]:
    """Return the stretches of a shot that are not taken: when each begins and ends, in seconds, and why."""
    dropped = []
    index = shot.first
    for why, group in itertools.groupby(shot.reasons):
        end = index + len(list(group))
        if why:
            dropped.append({"from": round(analysis.secs(index), 3), "to": round(analysis.secs(end), 3), "why": why})
        index = end
    return dropped
