"""The pictures of a folder that are fit to be measured."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.media import folders, pictures

FEWEST_PICTURES = 2  # distances are those of pairs of pictures


class Pictures(NamedTuple):
    """Of a folder.

    Attributes:
      files: in the order of their names.
      pixels: the pictures, uint8 RGB [H, W, 3].
      left_out: what cannot be used, with the reason.
      num_found: all files there.
    """

    files: list[Path]
    pixels: list[np.ndarray]
    left_out: list[str]
    num_found: int


def read_pictures(folder: str | os.PathLike, long_side: int, crop_px: int, max_pictures: int = 200) -> Pictures:
    """The pictures of a folder that can be measured, as `find_pictures`.

    Raises:
      InputError: there are fewer than two that a square of `crop_px` fits into.
    """
    found = find_pictures(folder, long_side, crop_px, max_pictures)
    require_enough(found, f"{folder}: fewer than {FEWEST_PICTURES} pictures of {crop_px} px or more in it")
    return found


def require_enough(found: Pictures, complaint: str) -> None:
    """Raise InputError, with the complaint and why pictures were left out, if there are fewer than two."""
    if len(found.files) < FEWEST_PICTURES:
        raise InputError("".join([complaint, *(f"\n  {reason}" for reason in found.left_out[:5])]))


def find_pictures(folder: str | os.PathLike, long_side: int, crop_px: int, max_pictures: int) -> Pictures:
    """Read the pictures of a folder.

    Args:
      folder: that is searched, with those in it.
      long_side: to shrink them to, in pixels; 0: as they are.
      crop_px: smaller ones are left out.
      max_pictures: of more files, so many are taken, spread over all in the order of their names.

    Raises:
      InputError: there is no such folder, or no file in it.
    """
    return read_files(folders.list_files(folder), long_side, crop_px, max_pictures)


def read_files(files: Sequence[Path], long_side: int, crop_px: int, max_pictures: int) -> Pictures:
    """The same of files, in the order of their names."""
    read, left_out = {}, []
    for path in Bar(folders.evenly_spaced(files, max_pictures), desc="reading pictures", leave=False, delay=2):
        try:
            picture = pictures.shrink(pictures.read_picture(path), long_side or sys.maxsize)
        except InputError as error:
            left_out.append(str(error))
            continue
        if min(picture.shape[:2]) < crop_px:
            left_out.append(f"{path}: {picture.shape[1]} x {picture.shape[0]} px, less than --crop_px={crop_px}")
            continue
        read[path] = picture
        if len(read) == max_pictures:
            break
    return Pictures(sorted(read), [read[path] for path in sorted(read)], left_out, len(files))
