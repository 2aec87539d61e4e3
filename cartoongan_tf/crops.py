"""Pictures of a folder to measure styles on, and squares cut out of them."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cartoongan_tf import folders, pictures
from cartoongan_tf.errors import InputError
from cartoongan_tf.progress import Bar

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


class Crops(NamedTuple):
    """Squares cut from pictures: uint8 RGB [N, S, S, 3], and of which picture each is, int [N]."""

    pixels: np.ndarray
    pictures: np.ndarray


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
    for path in Bar(folders.spread(files, max_pictures), desc="reading pictures", leave=False, delay=2):
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


def choose_boxes(sizes: Sequence[tuple[int, int]], num_crops: int, crop_px: int, seed: int) -> list[np.ndarray]:
    """Where to cut: for each picture, of height and width in `sizes`, the upper left corners, int [n, 2].

    All pictures give as many, one at least; what small ones lack the others give. First come the cells of a grid at a
    random place, in random order, and then, where they do not suffice, places anywhere, which overlap.
    """
    rooms = [(height - crop_px + 1) * (width - crop_px + 1) for height, width in sizes]
    counts, left = {}, num_crops
    for done, number in enumerate(sorted(range(len(sizes)), key=rooms.__getitem__)):
        counts[number] = min(rooms[number], max(1, -(-left // (len(sizes) - done))))
        left -= counts[number]
    return [_boxes(size, counts[number], crop_px, (seed, number)) for number, size in enumerate(sizes)]


def _boxes(size: tuple[int, int], count: int, crop_px: int, seed: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    starts = [rng.integers(side % crop_px + 1) + crop_px * np.arange(side // crop_px) for side in size]
    grid = rng.permutation(np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, 2))[:count]
    shape = [side - crop_px + 1 for side in size]
    taken = np.ravel_multi_index(grid.T, shape)
    anywhere = rng.choice(shape[0] * shape[1], min(count + len(grid), shape[0] * shape[1]), replace=False)
    more = np.stack(np.unravel_index(anywhere[~np.isin(anywhere, taken)], shape), 1)
    return np.concatenate([grid, more])[:count]


def cut(images: Sequence[np.ndarray], boxes: Sequence[np.ndarray], crop_px: int) -> Crops:
    """The crops of pictures, uint8 RGB [H, W, 3] each, at the places of `choose_boxes`."""
    crops = [
        image[top : top + crop_px, left : left + crop_px]
        for image, places in zip(images, boxes, strict=True)
        for top, left in places
    ]
    return Crops(np.stack(crops), np.repeat(np.arange(len(boxes)), [len(places) for places in boxes]))


def num_disjoint(images: Sequence[np.ndarray], crop_px: int) -> int:
    """How many crops there are that share no pixel: what the pictures give without repetition."""
    return sum((image.shape[0] // crop_px) * (image.shape[1] // crop_px) for image in images)
