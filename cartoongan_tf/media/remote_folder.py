"""A folder that Apache Beam's file systems reach, such as a bucket."""

import contextlib
import io
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.media.listings import ListedFile, Listing, listing_of

_UNFINISHED = r".+\.[0-9a-f]{16}\.partial"


class RemoteFolder:
    """A folder that Beam's file systems reach, at a path with a scheme; see `storage.Folder` for its methods."""

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
        return listing_of(str(self), sorted(self._files(), key=lambda file: file.name.split("/")))

    def locked(self) -> AbstractContextManager:
        return contextlib.nullcontext()

    def names(self) -> list[str]:
        return sorted(file.name for file in self._files())

    def _files(self) -> list[ListedFile]:
        from apache_beam.io.filesystem import BeamIOError

        try:
            (matches,) = _file_systems().match([f"{self}/**"])
        except BeamIOError as error:
            reason = next(iter(error.exception_details.values()), error)
            raise InputError(f"{self}: cannot be listed ({reason}); check the path, and your access to it") from error
        return [ListedFile(file.path.removeprefix(f"{self}/"), file.size_in_bytes) for file in matches.metadata_list]

    def open(self, name: str) -> BinaryIO:
        with self._open_stream(name) as file:
            return io.BytesIO(file.read())

    @contextlib.contextmanager
    def local_copy(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as place:
            copy = Path(place, PurePosixPath(name).name)
            with self._open_stream(name) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
            yield copy

    def _open_stream(self, name: str) -> BinaryIO:
        return _file_systems().open(f"{self}/{name}", compression_type="uncompressed")

    def exists(self, name: str) -> bool:
        return _file_systems().exists(f"{self}/{name}")

    def write(self, name: str, content: bytes) -> None:
        self._write(name, io.BytesIO(content))

    def put(self, name: str, file: Path) -> None:
        with file.open("rb") as source:
            self._write(name, source)

    def _write(self, name: str, source: BinaryIO) -> None:
        path = f"{self}/{name}"
        temporary = f"{path}.{secrets.token_hex(8)}.partial"  # a worker taken for lost may still write the same file
        with _file_systems().create(temporary, compression_type="uncompressed") as file:
            shutil.copyfileobj(source, file)
        if _file_systems().exists(path):  # some file systems never rename to a name that is in use
            _file_systems().delete([path])
        _file_systems().rename([temporary], [path])

    def remove(self, name: str) -> None:
        _file_systems().delete([f"{self}/{name}"])

    def is_unfinished(self, name: str) -> bool:
        return re.fullmatch(_UNFINISHED, PurePosixPath(name).name) is not None


def _file_systems():
    from apache_beam.io.filesystems import FileSystems

    return FileSystems
