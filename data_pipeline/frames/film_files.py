"""The film files that were named on a command line: films, patterns like 'films/*.mkv', and folders of films."""

import contextlib
import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import folders
from cartoongan_tf.media.film_reader import FILM_SUFFIXES, opened


class FilmFiles(NamedTuple):
    """What was found: the films, each once and by its absolute path, and the files among them that are none."""

    films: list[Path]
    others: list[Path]


def find_films(arguments: Sequence[str], output_dir: str | os.PathLike) -> FilmFiles:
    """The films that the arguments name, in their order and by name within a folder or pattern.

    Args:
      arguments: the value of --video, and what else was given.
      output_dir: its files are left out, should it lie in a folder that is searched.

    Raises:
      InputError: an argument leads to no film, or a film that was named itself cannot be opened.
    """
    results = Path(output_dir).resolve()
    films, others = {}, []
    for argument in arguments:
        found = [file for file in _files(argument) if results not in file.resolve().parents]
        of_these = [file for file in found if file == Path(argument) or file.suffix.lower() in FILM_SUFFIXES]
        if not of_these:
            raise InputError(f"--video={argument}: no film there; name a film, a folder of films, or 'films/*.mkv'")
        for file in of_these:
            films.setdefault(file.resolve(), Path(os.path.abspath(file)))
        others += [file for file in found if file not in of_these]
    return FilmFiles(list(films.values()), others)


def _files(argument: str) -> Iterator[Path]:
    """The files that one argument stands for."""
    path = Path(argument)
    if path.is_file():
        with opened(path):  # said now, not after hours with the films before it
            yield path
    elif path.is_dir():
        yield from folders.list_files(path)
    elif glob.has_magic(argument):
        for name in sorted(glob.glob(argument, recursive=True)):
            if os.path.isdir(name):
                with contextlib.suppress(InputError):  # an empty folder, say, among all that matches
                    yield from folders.list_files(name)
            else:
                yield Path(name)
    elif path.exists():
        raise InputError(f"--video={argument}: no file and no folder; name a film")
    else:
        raise InputError(f"--video={argument}: no such film or folder")
