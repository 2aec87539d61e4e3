"""Folders of pictures: the files in them."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from cartoongan_tf.base.errors import InputError


def list_files(folder: str | os.PathLike) -> list[Path]:
    """Every file below a folder that may be a picture, in a fixed order.

    Links are followed, each folder once; hidden files and folders are left out.

    Raises:
      InputError: the folder is missing, is a file, has no file in it, or a folder in it cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a folder' if folder.exists() else 'no such folder'}")
    files = sorted(_walk(folder))
    if not files:
        raise InputError(f"{folder}: the folder is empty; put pictures in it (folders inside it are searched too)")
    return files


def evenly_spaced(files: Sequence[Path], count: int) -> list[Path]:
    """All files in another order: first `count` of them, spread evenly over all, and then the others."""
    first = {round(place * (len(files) - 1) / max(count - 1, 1)) for place in range(min(count, len(files)))}
    others = [number for number in range(len(files)) if number not in first]
    return [files[number] for number in (*sorted(first), *others)]


def _walk(folder: Path) -> Iterator[Path]:
    seen = set()
    for place, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else [name for name in folders if not name.startswith(".")]
        if real not in seen:
            files = (Path(place, name) for name in names if not name.startswith("."))
            yield from (
                file for file in files if file.is_file() or not file.exists()
            )  # no pipes; broken links are said
        seen.add(real)


def _raise(error: OSError) -> None:
    raise InputError(f"{error.filename}: cannot be searched ({error.strerror}); make it readable, or move it away")
