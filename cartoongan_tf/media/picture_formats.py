"""The formats of picture files: what each can hold, and how Pillow writes it."""

import dataclasses
import os
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from cartoongan_tf.media.picture_plugins import read_head

WRITABLE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp")
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF"}  # others are named as their suffix
WITHOUT_ALPHA = ("JPEG", "BMP")
ANIMATED = ("GIF", "PNG", "WEBP", "AVIF", "FLI")
WITH_FRAMES = (*ANIMATED, "TIFF")  # a JPEG's further pictures are previews and depth maps
_WITH_EXIF = ("JPEG", "PNG", "WEBP")  # Pillow cannot write it into a compressed TIFF
_LOSSLESS = ("PNG", "BMP", "GIF", "PPM", "TGA", "QOI", "PCX")  # a TIFF may hold JPEG
_DEFAULT_FRAME_MS = 100  # of an animation without durations


@dataclasses.dataclass
class Picture:
    """The content of a picture file.

    Attributes:
      frames: uint8 RGB or RGBA [H, W, 3 or 4] each, upright; one, or several of an animation or of a TIFF's pages,
        which may differ in size. Where a frame is wholly transparent, its colour is white.
      suffix: suffix of the file's format in lower case, like ".png", whatever the file is called.
      is_lossless: whether that format stored it without loss; then it is written without loss where the format can.
      icc_profile: ICC profile of its RGB values, if it has one.
      date_and_place: EXIF data with these alone; empty where they are unknown, or were not read.
      remark: a remark for its owner; empty if there is nothing to say.
      durations_ms: durations of an animation's frames; empty for anything else.
      loop: number of times that an animation runs; 0 is for ever, None once.
    """

    frames: list[np.ndarray]
    suffix: str = ".png"
    is_lossless: bool = False
    icc_profile: bytes | None = None
    date_and_place: bytes = b""
    remark: str = ""
    durations_ms: list[int] = dataclasses.field(default_factory=list)
    loop: int | None = None


def suffix_of(image: Image.Image) -> str:
    suffix = f".{(image.format or 'png').lower()}"
    if suffix in (".jpeg", ".mpo"):
        return ".jpg"
    return suffix if suffix in WRITABLE_SUFFIXES else ".png"


def is_lossless(image: Image.Image, source: str | os.PathLike | BinaryIO) -> bool:
    """Return whether a file stores its pixels without loss.

    Args:
      image: the open image.
      source: its file, a path or an open one.
    """
    if image.format != "WEBP":
        return image.format in _LOSSLESS
    return b"VP8L" in read_head(source)  # the chunk of a lossless frame


def save_options(format: str, quality: int, picture: Picture, others: list[Image.Image]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if format not in ("BMP", "GIF"):
        options["icc_profile"] = picture.icc_profile
    if format in _WITH_EXIF and picture.date_and_place:
        options["exif"] = picture.date_and_place
    if format == "WEBP" and picture.is_lossless:
        options["lossless"] = True
    elif format in ("JPEG", "WEBP"):
        options["quality"] = quality
    if format == "JPEG":
        options["subsampling"] = 0  # cartoons have hard edges in colour
    if format == "TIFF":
        options["compression"] = "tiff_adobe_deflate"
    if others:
        options["save_all"] = True
        options["append_images"] = others
        if format != "TIFF":
            options |= _animation_options(format, picture)
    return options


def _animation_options(format: str, picture: Picture) -> dict[str, Any]:
    options: dict[str, Any] = {"duration": picture.durations_ms or [_DEFAULT_FRAME_MS] * len(picture.frames)}
    if picture.loop is not None or format != "GIF":  # a GIF without the entry runs once
        options["loop"] = 1 if picture.loop is None else picture.loop
    if format == "GIF":
        options["disposal"] = 2  # each frame is complete: none shows through another's transparent parts
    return options
