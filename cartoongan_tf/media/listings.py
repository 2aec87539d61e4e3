"""Listings of the files in a folder that may be pictures or films."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from cartoongan_tf.base.errors import InputError


class Listing(NamedTuple):
    """Files in a folder, in order.

    Attributes:
      names: paths below the folder, with "/".
      sizes: sizes in bytes; -1 for a broken link.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def fingerprint(self) -> dict:
        """Return the number of files and a hash of their names and sizes."""
        text = "\n".join(f"{name}\0{size}" for name, size in zip(self.names, self.sizes, strict=True))
        encoded = text.encode("utf-8", "surrogateescape")  # names need not be valid Unicode
        return {"files": len(self.names), "sha256": hashlib.sha256(encoded).hexdigest()}


class ListedFile(NamedTuple):
    """A file's path below its folder, and its size in bytes."""

    name: str
    size: int


def listing_of(folder: str, files: Iterable[ListedFile]) -> Listing:
    """Return a listing of the files that may be pictures, in their order. Raises InputError if there is none."""
    shown = [file for file in files if "/." not in f"/{file.name}" and not file.name.endswith(".json")]
    if not shown:
        raise InputError(f"{folder}: no such folder, or no picture in it; put pictures there")
    return Listing(names=tuple(file.name for file in shown), sizes=tuple(file.size for file in shown))
