"""The pictures of an experiment: those to train on, as records, and those held out, to cartoonize and compare with."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import folders, picture_set
from cartoongan_tf.media.listings import Listing
from cartoongan_tf.media.storage import LocalFolder
from data_pipeline import builder
from data_pipeline.prepare import PreparationConfig

_FEWEST = 4  # two to train on, two to hold out
_EVERY_PHOTO = 8  # every eighth photo is held out
_CARTOONS_SHARE = 5  # the last fifth of the cartoons is held out


@dataclasses.dataclass(frozen=True)
class Split:
    """The files of a folder, to train on and held out, in the order of their names."""

    training: list[Path]
    held_out: list[Path]


def split_photos(folder: str | os.PathLike) -> Split:
    """Hold out every eighth photo.

    Raises:
      InputError: there are too few pictures.
    """
    files = _picture_files("photos_dir", folder)
    every = min(_EVERY_PHOTO, len(files) // 2)
    training = [file for number, file in enumerate(files) if number % every]
    return Split(training, files[::every])


def split_cartoons(folder: str | os.PathLike) -> Split:
    """Hold out the last fifth of the cartoons: other scenes of the film, as neighbouring frames are alike.

    Raises:
      InputError: there are too few pictures.
    """
    files = _picture_files("cartoons_dir", folder)
    num_held_out = max(len(files) // _CARTOONS_SHARE, picture_set.FEWEST_PICTURES)
    return Split(files[:-num_held_out], files[-num_held_out:])


def _picture_files(flag: str, folder: str | os.PathLike) -> list[Path]:
    suffixes = Image.registered_extensions()
    files = [file for file in folders.list_files(folder) if file.suffix.lower() in suffixes]
    if len(files) < _FEWEST:
        raise InputError(f"--{flag}={folder}: {len(files)} pictures in it; an experiment needs at least {_FEWEST}")
    return files


def build_records(files_by_kind: Mapping[str, tuple[str, Sequence[Path]]], output: Path, preparation: Mapping) -> None:
    """Write training records of some files of two folders; records that exist already stay.

    Args:
      files_by_kind: folder and files, by kind: "photos" and "cartoons".
      output: folder of the records.
      preparation: flags of `build_tfrecords`.

    Raises:
      InputError: there are records of other pictures, or no picture can be used.
    """
    sources = {kind: _SomeFiles(folder, files) for kind, (folder, files) in files_by_kind.items()}
    make_shards = builder.in_threads(os.cpu_count() or 1)
    builder.build(sources, LocalFolder(output), PreparationConfig(**preparation), make_shards)


def read_held_out(split: Split, long_side: int, crop_px: int, max_pictures: int) -> picture_set.Pictures:
    """Read the held-out pictures; see `picture_set.read_files`.

    Raises:
      InputError: fewer than two can be used.
    """
    held_out = picture_set.read_files(split.held_out, long_side, crop_px, max_pictures)
    folder = split.held_out[0].parent
    picture_set.require_enough(held_out, f"{folder}: fewer than two of the held-out pictures can be used")
    return held_out


class _SomeFiles(LocalFolder):
    """A folder of which only some files count."""

    def __init__(self, path: str | os.PathLike, files: Sequence[Path]):
        super().__init__(path)
        self._names = {file.relative_to(path).as_posix() for file in files}

    def pictures(self) -> Listing:
        listing = super().pictures()
        names = []
        sizes = []
        for name, size in zip(listing.names, listing.sizes, strict=True):
            if name in self._names:
                names.append(name)
                sizes.append(size)
        return Listing(tuple(names), tuple(sizes))
