"""The pictures of a folder that can be measured."""

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
_MOST_REASONS = 5  # number of skipped pictures that a message names


class Pictures(NamedTuple):
    """The usable pictures among some files.

    Attributes:
      files: paths in alphabetical order.
      pixels: the picture of each path, uint8 RGB [H, W, 3].
      left_out: a message for each file that cannot be used.
      num_found: number of all files.
    """

    files: list[Path]
    pixels: list[np.ndarray]
    left_out: list[str]
    num_found: int


def read_pictures(folder: str | os.PathLike, long_side: int, crop_px: int, max_pictures: int = 200) -> Pictures:
    """Read the pictures of a folder, as `find_pictures`, and require at least two.

    Raises:
      InputError: there are fewer than two pictures into which a square of `crop_px` fits.
    """
    found = find_pictures(folder, long_side, crop_px, max_pictures)
    require_enough(found, f"{folder}: fewer than {FEWEST_PICTURES} pictures of {crop_px} px or more in it")
    return found


def require_enough(found: Pictures, complaint: str) -> None:
    """Raise InputError, with the complaint and the reasons why pictures were skipped, if there are fewer than two."""
    if len(found.files) < FEWEST_PICTURES:
        raise InputError("\n  ".join([complaint, *found.left_out[:_MOST_REASONS]]))


def find_pictures(folder: str | os.PathLike, long_side: int, crop_px: int, max_pictures: int) -> Pictures:
    """Read the pictures of a folder and of the folders inside it.

    Args:
      folder: folder to search.
      long_side: longer side in pixels to which larger pictures are shrunk; 0 keeps their size.
      crop_px: shorter side in pixels that a picture must have.
      max_pictures: most pictures to read; they are spread evenly over all files in alphabetical order.

    Raises:
      InputError: there is no such folder, or no file in it.
    """
    return read_files(folders.list_files(folder), long_side, crop_px, max_pictures)


def read_files(files: Sequence[Path], long_side: int, crop_px: int, max_pictures: int) -> Pictures:
    """Read pictures like `find_pictures`, for an explicit list of files."""
    read: dict[Path, np.ndarray] = {}
    left_out = []
    for path in Bar(folders.evenly_spaced(files, max_pictures), desc="reading pictures", leave=False, delay=2):
        try:
            picture = pictures.shrink(pictures.read_picture(path), long_side or sys.maxsize)
        except InputError as error:
            left_out.append(str(error))
            continue
        height, width = picture.shape[:2]
        if min(height, width) < crop_px:
            left_out.append(f"{path}: {width} x {height} px, less than --crop_px={crop_px}")
            continue
        read[path] = picture
        if len(read) == max_pictures:
            break
    paths = sorted(read)
    return Pictures(files=paths, pixels=[read[path] for path in paths], left_out=left_out, num_found=len(files))
