"""The folder of frames that were taken from films: what lies in it, and how it comes to hold what was chosen.

Frames lie in the folder itself, with `frames.json`, which is there when the set is whole. The hidden folder
`.extract` holds what later runs go on from: the films' analyses, and the plan. Files that the plan does not name are
never touched, and frames that the user removes from a whole set stay away.
"""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.base.threads import map_ahead
from cartoongan_tf.media import pictures
from cartoongan_tf.media.film_reader import opened
from data_pipeline.frames import film_analysis, key_frames
from data_pipeline.frames.film_analysis import FilmAnalysis
from data_pipeline.frames.key_frames import Shot

FRAMES_FILE = "frames.json"
_HIDDEN, _PLAN = ".extract", "plan.json"


@dataclasses.dataclass(frozen=True)
class Film:
    """A film that was looked at.

    Attributes:
      path: its file.
      key: see `film_analysis.film_key`.
      analysis: what was measured.
      name: what its frames are called by.
    """

    path: Path
    key: str
    analysis: FilmAnalysis
    name: str = ""


@dataclasses.dataclass(frozen=True)
class ChosenFrame:
    """A frame to write.

    Attributes:
      file: its name in the folder.
      film: the film it is from.
      index: its number among the film's frames.
      shot: the shot it was chosen from.
    """

    file: str
    film: Film
    index: int
    shot: Shot

    @property
    def secs(self) -> float:
        return self.film.analysis.secs(self.index)

    @property
    def pts(self) -> int:
        return int(self.film.analysis.frames["pts"][self.index])


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a folder is to hold.

    Attributes:
      films: the key of each film in the set, by its path; see `film_analysis.film_key`.
      frames: what each frame is made from, by its file's name; see `_recipe`.
      removed: names, without suffix, of frames that were removed by hand.
    """

    films: dict[str, str] = dataclasses.field(default_factory=dict)
    frames: dict[str, str] = dataclasses.field(default_factory=dict)
    removed: list[str] = dataclasses.field(default_factory=list)


def read_plan(folder: Path) -> Plan:
    """The folder's plan as it is now; an empty one where there is none."""
    path = folder / _HIDDEN / _PLAN
    try:
        plan = Plan(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Plan()
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); name another --output_dir") from error
    if not (folder / FRAMES_FILE).exists():  # not whole: what is missing was not written yet
        return plan
    missing = {Path(name).stem for name in plan.frames if not (folder / name).exists()}
    return dataclasses.replace(plan, removed=sorted({*plan.removed, *missing}))


def analyse(folder: Path, film: Path, crop_bars: bool, key: str = "") -> Film:
    """The film with its analysis: as it was kept in the folder, or made now and kept.

    Args:
      folder: of the frames.
      film: its path; it need not be there any more if it was looked at before.
      crop_bars: whether to look for bars.
      key: that it had in the plan, if it was there.

    Raises:
      InputError: as `film_analysis.analyse`; or a film of the plan is lost, with what was measured of it.
    """
    try:
        key = key if key and not film.exists() else film_analysis.film_key(film, crop_bars)
    except OSError as error:
        raise InputError(f"{film}: cannot be opened ({error.strerror})") from None
    path = folder / _HIDDEN / f"{key}.npz"
    analysis = film_analysis.load(path)
    if analysis is None:
        analysis = film_analysis.analyse(film, crop_bars)
        film_analysis.save(analysis, path)
    return Film(film, key, analysis)


def frames_of(films: Sequence[Film], shots: Sequence[Shot], suffix: str, removed: Collection[str]) -> list[ChosenFrame]:
    """The frames to write, in order, each with the name of its file.

    Args:
      films: that the shots are of.
      shots: with the frames that were chosen.
      suffix: of the files, like ".png".
      removed: names, without suffix, of frames to leave out.
    """
    frames, removed = [], set(removed)
    for shot in shots:
        film = films[shot.film]
        for index in shot.taken:
            name = key_frames.frame_name(film.name, film.analysis.secs(index))
            if name not in removed:
                frames.append(ChosenFrame(name + suffix, film, index, shot))
    return frames


