"""The files of an archive, and the places of their results."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from cartoongan_tf.archive.tasks import File
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.jobs import targets_in_tree
from cartoongan_tf.media.storage import folder_at

_WILDCARDS = frozenset("*?[")


def split_pattern(pattern: str) -> tuple[str, str]:
    """Split a path with wildcards into a folder without any, and the rest: ("gs://b/2024", "**.jpg")."""
    parts = pattern.rstrip("/").split("/")
    number = next((number for number, part in enumerate(parts) if _WILDCARDS & set(part)), len(parts))
    return "/".join(parts[:number]) or "/", "/".join(parts[number:])


def find_files(pattern: str, names_file: str, suffix: str) -> tuple[str, list[File]]:
    """Find the pictures and films of an archive.

    Args:
      pattern: a folder, all files of which are taken, or a path with wildcards: * stands for characters but /, and **
        for any; on any of Beam's file systems.
      names_file: file that lists those to take, a path below the folder in each line; "" takes all.
      suffix: suffix of the pictures to write; "" keeps each one's own.

    Returns:
      (the folder, its files with the places of their results in the same tree).

    Raises:
      InputError: there is no such folder or file, or no file in it that is asked for.
    """
    from apache_beam.io.filesystem import FileSystem

    folder, rest = split_pattern(pattern)
    listing = folder_at(folder).pictures()
    sizes = dict(zip(listing.names, listing.sizes, strict=True))
    if rest:
        matches = re.compile(FileSystem.translate_pattern(rest)).fullmatch
        sizes = {name: size for name, size in sizes.items() if matches(name)}
    if names_file:
        sizes = {name: sizes.get(name, -1) for name in _names_in(names_file, folder)}
    if not sizes:
        raise InputError(f"--input={pattern}: no file has such a name; put a * in it, or name a folder")
    names = list(sizes)
    targets = targets_in_tree([PurePosixPath(name) for name in names], suffix)
    return folder, [File(name, str(target), sizes[name]) for name, target in zip(names, targets, strict=True)]


def _names_in(names_file: str, folder: str) -> list[str]:
    """Return the paths below a folder that a file lists, with or without the folder before them."""
    place, _, name = names_file.rpartition("/")
    try:
        with folder_at(place or ".").open(name) as file:
            lines = file.read().decode().splitlines()
    except FileNotFoundError:
        raise InputError(f"--names_file={names_file}: no such file") from None
    names = [line.strip().removeprefix(f"{folder}/") for line in lines]
    return list(dict.fromkeys(name for name in names if name))


def without_result(files: Sequence[File], existing: Sequence[str]) -> list[File]:
    """Return the files whose results are not among the existing ones."""
    names = set(existing)
    return [file for file in files if file.target not in names]
