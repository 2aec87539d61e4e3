"""Which frames of a set of films to train with: of each shot the sharpest that is good for it, nothing twice.

The frames chosen depend on the films' analyses and on the flags of `FrameChoiceConfig` alone. Every frame that is not
taken has a reason, one of `BLACK`, `TEXT`, ... below; "" stands for frames that are.
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

BLACK, TEXT, FADED, BLURRED, LESS_SHARP = "black", "text", "faded", "blurred", "less sharp"
DUPLICATE, OVER_LIMIT = "near-duplicate of", "over --max_frames"
# A fade scales the contrast with its progress; light that changes within a shot rarely takes a quarter of it.
_FADED_SHARE = 0.75
_MIN_SHOT_SECS = 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrameChoiceConfig(Config):
    """What decides which frames are taken. None of it needs another look at the films."""

    frames_per_shot: int = option(
        "Frames to take of each shot: the sharpest of so many equal parts of it.", 1, at_least=1
    )
    max_frames: int = option(
        "Take at most so many, spread evenly over all shots of all films; 0: no limit.", 0, at_least=0
    )
    duplicate_bits: int = option(
        f"Drop frames whose perceptual hash differs in so many of its {HASH_BITS} bits, or fewer, from an earlier "
        "one's: copies differ in up to 12, other pictures in 56 and more; -1 keeps all.",
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
        "Drop frames whose grey levels vary less (standard deviation), blank ones; 0 switches this off.",
        6.0,
        at_least=0,
    )
    drop_text: bool = option("Drop titles and credits: nothing but letters on one colour.", True)


@dataclasses.dataclass
class Shot:
    """A shot, and what becomes of its frames.

    Attributes:
      film: the number of its film.
      first: the number of its first frame in the film.
      reasons: for each of its frames why it is not taken; "" if it is.
    """

    film: int
    first: int
    reasons: list[str]

    @property
    def end(self) -> int:
        return self.first + len(self.reasons)

    @property
    def taken(self) -> list[int]:
        """The numbers of the frames that are taken."""
        return [self.first + place for place, reason in enumerate(self.reasons) if not reason]


def choose(analyses: Sequence[FilmAnalysis], names: Sequence[str], choice: FrameChoiceConfig) -> list[Shot]:
    """Decide on every frame of every film.

    Args:
      analyses: of the films, in the order that decides which of two near-duplicates is kept.
      names: what the films' frames are called by, see `film_names`.

    Returns:
      all shots, in order.
    """
    shots = [shot for film, analysis in enumerate(analyses) for shot in _shots(film, analysis, choice)]
    _drop_duplicates(shots, analyses, names, choice.duplicate_bits)
    _drop_over_limit(shots, choice.max_frames)
    return shots


def film_names(films: Sequence[Path]) -> list[str]:
    """A name for each film that no other has: its file's, with a mark of its path where an earlier one is called so."""
    names, used = [], set()
    for film in films:
        names.append(film.stem if film.stem.casefold() not in used else f"{film.stem}-{_digest(film)}")
        used.add(film.stem.casefold())  # some disks know no capitals
    return names


def _digest(film: Path) -> str:
    return hashlib.sha256(str(film).encode(errors="surrogateescape")).hexdigest()[:6]


def frame_name(name: str, secs: float) -> str:
    """What the frame of a film is called at a time, without suffix."""
    return f"{name}-{timecode(secs).replace(':', '-')}"


def timecode(secs: float) -> str:
    """Seconds as "00:12:34.567"."""
    millis = round(secs * 1000)
    return f"{millis // 3600000:02}:{millis // 60000 % 60:02}:{millis // 1000 % 60:02}.{millis % 1000:03}"


