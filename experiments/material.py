"""The pictures of an experiment: those to train on, as records, and those held out, to draw and to compare with."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import folders, picture_set
from data_pipeline import builder
from data_pipeline.prepare import PreparationConfig
from data_pipeline.shards import Listing
from data_pipeline.storage import LocalFolder

_FEWEST = 4  # two to train on, two to hold out
_PHOTO_OF, _CARTOONS_SHARE = 8, 5  # held out: every eighth photo, the last fifth of the cartoons


@dataclasses.dataclass(frozen=True)
class Split:
    """The files of a folder: those to train on and those held out, in the order of their names."""

    training: list[Path]
    held_out: list[Path]


def split_photos(folder: str | os.PathLike) -> Split:
    """Hold every eighth out. Raises InputError: there are too few pictures."""
    files = _picture_files("photos_dir", folder)
    every = min(_PHOTO_OF, len(files) // 2)
    return Split([file for number, file in enumerate(files) if number % every], files[::every])


def split_cartoons(folder: str | os.PathLike) -> Split:
    """Hold the last fifth out, other scenes of the film, as neighbours are alike. Raises InputError, as above."""
    files = _picture_files("cartoons_dir", folder)
    first = len(files) - max(len(files) // _CARTOONS_SHARE, picture_set.FEWEST_PICTURES)
    return Split(files[:first], files[first:])


def _picture_files(flag: str, folder: str | os.PathLike) -> list[Path]:
    suffixes = Image.registered_extensions()
    files = [file for file in folders.list_files(folder) if file.suffix.lower() in suffixes]
    if len(files) < _FEWEST:
        raise InputError(f"--{flag}={folder}: {len(files)} pictures in it; an experiment needs {_FEWEST} at least")
    return files


def check_apart(output_dir: str, folders_by_flag: Mapping[str, str]) -> None:
    """Raise InputError if results would lie in a folder of pictures, and be taken for pictures the next time."""
    output = Path(output_dir).resolve()
    for flag, folder in folders_by_flag.items():
        if output.is_relative_to(Path(folder).resolve()):
            raise InputError(f"--output_dir={output_dir}: lies in --{flag}={folder}; name a folder outside")


def build_records(folders_and_files: dict[str, tuple[str, Sequence[Path]]], output: Path, preparation: dict) -> None:
    """Write training records of some files of two folders; what is there already stays.

    Args:
      folders_and_files: by kind, "photos" and "cartoons".
      output: the data folder.
      preparation: flags of `build_tfrecords`.

    Raises:
      InputError: there are records of other pictures, or no picture can be used.
    """
    sources = {kind: _SomeFiles(folder, files) for kind, (folder, files) in folders_and_files.items()}
    make_shards = builder.in_threads(os.cpu_count() or 1)
    builder.build(sources, LocalFolder(output), PreparationConfig(**preparation), make_shards)


def read_held_out(split: Split, long_side: int, crop_px: int, max_pictures: int) -> picture_set.Pictures:
    """The held-out pictures to draw or to compare with; see `crops.read_files`.

    Raises:
      InputError: fewer than two can be used.
    """
    found = picture_set.read_files(split.held_out, long_side, crop_px, max_pictures)
    picture_set.require_enough(found, f"{split.held_out[0].parent}: fewer than two pictures to hold out can be used")
    return found


class _SomeFiles(LocalFolder):
    """A folder of which only some files count."""

    def __init__(self, path: str | os.PathLike, files: Sequence[Path]):
        super().__init__(path)
        self._names = {file.relative_to(path).as_posix() for file in files}

    def pictures(self) -> Listing:
        everything = super().pictures()
        files = zip(everything.names, everything.sizes, strict=True)
        return Listing(*zip(*(file for file in files if file[0] in self._names), strict=True))
