"""Read and write picture files as uint8 RGB [H, W, 3], through Pillow. Knows nothing of TensorFlow."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cartoongan_tf import atomic
from cartoongan_tf.errors import InputError

WRITABLE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_SAVE_OPTIONS = {".jpg": {"quality": 95}, ".jpeg": {"quality": 95}, ".webp": {"quality": 95}, ".png": {}}


def read_picture(path: str | os.PathLike) -> np.ndarray:
    """Read a picture upright (EXIF orientation applied), transparency over white. Colour profiles are not applied.

    Returns:
      uint8 RGB [H, W, 3].

    Raises:
      InputError: the file is missing, is no picture, or is damaged.
    """
    try:
        with Image.open(path) as picture:
            return np.asarray(_on_white(_eight_bit(ImageOps.exif_transpose(picture))).convert("RGB"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: a folder, where a picture was expected") from None
    except UnidentifiedImageError:
        raise InputError(f"{path}: not a picture that can be read") from None
    except PermissionError:
        raise InputError(f"{path}: no permission to read it") from None
    except Exception as error:  # each of Pillow's decoders has its own for damaged files
        raise InputError(f"{path}: damaged picture ({error})") from error


def write_picture(path: str | os.PathLike, picture: np.ndarray) -> None:
    """Write a picture, whole or not at all, in the format that the suffix names.

    Args:
      path: ends in .jpg, .jpeg, .png or .webp.
      picture: uint8 RGB [H, W, 3].

    Raises:
      InputError: the suffix names no format that can be written, or the format cannot hold a picture of that size.
      OSError: the folder cannot be written.
    """
    options = _SAVE_OPTIONS[check_writable_suffix(path)]
    try:
        with atomic.replacing(path) as temporary:
            Image.fromarray(picture).save(temporary, **options)
    except ValueError as error:
        raise InputError(f"{path}: cannot be written ({error}); try .png") from error


def check_writable_suffix(path: str | os.PathLike) -> str:
    """The lower-case suffix of `path` if pictures can be written with it; InputError otherwise."""
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        raise InputError(f"{path}: cannot write that format; end the name in {', '.join(WRITABLE_SUFFIXES)}")
    return suffix


def list_files(folder: str | os.PathLike) -> list[Path]:
    """Every file below a folder that may be a picture, in a fixed order.

    Links are followed, each folder once; hidden files and folders are left out.

    Raises:
      InputError: the folder is missing, is a file, or has no file in it.
      OSError: a folder cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a folder' if folder.exists() else 'no such folder'}")
    files = sorted(_walk(folder))
    if not files:
        raise InputError(f"{folder}: the folder is empty; put pictures in it (folders inside it are searched too)")
    return files


def _walk(folder: Path) -> Iterator[Path]:
    seen = set()
    for place, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else [name for name in folders if not name.startswith(".")]
        if real not in seen:
            yield from (Path(place, name) for name in names if not name.startswith("."))
        seen.add(real)


def _raise(error: OSError) -> None:
    raise error


def _eight_bit(picture: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey: Pillow would clip it to white."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