def make_ready(folder: Path, plan: Plan, films: Sequence[Film], frames: Sequence[ChosenFrame], long_side: int) -> int:
    """Make the folder ready for these frames: those of an earlier choice go.

    The new plan is written before the first frame, and no file goes that no plan names: so whenever a run is cut off,
    the next one knows where each file is from.

    Args:
      folder: of the frames.
      plan: of `read_plan`.
      films, frames: that the folder is to hold.
      long_side: of the frames, in pixels; 0 keeps their size.

    Returns:
      how many frames went.

    Raises:
      InputError: a frame's name is taken by a file from elsewhere, or a film that frames are to be taken from is not
        there any more. Then nothing has changed.
    """
    recipes = {frame.file: _recipe(frame, long_side) for frame in frames}
    for name in recipes.keys() - plan.frames.keys():
        if (folder / name).exists():
            problem = "is there already, from elsewhere; move it away or name another --output_dir"
            raise InputError(f"{folder / name}: {problem}")
    _check_films_are_there([frame for frame in frames if plan.frames.get(frame.file) != recipes[frame.file]])
    new = Plan({str(film.path): film.key for film in films}, recipes, plan.removed)
    if new == plan:
        return 0
    stale = [name for name, recipe in plan.frames.items() if recipes.get(name) != recipe and (folder / name).exists()]
    path = folder / _HIDDEN / _PLAN
    atomic.write_json(path, dataclasses.asdict(plan))  # with what was removed by hand, before frames.json goes
    (folder / FRAMES_FILE).unlink(missing_ok=True)
    for name in stale:
        (folder / name).unlink()
    atomic.write_json(path, dataclasses.asdict(new))
    return len(stale)


def _check_films_are_there(frames: Sequence[ChosenFrame]) -> None:
    for film in {frame.film.key: frame.film for frame in frames}.values():
        if not film.path.exists():
            problem = "is gone, but its frames would have to be taken anew; bring it back, or give the flags of before"
            raise InputError(f"{film.path}: {problem}")


def _recipe(frame: ChosenFrame, long_side: int) -> str:
    """All that a frame's file depends on, in a few letters."""
    facts = [frame.film.key, frame.pts, long_side]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def write_frames(folder: Path, frames: Sequence[ChosenFrame], long_side: int) -> None:
    """Write those of the frames that are not there, each whole or not at all; bars on standard error.

    Raises:
      InputError: a film is not what it was when it was looked at.
      OSError: the folder cannot be written.
    """
    missing = [frame for frame in frames if not (folder / frame.file).exists()]
    for _, of_film in itertools.groupby(missing, key=lambda frame: frame.film.key):
        files = _pictures(folder, list(of_film), long_side)
        for _ in map_ahead(lambda file: pictures.write_picture(*file), files, film_analysis.NUM_THREADS):
            pass


def _pictures(folder: Path, frames: Sequence[ChosenFrame], long_side: int) -> Iterator[tuple[Path, np.ndarray]]:
    """The frames of one film as files to write: uint8 RGB [H, W, 3] each. Found by their times, from the start on."""
    film, wanted = frames[0].film, {frame.pts: folder / frame.file for frame in frames}
    with opened(film.path) as reader:
        total = max(frame.index for frame in frames) + 1
        for frame in Bar(reader.frames(), desc=f"write from {film.path.name}", total=total, unit="frame"):
            if path := wanted.pop(frame.time.pts, None):
                yield path, _finish(film.analysis.box.crop(frame.picture()), reader.aspect, long_side)
            if not wanted:
                return
    raise InputError(f"{film.path}: is not what it was when it was looked at; give the command again")


def _finish(picture: np.ndarray, aspect: Fraction, long_side: int) -> np.ndarray:
    """Make pixels square, whose width over height is `aspect`, and the picture as small as was asked for."""
    height, width = picture.shape[:2]
    size = (round(width * max(aspect, 1)), round(height / min(aspect, 1)))
    if size != (width, height):
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    return pictures.shrink(picture, long_side) if long_side else picture
