"""Folders that pictures are read from and results are written to: on this machine, or anywhere Apache Beam reaches.

Names are paths below a folder, with "/". A file that exists is complete: it is written under another name and renamed.
"""

import contextlib
import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import folders
from cartoongan_tf.media.listings import ListedFile, Listing, listing_of
from cartoongan_tf.media.remote_folder import RemoteFolder


class Folder(Protocol):
    """The operations on a folder that programs need; str(folder) is its path."""

    def pictures(self) -> Listing:
        """List the files that may be pictures: all but hidden files and .json files, which other programs leave there.

        Raises:
          InputError: the folder does not exist, or has no such file.
        """

    def locked(self) -> AbstractContextManager:
        """Keep other runs out within the block, where the file system can.

        Raises:
          InputError: another run is writing to the folder.
        """

    def names(self) -> list[str]:
        """List all files, hidden ones too; none if the folder does not exist."""

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading; it can seek. Raises OSError."""

    def local_copy(self, name: str) -> AbstractContextManager[Path]:
        """Yield the path of a file on this machine with the same content and base name. Raises OSError."""

    def exists(self, name: str) -> bool:
        """Return whether a file exists."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, completely or not at all."""

    def put(self, name: str, file: Path) -> None:
        """Copy a file of this machine into the folder, completely or not at all."""

    def remove(self, name: str) -> None:
        """Remove a file, and the folders inside this one that are empty then."""

    def is_unfinished(self, name: str) -> bool:
        """Return whether a file is not complete: it is being written, or was when its process was killed."""


def folder_at(path: str) -> Folder:
    """Return the folder at a path, which may have a scheme, such as gs://bucket/photos.

    Raises:
      InputError: Beam, or its file system for the scheme, is not installed.
    """
    return RemoteFolder(path) if is_remote(path) else LocalFolder(path)


def place_of(path: str) -> PurePosixPath:
    """Return where a folder really is, links followed, to compare it with others."""
    return PurePosixPath(path if is_remote(path) else os.path.realpath(path))


def check_apart(output_dir: str, folders_by_flag: Mapping[str, str]) -> None:
    """Check that results are not written into a folder of pictures, where they would be taken for pictures later.

    Args:
      output_dir: value of --output_dir.
      folders_by_flag: folders of pictures, by the name of their flag.

    Raises:
      InputError: the output folder is one of the other folders, or lies in one.
    """
    for flag, folder in folders_by_flag.items():
        if place_of(output_dir).is_relative_to(place_of(folder)):
            problem = f"lies in --{flag}={folder}, and would be searched for pictures; name a folder outside"
            raise InputError(f"--output_dir={output_dir}: {problem}")


def is_remote(path: str) -> bool:
    """Return whether Beam's file systems reach a path, as it has a scheme."""
    return "://" in path


class LocalFolder:
    """A folder on this machine; see `Folder` for its methods."""

    def __init__(self, path: str | os.PathLike):
        self._path = Path(path)

    def __str__(self) -> str:
        return str(self._path)

    def pictures(self) -> Listing:
        files = []
        for path in folders.list_files(self._path):
            size = path.stat().st_size if path.exists() else -1
            files.append(ListedFile(path.relative_to(self._path).as_posix(), size))
        return listing_of(str(self), files)

    def locked(self) -> AbstractContextManager:
        if self._path.exists() and not self._path.is_dir():
            raise InputError(f"--output_dir={self}: is a file; name a folder")
        return atomic.locked(self._path)

    def names(self) -> list[str]:
        return sorted(path.relative_to(self._path).as_posix() for path in self._path.rglob("*") if not path.is_dir())

    def open(self, name: str) -> BinaryIO:
        return open(self._path / name, "rb")

    def local_copy(self, name: str) -> AbstractContextManager[Path]:
        return contextlib.nullcontext(self._path / name)

    def exists(self, name: str) -> bool:
        return (self._path / name).exists()

    def write(self, name: str, content: bytes) -> None:
        with atomic.replacing(self._path / name) as temporary:
            temporary.write_bytes(content)

    def put(self, name: str, file: Path) -> None:
        with atomic.replacing(self._path / name) as temporary:
            shutil.copyfile(file, temporary)

    def remove(self, name: str) -> None:
        path = self._path / name
        path.unlink()
        for folder in path.parents:
            if folder == self._path or any(folder.iterdir()):
                break
            folder.rmdir()

    def is_unfinished(self, name: str) -> bool:
        return atomic.is_unfinished_name(PurePosixPath(name).name)
