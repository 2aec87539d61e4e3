"""Take key frames out of films, to train a cartoon style with.

    python -m data_pipeline.extract_frames --video=film.mp4 --output_dir=frames
    python -m data_pipeline.extract_frames --video='films/*.mkv' --output_dir=frames --max_frames=5000

--video is a film, a folder of films or a pattern in quotes; more of them may follow. The sharpest frame of each shot is
taken. Black, faded, blurred and blank frames, titles, credits and repeated pictures are dropped; black bars are
cropped. frames.json in the folder lists where every frame comes from and why its neighbours were dropped, and a contact
sheet beside the folder shows the frames.

To resume an interrupted run, give the same command again. Films of a later command are added to the set. Other flags
make another choice among all its films: frames that are no longer chosen are removed, but no film is analysed twice.
Frames that you delete by hand stay away.
"""

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from cartoongan_tf.base import atomic, program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, require
from data_pipeline.frames import film_files, frame_set, frame_writer, key_frames, report
from data_pipeline.frames.frame_set import ChosenFrame, Film
from data_pipeline.frames.key_frames import FrameChoiceConfig, Shot

_FEW_FRAMES = 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class _PlacesConfig(Config):
    """The films to read and the folder to write: the first flags in --help."""

    video: str = option("Film, folder of films, or pattern in quotes such as 'films/*.mkv'; more may follow the flags.")
    output_dir: str = option("Folder for the frames: build_tfrecords takes it as --cartoons_dir.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExtractConfig(FrameChoiceConfig, _PlacesConfig):
    """All flags of the program."""

    crop_bars: bool = option("Crop black bars that a film has from beginning to end.", True)
    format: Literal["png", "jpg"] = option(
        "Format of the frames: png keeps every pixel, jpg takes a tenth of the space.", "png"
    )
    long_side: int = option("Shrink frames whose longer side has more pixels; 0 keeps their size.", 0, at_least=0)
    strict: bool = option("Stop at the first film that cannot be read, instead of skipping it.", False)

    def __post_init__(self):
        super().__post_init__()
        require(self, "long_side", self.long_side == 0 or self.long_side >= 32, "must be 0, or 32 or more")

    def recorded(self) -> dict:
        """Return the flags for frames.json: those that decide the result; the films have entries of their own."""
        flags = dataclasses.asdict(self)
        return {name: value for name, value in flags.items() if name not in ("video", "output_dir", "strict")}


def main(argv=None) -> int:
    return program.run(ExtractConfig, _extract, __doc__, argv, takes_arguments=True)


def _extract(config: ExtractConfig, arguments: list[str]) -> None:
    folder = Path(config.output_dir)
    _check_writable(folder)
    with atomic.locked(folder):
        _extract_into(folder, config, arguments)


def _check_writable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"--output_dir={folder}: cannot be written to; name another folder")


def _extract_into(folder: Path, config: ExtractConfig, arguments: list[str]) -> None:
    files = film_files.find_films([config.video, *arguments], folder)
    for path in files.others:
        print(f"Skipped {path}: its name is not that of a film", file=sys.stderr)
    plan = frame_set.read_plan(folder)
    films = _analyse_all(files.films, plan.films, config)
    shots = key_frames.choose([film.analysis for film in films], [film.name for film in films], config)
    frames = frame_set.frames_of(films, shots, f".{config.format}", plan.removed)
    if plan.frames and not frames:
        raise InputError(f"no frame would be left ({_dropped(shots)}): nothing was changed; lower the thresholds")
    num_removed = frame_set.make_ready(folder, plan, films, frames, config.long_side)
    if num_removed:
        print(f"Removed {num_removed} frames that are no longer chosen", file=sys.stderr)
    frame_writer.write_frames(folder, frames, config.long_side)
    report.write_sheet(folder, frames)
    has_changed = report.write_frames_file(folder, config.recorded(), frames, films, shots, plan.removed)
    if plan.removed:
        print(f"{len(plan.removed)} frames that were removed by hand stay away")
    _report(config, frames, films, shots, has_changed)


def _analyse_all(new_paths: Sequence[Path], planned: Mapping[str, str], config: ExtractConfig) -> list[Film]:
    """Analyse the films that are in the set already, then those of the new ones that can be read.

    Args:
      new_paths: films that the command line names.
      planned: key of each film in the set, by path.
      config: flags of the program.

    Raises:
      InputError: no film can be read; or one cannot, and it is the only one or in the set, or the run is strict.
    """
    paths = [Path(path) for path in planned]
    paths += [path for path in new_paths if str(path) not in planned]
    films = []
    for path in paths:
        try:
            key = planned.get(str(path), "")
            films.append(frame_set.analyse(Path(config.output_dir), path, config.crop_bars, key))
        except InputError as problem:
            if config.strict or len(paths) == 1 or str(path) in planned:
                raise
            tqdm.write(f"Skipped {problem}", file=sys.stderr)
    if not films:
        raise InputError(f"none of the {len(paths)} films can be read")
    for film in films:
        for warning in film.analysis.warnings:
            print(f"{film.path}: {warning}", file=sys.stderr)
    if len(films) < len(paths):
        print(f"Skipped {len(paths) - len(films)} of {len(paths)} films, which cannot be read", file=sys.stderr)
    names = key_frames.film_names([film.path for film in films])
    return [dataclasses.replace(film, name=name) for film, name in zip(films, names, strict=True)]


def _report(
    config: ExtractConfig,
    frames: Sequence[ChosenFrame],
    films: Sequence[Film],
    shots: Sequence[Shot],
    has_changed: bool,
) -> None:
    dropped = _dropped(shots)
    for film in films:
        if not any(frame.film is film for frame in frames):
            print(f"{film.path}: no frame was taken from it", file=sys.stderr)
    if not frames:
        raise InputError(
            f"no frame of these films is left: {dropped}; {frame_set.FRAMES_FILE} in {config.output_dir} lists them; "
            "lower the thresholds that --help lists, or name another --output_dir if you removed the frames yourself"
        )
    status = "Done" if has_changed else "Nothing to do"
    print(f"{status}: {config.output_dir} has {len(frames)} frames of {len(shots)} shots in {len(films)} film(s)")
    print(f"Dropped frames: {dropped or 'none'} ({frame_set.FRAMES_FILE} lists them)")
    print(f"Look at them:\n    {report.sheet_path(Path(config.output_dir))}")
    if len(frames) < _FEW_FRAMES:
        print("These are few frames to learn a style from: add films in the same style, or raise --frames_per_shot")
    print(
        f"Then: python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir={config.output_dir} "
        "--output_dir=data/NAME"
    )


def _dropped(shots: Sequence[Shot]) -> str:
    return ", ".join(f"{count} {why}" for why, count in key_frames.totals(shots).items())


if __name__ == "__main__":
    sys.exit(main())
