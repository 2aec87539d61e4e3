"""The film files named on a command line: films, patterns like 'films/*.mkv', and folders of films."""

import contextlib
import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import folders
from cartoongan_tf.media.film_formats import is_film
from cartoongan_tf.media.film_reader import opened


class FilmFiles(NamedTuple):
    """The files that a command line names.

    Attributes:
      films: absolute paths of the films, each once.
      others: files in the folders and patterns that are not films.
    """

    films: list[Path]
    others: list[Path]


def find_films(arguments: Sequence[str], output_dir: str | os.PathLike) -> FilmFiles:
    """Find the films that the arguments name, in the order of the arguments; within a folder or pattern, by name.

    Args:
      arguments: value of --video, and the arguments after the flags.
      output_dir: folder whose files are ignored, in case it lies in a folder that is searched.

    Raises:
      InputError: an argument leads to no film, or a film named by itself cannot be opened.
    """
    results_folder = Path(output_dir).resolve()
    films: dict[Path, Path] = {}
    others = []
    for argument in arguments:
        files = [file for file in _files(argument) if results_folder not in file.resolve().parents]
        films_of_argument = [file for file in files if _is_film(file, argument)]
        if not films_of_argument:
            raise InputError(f"--video={argument}: no film there; name a film, a folder of films, or 'films/*.mkv'")
        for file in films_of_argument:
            films.setdefault(file.resolve(), Path(os.path.abspath(file)))
        others += [file for file in files if file not in films_of_argument]
    return FilmFiles(list(films.values()), others)


def _is_film(file: Path, argument: str) -> bool:
    """Return whether a file is named by itself, or has the suffix of a film."""
    return file == Path(argument) or is_film(file)


def _files(argument: str) -> Iterator[Path]:
    """Yield the files that one argument stands for."""
    path = Path(argument)
    if path.is_file():
        with opened(path):  # so that a damaged file is reported now, and not after hours with the films before it
            yield path
    elif path.is_dir():
        yield from folders.list_files(path)
    elif glob.has_magic(argument):
        for name in sorted(glob.glob(argument, recursive=True)):
            if os.path.isdir(name):
                with contextlib.suppress(InputError):  # an empty folder does no harm among other matches
                    yield from folders.list_files(name)
            else:
                yield Path(name)
    elif path.exists():
        raise InputError(f"--video={argument}: neither a file nor a folder; name a film")
    else:
        raise InputError(f"--video={argument}: no such film or folder")
