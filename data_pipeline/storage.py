"""Folders that pictures are read from and records are written to: on this machine, or anywhere Apache Beam reaches.

Names are paths below a folder, with "/". A file that exists is complete: it is written under another name and renamed.
"""

import contextlib
import io
import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, Protocol

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.media import folders
from data_pipeline.shards import Listing


class Folder(Protocol):
    """The operations on a folder that building records needs; str(folder) is its path."""

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

    def exists(self, name: str) -> bool:
        """Return whether a file exists."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, completely or not at all."""

    def remove(self, name: str) -> None:
        """Remove a file."""


def folder_at(path: str) -> Folder:
    """Return the folder at a path, which may have a scheme, such as gs://bucket/photos.

    Raises:
      InputError: Beam, or its file system for the scheme, is not installed.
    """
    return RemoteFolder(path) if _is_remote(path) else LocalFolder(path)


def place_of(path: str) -> PurePosixPath:
    """Return where a folder really is, links followed, to compare it with others."""
    return PurePosixPath(path if _is_remote(path) else os.path.realpath(path))


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


def _is_remote(path: str) -> bool:
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
            files.append(_File(path.relative_to(self._path).as_posix(), size))
        return _listing(self, files)

    def locked(self) -> AbstractContextManager:
        if self._path.exists() and not self._path.is_dir():
            raise InputError(f"--output_dir={self}: is a file; name a folder")
        return atomic.locked(self._path)

    def names(self) -> list[str]:
        return sorted(path.relative_to(self._path).as_posix() for path in self._path.rglob("*") if not path.is_dir())

    def open(self, name: str) -> BinaryIO:
        return open(self._path / name, "rb")

    def exists(self, name: str) -> bool:
        return (self._path / name).exists()

    def write(self, name: str, content: bytes) -> None:
        with atomic.replacing(self._path / name) as temporary:
            temporary.write_bytes(content)

    def remove(self, name: str) -> None:
        path = self._path / name
        path.unlink()
        if path.parent != self._path and not any(path.parent.iterdir()):
            path.parent.rmdir()


class RemoteFolder:
    """A folder that Beam's file systems reach, at a path with a scheme; see `Folder` for its methods."""

    def __init__(self, path: str):
        require_extra("beam", path)
        try:
            _file_systems().get_filesystem(path)
        except ValueError:
            remedy = "pip install 'apache-beam[gcp]' for gs://, 'apache-beam[aws]' for s3://"
            raise InputError(f"{path}: Beam has no file system for such paths here; {remedy}") from None
        self._path = path.rstrip("/")

    def __str__(self) -> str:
        return self._path

    def pictures(self) -> Listing:
        return _listing(self, sorted(self._files(), key=lambda file: file.name.split("/")))

    def locked(self) -> AbstractContextManager:
        return contextlib.nullcontext()

    def names(self) -> list[str]:
        return sorted(file.name for file in self._files())

    def _files(self) -> list["_File"]:
        (matches,) = _file_systems().match([f"{self}/**"])
        return [_File(file.path.removeprefix(f"{self}/"), file.size_in_bytes) for file in matches.metadata_list]

    def open(self, name: str) -> BinaryIO:
        with _file_systems().open(f"{self}/{name}", compression_type="uncompressed") as file:
            return io.BytesIO(file.read())

    def exists(self, name: str) -> bool:
        return _file_systems().exists(f"{self}/{name}")

    def write(self, name: str, content: bytes) -> None:
        path = f"{self}/{name}"
        temporary = f"{path}.partial"
        with _file_systems().create(temporary, compression_type="uncompressed") as file:
            file.write(content)
        if _file_systems().exists(path):  # some file systems never rename to a name that is in use
            _file_systems().delete([path])
        _file_systems().rename([temporary], [path])

    def remove(self, name: str) -> None:
        _file_systems().delete([f"{self}/{name}"])


class _File(NamedTuple):
    """A file's path below its folder, and its size in bytes."""

    name: str
    size: int


def _listing(folder: Folder, files: Iterable[_File]) -> Listing:
    """Return a listing of the files that may be pictures, in their order. Raises InputError if there is none."""
    shown = [file for file in files if "/." not in f"/{file.name}" and not file.name.endswith(".json")]
    if not shown:
        raise InputError(f"{folder}: no such folder, or no picture in it; put pictures there")
    return Listing(names=tuple(file.name for file in shown), sizes=tuple(file.size for file in shown))


def _file_systems():
    from apache_beam.io.filesystems import FileSystems

    return FileSystems
