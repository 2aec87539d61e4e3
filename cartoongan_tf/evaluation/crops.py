"""Squares cut out of the pictures that styles are measured on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Crops(NamedTuple):
    """Squares cut from pictures: uint8 RGB [N, S, S, 3], and of which picture each is, int [N]."""

    pixels: np.ndarray
    pictures: np.ndarray


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
