"""Square crops of the pictures that styles are measured on."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Crops(NamedTuple):
    """Square crops of some pictures.

    Attributes:
      pixels: uint8 RGB [N, S, S, 3].
      pictures: number of the picture that each crop was cut from, int [N].
    """

    pixels: np.ndarray
    pictures: np.ndarray


def choose_boxes(sizes: Sequence[tuple[int, int]], num_crops: int, crop_px: int, seed: int) -> list[np.ndarray]:
    """Choose where to crop pictures.

    All pictures give equally many crops, at least one; large pictures make up for those that are too small. The first
    crops of a picture are cells of a randomly placed grid, in random order. If they are too few, places anywhere
    follow, which overlap.

    Args:
      sizes: height and width of each picture.
      num_crops: number of crops of all pictures together.
      crop_px: side of the crops.
      seed: seed of the places.

    Returns:
      the upper left corners for each picture, int [n, 2].
    """
    num_places = [(height - crop_px + 1) * (width - crop_px + 1) for height, width in sizes]
    smallest_first = sorted(range(len(sizes)), key=num_places.__getitem__)
    counts = {}
    num_missing = num_crops
    for num_done, number in enumerate(smallest_first):
        fair_share = -(-num_missing // (len(sizes) - num_done))
        counts[number] = min(num_places[number], max(1, fair_share))
        num_missing -= counts[number]
    return [_boxes(size, counts[number], crop_px, (seed, number)) for number, size in enumerate(sizes)]


def _boxes(size: tuple[int, int], count: int, crop_px: int, seed: tuple[int, int]) -> np.ndarray:
    """Return `count` different corners: cells of a grid first, then places anywhere."""
    rng = np.random.default_rng(seed)
    starts = [rng.integers(side % crop_px + 1) + crop_px * np.arange(side // crop_px) for side in size]
    cells = np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, 2)
    grid = rng.permutation(cells)[:count]
    num_corners = [side - crop_px + 1 for side in size]
    num_places = num_corners[0] * num_corners[1]
    anywhere = rng.choice(num_places, min(count + len(grid), num_places), replace=False)
    in_grid = np.ravel_multi_index(grid.T, num_corners)
    others = anywhere[~np.isin(anywhere, in_grid)]
    other_corners = np.stack(np.unravel_index(others, num_corners), 1)
    return np.concatenate([grid, other_corners])[:count]


def cut(images: Sequence[np.ndarray], boxes: Sequence[np.ndarray], crop_px: int) -> Crops:
    """Crop pictures, uint8 RGB [H, W, 3] each, at the places of `choose_boxes`."""
    pixels = []
    pictures = []
    for number, (image, corners) in enumerate(zip(images, boxes, strict=True)):
        for top, left in corners:
            pixels.append(image[top : top + crop_px, left : left + crop_px])
            pictures.append(number)
    return Crops(np.stack(pixels), np.array(pictures))


def num_disjoint(images: Sequence[np.ndarray], crop_px: int) -> int:
    """Return how many crops that share no pixel the pictures give."""
    return sum((image.shape[0] // crop_px) * (image.shape[1] // crop_px) for image in images)
