"""The file formats of films, by suffix. It imports no codecs, so that pictures are drawn without them."""

import os
from pathlib import Path

READABLE_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".vob", ".ts", ".mts", ".m2ts",
    ".wmv", ".asf", ".flv", ".3gp", ".3g2", ".ogv", ".mxf",
)  # fmt: skip
# The formats that can be written, by suffix, with FFmpeg's name of each.
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".webm": "webm", ".mkv": "matroska"}


def is_film(file: str | os.PathLike) -> bool:
    """Return whether a file is a film, by its suffix."""
    return Path(file).suffix.lower() in READABLE_SUFFIXES


def output_suffix(film: str | os.PathLike) -> str:
    """Return the film's own suffix if films can be written with it, else .mkv, which takes almost any track."""
    suffix = Path(film).suffix
    return suffix if suffix.lower() in CONTAINERS else ".mkv"
