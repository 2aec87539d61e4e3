"""Pictures that Pillow does not read by itself: HEIF (.heic), JPEG XL, TIFF in floating point; and their colour tags.

A plugin is loaded when the first picture of its format is met.
"""

import io
import os
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin

from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.media.pillow_pixels import from_float

PLANES = 2  # as TIFF numbers the configurations of planes
_HEAD_BYTES = 65536  # colour boxes and, in WebP, a profile may come before the first frame
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_TIFF_STARTS = (b"II*\0", b"MM\0*")
_FLOAT = 3  # as TIFF numbers formats of samples
_JPEG_XL_STARTS = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
_AVIF_COLORS = b"colrnclx"  # the box of colour tags, numbers of ITU-T H.273
_PLUGIN_SUFFIXES = (".heic", ".heif", ".hif", ".jxl")


class ColorTags(NamedTuple):
    """The colours of a picture, as numbers of ITU-T H.273."""

    transfer: int
    primaries: int


def read_head(source: str | os.PathLike | BinaryIO) -> bytes:
    """Return the first bytes of a file, a path or an open one, whose position stays."""
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            return file.read(_HEAD_BYTES)
    place = source.tell()
    source.seek(0)
    head = source.read(_HEAD_BYTES)
    source.seek(place)
    return head


def load_plugin(source: str | os.PathLike | BinaryIO, name: str | os.PathLike) -> None:
    """Load Pillow's plugin for a picture, if it is of such a format.

    Raises:
      InputError: the plugin is not installed.
    """
    head = read_head(source)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        import pillow_heif

        pillow_heif.register_heif_opener()
    elif head.startswith(_JPEG_XL_STARTS):
        require_extra("jxl", f"{name}, a JPEG XL picture")
        import pillow_jxl  # noqa: F401  (it registers itself)


def open_float_tiff(source: str | os.PathLike | BinaryIO, max_pixels: int) -> Image.Image | None:
    """Open a TIFF with colours in floating point, which Pillow does not read; None if it is anything else.

    Raises:
      Image.DecompressionBombError: it has more pixels than `max_pixels`.
      NotImplementedError: its layout cannot be read.
    """
    if not read_head(source).startswith(_TIFF_STARTS):
        return None
    content = read_all(source)
    facts = TiffImagePlugin.ImageFileDirectory_v2(content[:8])
    file = io.BytesIO(content)
    file.seek(facts.next)
    facts.load(file)
    if set(facts.get(TiffImagePlugin.SAMPLEFORMAT, ())) != {_FLOAT}:
        return None
    if facts.get(TiffImagePlugin.PLANAR_CONFIGURATION) == PLANES:
        raise NotImplementedError("floating-point numbers in planes")  # OpenCV 5.0 misreads them: findings/
    values = decode_by_opencv(
        content, facts[TiffImagePlugin.IMAGEWIDTH], facts[TiffImagePlugin.IMAGELENGTH], max_pixels
    )
    image = Image.fromarray(from_float(values))
    image.format = "TIFF"
    return image


def decode_by_opencv(content: bytes, width: int, height: int, max_pixels: int) -> np.ndarray:
    """Return the values of a picture file of that size, RGB [H, W, 3].

    Raises:
      Image.DecompressionBombError: it has more pixels than `max_pixels`.
      ValueError: OpenCV cannot decode it.
    """
    if width * height > max_pixels:
        raise Image.DecompressionBombError
    values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR_RGB)
    if values is None:
        raise ValueError("OpenCV cannot decode it")
    return values


def read_all(source: str | os.PathLike | BinaryIO) -> bytes:
    """Return the content of a file, a path or an open one."""
    if isinstance(source, str | os.PathLike):
        return Path(source).read_bytes()
    source.seek(0)
    return source.read()


def is_named_as_picture(name: str | os.PathLike) -> bool:
    """Return whether a file has the suffix of a format that can be read, with a plugin or without."""
    suffix = Path(name).suffix.lower()
    return suffix in _PLUGIN_SUFFIXES or Image.registered_extensions().get(suffix) in Image.OPEN


def color_tags_of(image: Image.Image, source: str | os.PathLike | BinaryIO) -> ColorTags | None:
    """Return the colour tags of an AVIF or HEIF picture; None where there are none, and for other formats."""
    if image.format == "HEIF":
        tags: dict[str, Any] = image.info.get("nclx_profile") or {}
        return ColorTags(tags["transfer_characteristics"], tags["color_primaries"]) if tags else None
    if image.format == "AVIF":
        _, found, tags_and_rest = read_head(source).partition(_AVIF_COLORS)
        primaries, transfer = (int.from_bytes(tags_and_rest[i : i + 2], "big") for i in (0, 2))
        return ColorTags(transfer, primaries) if found else None
    return None
