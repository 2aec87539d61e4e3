"""The files in folders of pictures."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from cartoongan_tf.base.errors import InputError

Item = TypeVar("Item")


def list_files(folder: str | os.PathLike) -> list[Path]:
    """Return every file below a folder that may be a picture, in a fixed order.

    Links are followed, each folder once; hidden files and folders are skipped.

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


def evenly_spaced(items: Sequence[Item], count: int) -> list[Item]:
    """Return all items in another order: first `count` of them, spread evenly over all, and then the others."""
    num_first = min(count, len(items))
    first = sorted({round(place * (len(items) - 1) / max(count - 1, 1)) for place in range(num_first)})
    others = [number for number in range(len(items)) if number not in first]
    return [items[number] for number in (*first, *others)]


def _walk(folder: Path) -> Iterator[Path]:
    visited = set()
    for place, folder_names, file_names in os.walk(folder, onerror=_raise, followlinks=True):
        real = os.path.realpath(place)
        if real in visited:
            folder_names.clear()  # os.walk goes no deeper here
            continue
        visited.add(real)
        folder_names[:] = [name for name in folder_names if not name.startswith(".")]
        for name in file_names:
            path = Path(place, name)
            is_pipe = path.exists() and not path.is_file()
            if not name.startswith(".") and not is_pipe:  # broken links are listed, so that they are reported
                yield path


def _raise(error: OSError) -> None:
    raise InputError(f"{error.filename}: cannot be searched ({error.strerror}); make it readable, or move it away")
