"""Folders that pictures are read from and records written to: on this machine, or where else Apache Beam reaches.

Names are paths below a folder, with "/". A file that is there is whole: it is written beside its place, then renamed.
"""

import contextlib
import io
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.media import folders
from data_pipeline.shards import Listing


class Folder(Protocol):
    """What building records asks of a folder; str() of one is its path."""

    def pictures(self) -> Listing:
        """The files that may be pictures: all but hidden ones and what programs note beside pictures, as JSON.

        Raises InputError: there is no such folder, or no such file in it.
        """

    def locked(self) -> AbstractContextManager:
        """Keep other runs out within the block, where the file system can. Raises InputError: another one is there."""

    def names(self) -> list[str]:
        """All files, hidden ones too; none where there is no folder yet."""

    def open(self, name: str) -> BinaryIO:
        """A file to read, which can seek. Raises OSError."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""

    def remove(self, name: str) -> None:
        """Remove a file."""


def folder_at(path: str) -> Folder:
    """The folder at a path, which may be one like gs://bucket/photos.

    Raises InputError: Beam, or its file system for such paths, is not installed.
    """
    return RemoteFolder(path) if "://" in path else LocalFolder(path)


class LocalFolder:
    """A folder on this machine."""

    def __init__(self, path: str | os.PathLike):
        self._path = Path(path)

    def __str__(self) -> str:
        return str(self._path)

    def pictures(self) -> Listing:
        paths = folders.list_files(self._path)
        sizes = (path.stat().st_size if path.exists() else -1 for path in paths)
        names = (path.relative_to(self._path).as_posix() for path in paths)
        return _listing(self, zip(names, sizes, strict=True))

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
    """A folder that Beam's file systems reach, by a path with a scheme."""

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
        return _listing(self, sorted(self._files(), key=lambda file: file[0].split("/")))

    def locked(self) -> AbstractContextManager:
        return contextlib.nullcontext()

    def names(self) -> list[str]:
        return sorted(name for name, _ in self._files())

    def _files(self) -> list[tuple[str, int]]:
        (found,) = _file_systems().match([f"{self}/**"])
        return [(file.path.removeprefix(f"{self}/"), file.size_in_bytes) for file in found.metadata_list]

    def open(self, name: str) -> BinaryIO:
        with _file_systems().open(f"{self}/{name}", compression_type="uncompressed") as file:
            return io.BytesIO(file.read())

    def exists(self, name: str) -> bool:
        return _file_systems().exists(f"{self}/{name}")

    def write(self, name: str, content: bytes) -> None:
        path, temporary = f"{self}/{name}", f"{self}/{name}.partial"
        with _file_systems().create(temporary, compression_type="uncompressed") as file:
            file.write(content)
        if _file_systems().exists(path):  # some file systems never rename to a name that is taken
            _file_systems().delete([path])
        _file_systems().rename([temporary], [path])

    def remove(self, name: str) -> None:
        _file_systems().delete([f"{self}/{name}"])


def _listing(folder: Folder, files: Iterable[tuple[str, int]]) -> Listing:
    """Of (name, size) of each file, in order."""
    shown = [file for file in files if "/." not in f"/{file[0]}" and not file[0].endswith(".json")]
    if not shown:
        raise InputError(f"{folder}: no such folder, or no picture in it; put pictures there")
    return Listing(*zip(*shown, strict=True))


def _file_systems():
    from apache_beam.io.filesystems import FileSystems

    return FileSystems