def _shots(film: int, analysis: FilmAnalysis, choice: FrameChoiceConfig) -> Iterator[Shot]:
    frames = analysis.frames
    is_text = frames["is_text"] & choice.drop_text
    is_dark = (frames["brightness"] < choice.min_brightness) | (frames["contrast"] < choice.min_contrast)
    is_black = is_dark & ~is_text  # a title on black is both
    secs = frames["pts"] * float(analysis.time_base)
    for first, end in itertools.pairwise([*_starts(frames["begins"], is_black, secs), len(frames)]):
        shot = slice(first, end)
        yield Shot(film, first, _reasons(frames[shot], is_black[shot], is_text[shot], choice))


def _starts(begins: np.ndarray, is_black: np.ndarray, secs: np.ndarray) -> list[int]:
    """Where shots begin: at cuts, and where it grows light after black; what has shown only black is no shot yet.

    Nor is what lasts a moment only: each frame of a quick fade can look like a cut.
    """
    starts, is_seen = [0], False
    for index in range(len(begins)):
        grows_light = index > 0 and is_black[index - 1] and not is_black[index]
        is_long = secs[index] - secs[starts[-1]] >= _MIN_SHOT_SECS
        if is_seen and is_long and (begins[index] or grows_light):
            starts.append(index)
            is_seen = False
        is_seen = is_seen or not is_black[index]
    return starts


def _reasons(frames: np.ndarray, is_black: np.ndarray, is_text: np.ndarray, choice: FrameChoiceConfig) -> list[str]:
    """Why each frame of a shot is not taken, as far as the shot decides that."""
    shown = frames["contrast"][~is_black & ~is_text]
    faded_below = _FADED_SHARE * shown.max(initial=0)
    rules = [is_black, is_text, frames["contrast"] < faded_below, frames["sharpness"] < choice.min_sharpness]
    reasons = np.select(rules, [BLACK, TEXT, FADED, BLURRED], LESS_SHARP).tolist()
    for part in np.array_split(np.arange(len(frames)), choice.frames_per_shot):
        usable = [place for place in part if reasons[place] == LESS_SHARP]
        if usable:
            reasons[max(usable, key=lambda place: frames["sharpness"][place])] = ""
    return reasons


def _drop_duplicates(shots: list[Shot], analyses: Sequence[FilmAnalysis], names: Sequence[str], max_bits: int) -> None:
    known = NearDuplicates(max_bits)
    for shot, index in _all_taken(shots):
        analysis = analyses[shot.film]
        name = frame_name(names[shot.film], analysis.secs(index))
        if twin := known.remember(name, analysis.hash(index)):
            shot.reasons[index - shot.first] = f"{DUPLICATE} {twin}"


def _drop_over_limit(shots: list[Shot], max_frames: int) -> None:
    taken = _all_taken(shots)
    if not max_frames or len(taken) <= max_frames:
        return
    # the middles of as many equal stretches as frames are wanted
    keep = {(2 * place + 1) * len(taken) // (2 * max_frames) for place in range(max_frames)}
    for place, (shot, index) in enumerate(taken):
        if place not in keep:
            shot.reasons[index - shot.first] = OVER_LIMIT


def _all_taken(shots: list[Shot]) -> list[tuple[Shot, int]]:
    return [(shot, index) for shot in shots for index in shot.taken]


def totals(shots: Sequence[Shot]) -> dict[str, int]:
    """How many frames each reason dropped, the most first."""
    reasons = (reason for shot in shots for reason in shot.reasons if reason)
    counts = collections.Counter("near-duplicate" if why.startswith(DUPLICATE) else why for why in reasons)
    return dict(counts.most_common())


def spans(shot: Shot, analysis: FilmAnalysis) -> list[dict[str, Any]]:
    """The stretches of a shot that are not taken: from when to when, in seconds, and why."""
    found, index = [], shot.first
    for why, group in itertools.groupby(shot.reasons):
        end = index + len(list(group))
        if why:
            found.append({"from": round(analysis.secs(index), 3), "to": round(analysis.secs(end), 3), "why": why})
        index = end
    return found
