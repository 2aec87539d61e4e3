"""Take key frames out of films, to train a cartoon style with.

    python -m data_pipeline.extract_frames --video=film.mp4 --output_dir=frames
    python -m data_pipeline.extract_frames --video='films/*.mkv' --output_dir=frames --max_frames=5000

--video is a film, a folder of films or a pattern in quotes; more of them may follow. Of each shot the sharpest frame is
taken. Black, faded, blurred and blank frames, titles and credits are left out, and so is what was seen before; black
bars are cropped. frames.json in the folder says for every frame where it is from and why its neighbours were dropped,
and a contact sheet beside the folder shows them.

A run that was cut off goes on when you give its command again. Films of a later command are added to the set. Other
flags make another choice among all its films: frames that are not chosen any more are removed, but no film is looked at
twice. Frames that you delete by hand stay away.
"""

import dataclasses
import os
import sys
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from cartoongan_tf.base import atomic, program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, require
from data_pipeline.frames import film_files, frame_set, key_frames, report
from data_pipeline.frames.frame_set import ChosenFrame, Film
from data_pipeline.frames.key_frames import FrameChoiceConfig, Shot

_FEW_FRAMES = 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Places(Config):
    video: str = option("Film, folder of films, or pattern in quotes such as 'films/*.mkv'; more may follow the flags.")
    output_dir: str = option("Folder for the frames: build_tfrecords takes it as --cartoons_dir.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExtractConfig(FrameChoiceConfig, _Places):
    crop_bars: bool = option("Crop the black bars that a film has from end to end.", True)
    format: Literal["png", "jpg"] = option(
        "Of the frames: png keeps every pixel, jpg takes a tenth of the room.", "png"
    )
    long_side: int = option("Shrink frames whose longer side has more pixels; 0 keeps their size.", 0, at_least=0)
    strict: bool = option("Stop at the first film that cannot be read, instead of leaving it out.", False)

    def __post_init__(self):
        super().__post_init__()
        require(self, "long_side", self.long_side == 0 or self.long_side >= 32, "must be 0, or 32 or more")

    def recorded(self) -> dict:
        """The flags that decide what comes out, which frames.json keeps; it names the films itself."""
        flags = dataclasses.asdict(self)
        return {name: value for name, value in flags.items() if name not in ("video", "output_dir", "strict")}


def main(argv=None) -> int:
    return program.run(ExtractConfig, _extract, __doc__, argv, takes_arguments=True)


def _extract(config: ExtractConfig, arguments: list[str]) -> None:
    folder = Path(config.output_dir)
    _check_writable(folder)
    with atomic.locked(folder):
        _extract_into(folder, config, arguments)


def _extract_into(folder: Path, config: ExtractConfig, arguments: list[str]) -> None:
    files = film_files.find_films([config.video, *arguments], folder)
    for path in files.others:
        print(f"Skipped {path}: not a film, by its name", file=sys.stderr)
    plan = frame_set.read_plan(folder)
    films = _look_at_all(files.films, plan.films, config)
    shots = key_frames.choose([film.analysis for film in films], [film.name for film in films], config)
    frames = frame_set.frames_of(films, shots, f".{config.format}", plan.removed)
    if plan.frames and not frames:
        raise InputError(f"no frame would be left ({_dropped(shots)}): nothing was changed; lower the thresholds")
    if num_gone := frame_set.make_ready(folder, plan, films, frames, config.long_side):
        print(f"Removed {num_gone} frames that are not chosen any more", file=sys.stderr)
    frame_set.write_frames(folder, frames, config.long_side)
    report.write_sheet(folder, frames)
    is_new = report.write_frames_file(folder, config.recorded(), frames, films, shots, plan.removed)
    if plan.removed:
        print(f"{len(plan.removed)} frames that were removed by hand stay away")
    _report(config, frames, films, shots, is_new)


def _check_writable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"--output_dir={folder}: cannot be written to; name another folder")


def _look_at_all(paths: list[Path], known: dict[str, str], config: ExtractConfig) -> list[Film]:
    """The films of the set, then those new ones that can be read; each of the others is said, unless none is left."""
    films, problems = [], []
    paths = [*map(Path, known), *(path for path in paths if str(path) not in known)]
    for path in paths:
        try:
            key = known.get(str(path), "")
            films.append(frame_set.analyse(Path(config.output_dir), path, config.crop_bars, key))
        except InputError as problem:
            if config.strict or len(paths) == 1 or str(path) in known:
                raise
            problems.append(problem)
            tqdm.write(f"Skipped {problem}", file=sys.stderr)
    if not films:
        raise InputError(f"none of the {len(paths)} films can be read")
    for film in films:
        for warning in film.analysis.warnings:
            print(f"{film.path}: {warning}", file=sys.stderr)
    if problems:
        print(f"Left out {len(problems)} of {len(paths)} films, which cannot be read", file=sys.stderr)
    names = key_frames.film_names([film.path for film in films])
    return [dataclasses.replace(film, name=name) for film, name in zip(films, names, strict=True)]


def _report(
    config: ExtractConfig, frames: list[ChosenFrame], films: list[Film], shots: list[Shot], is_new: bool
) -> None:
    dropped = _dropped(shots)
    for film in films:
        if not any(frame.film is film for frame in frames):
            print(f"{film.path}: no frame of it was taken", file=sys.stderr)
    if not frames:
        raise InputError(
            f"no frame of these films is left: {dropped}; {frame_set.FRAMES_FILE} in {config.output_dir} says which; "
            "lower the thresholds that --help lists, or name another --output_dir if you removed the frames yourself"
        )
    done = "Done" if is_new else "Nothing was left to do"
    print(f"{done}: {config.output_dir} has {len(frames)} frames, of {len(shots)} shots in {len(films)} film(s)")
    print(f"Dropped frames: {dropped or 'none'} ({frame_set.FRAMES_FILE} has all of them)")
    print(f"Look at them:\n    {report.sheet_path(Path(config.output_dir))}")
    if len(frames) < _FEW_FRAMES:
        print("That is little to learn a style from: add films of the same style, or raise --frames_per_shot")
    print(
        f"Then: python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir={config.output_dir} "
        "--output_dir=data/NAME"
    )


def _dropped(shots: list[Shot]) -> str:
    return ", ".join(f"{count} {why}" for why, count in key_frames.totals(shots).items())


if __name__ == "__main__":
    sys.exit(main())
