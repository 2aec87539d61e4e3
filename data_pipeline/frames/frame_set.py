"""The folder of frames taken from films: its content, and how it changes to what was chosen.

Frames lie in the folder itself, with `frames.json`, which exists when the set is complete. The hidden folder `.extract`
holds what later runs resume from: the analyses of the films, and the plan. Files that the plan does not name are never
touched, and frames that the user removes from a complete set stay away.
"""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from data_pipeline.frames import film_analysis, key_frames
from data_pipeline.frames.film_analysis import FilmAnalysis
from data_pipeline.frames.key_frames import Shot

FRAMES_FILE = "frames.json"
_HIDDEN = ".extract"


@dataclasses.dataclass(frozen=True)
class Film:
    """A film that was analysed.

    Attributes:
      path: path of the film file.
      key: result of `film_analysis.film_key`.
      analysis: measures of its frames.
      name: first part of the names of its frames.
    """

    path: Path
    key: str
    analysis: FilmAnalysis
    name: str = ""


@dataclasses.dataclass(frozen=True)
class ChosenFrame:
    """A frame to write.

    Attributes:
      file: name of its file in the folder.
      film: film that it is from.
      index: its number among the frames of the film.
      shot: shot that it was chosen from.
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

    def recipe(self, long_side: int) -> str:
        """Return a short hash of everything that the frame's file depends on."""
        facts = [self.film.key, self.pts, long_side]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


@dataclasses.dataclass(frozen=True)
class Plan:
    """The content that a folder should have.

    Attributes:
      films: key of each film in the set, by path; see `film_analysis.film_key`.
      frames: recipe of each frame, by file name; see `ChosenFrame.recipe`.
      removed: names, without suffix, of frames that were removed by hand.
    """

    films: dict[str, str] = dataclasses.field(default_factory=dict)
    frames: dict[str, str] = dataclasses.field(default_factory=dict)
    removed: list[str] = dataclasses.field(default_factory=list)


def read_plan(folder: Path) -> Plan:
    """Read the folder's plan, with the frames that were removed by hand since; an empty plan if there is none."""
    path = _plan_path(folder)
    try:
        plan = Plan(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Plan()
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); name another --output_dir") from error
    is_complete = (folder / FRAMES_FILE).exists()
    if not is_complete:
        return plan  # missing frames were not written yet
    missing = {Path(name).stem for name in plan.frames if not (folder / name).exists()}
    return dataclasses.replace(plan, removed=sorted({*plan.removed, *missing}))


def _plan_path(folder: Path) -> Path:
    return folder / _HIDDEN / "plan.json"


def _write_plan(folder: Path, plan: Plan) -> None:
    atomic.write_json(_plan_path(folder), dataclasses.asdict(plan))


def analyse(folder: Path, film: Path, crop_bars: bool, key: str = "") -> Film:
    """Load a film's analysis from the folder, or make it and save it there.

    Args:
      folder: folder of the frames.
      film: path of the film; a film that was analysed before need not exist any more.
      crop_bars: whether to look for bars.
      key: key of the film in the plan, if it is in the plan.

    Raises:
      InputError: see `film_analysis.analyse`; or a film of the plan is gone, and its analysis is too.
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
    """Return the frames to write, in order, with the names of their files.

    Args:
      films: films of the shots.
      shots: shots with the frames that were chosen.
      suffix: suffix of the files, such as ".png".
      removed: names, without suffix, of frames to leave out.
    """
    removed = set(removed)
    frames = []
    for shot in shots:
        film = films[shot.film]
        for index in shot.taken:
            name = key_frames.frame_name(film.name, film.analysis.secs(index))
            if name not in removed:
                frames.append(ChosenFrame(name + suffix, film, index, shot))
    return frames


def make_ready(folder: Path, plan: Plan, films: Sequence[Film], frames: Sequence[ChosenFrame], long_side: int) -> int:
    """Prepare the folder for new frames: remove those of an earlier choice, and write the new plan.

    Args:
      folder: folder of the frames.
      plan: result of `read_plan`.
      films, frames: films and frames that the folder should have.
      long_side: longer side of the frames, in pixels; 0 keeps their size.

    Returns:
      Number of frames removed.

    Raises:
      InputError: a file that is not ours has the name of a frame, or the film of a frame to write is gone. Then
        nothing has changed.
    """
    recipes = {frame.file: frame.recipe(long_side) for frame in frames}
    _check_names_are_free(folder, recipes.keys() - plan.frames.keys())
    _check_films_exist([frame for frame in frames if plan.frames.get(frame.file) != recipes[frame.file]])
    new_plan = Plan({str(film.path): film.key for film in films}, recipes, plan.removed)
    if new_plan == plan:
        return 0
    stale = [folder / name for name, recipe in plan.frames.items() if recipes.get(name) != recipe]
    stale = [path for path in stale if path.exists()]

    # The order matters: wherever a run is interrupted, the next one must know where each file comes from.
    # 1. Without frames.json, missing frames count as not written yet. So first note those that were removed by hand.
    _write_plan(folder, plan)
    # 2. From here on the set is incomplete.
    (folder / FRAMES_FILE).unlink(missing_ok=True)
    # 3. Remove stale frames while the old plan still names them. A file that no plan names is never removed.
    for path in stale:
        path.unlink()
    # 4. Name the new frames before the first of them is written.
    _write_plan(folder, new_plan)
    return len(stale)


def _check_names_are_free(folder: Path, names: Collection[str]) -> None:
    for name in names:
        if (folder / name).exists():
            problem = "already exists, and is not a frame of this set; move it away or name another --output_dir"
            raise InputError(f"{folder / name}: {problem}")


def _check_films_exist(frames: Sequence[ChosenFrame]) -> None:
    films = {frame.film.key: frame.film for frame in frames}
    for film in films.values():
        if not film.path.exists():
            problem = "is gone, but its frames would have to be written again; bring it back, or use the earlier flags"
            raise InputError(f"{film.path}: {problem}")
