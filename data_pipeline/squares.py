"""The squares that are cut out of a picture."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np


class Square(NamedTuple):
    """A square in a picture, in the picture's pixels."""

    top: int
    left: int
    side: int


def middle_square(picture: np.ndarray, image_size: int) -> np.ndarray:
    """Cut out the middle square of a picture, as large as its short side (section 4.1), and resize it.

    Args:
      picture: uint8 RGB [H, W, 3].
      image_size: side of the result, in pixels.

    Returns:
      uint8 RGB [image_size, image_size, 3].
    """
    height, width = picture.shape[:2]
    (square,) = lay_out_squares(height, width, image_size, 1)
    return resized_square(picture, square, image_size)


def lay_out_squares(height: int, width: int, image_size: int, max_squares: int) -> list[Square]:
    """Lay out disjoint squares in a picture, evenly spaced, in rows along its long side.

    The rows together span the short side. There are as few rows as give `max_squares` squares, but never so many that
    a square gets smaller than `image_size` pixels. So a small picture has fewer squares, and one that is smaller than
    `image_size` has one row. `max_squares` = 1 gives the middle square (section 4.1).

    Args:
      height, width: size of the picture in pixels.
      image_size: smallest side of a square in pixels.
      max_squares: number of squares wanted, at least 1.

    Returns:
      1 to `max_squares` squares, from top to bottom and left to right.
    """
    short_side = min(height, width)
    long_side = max(height, width)
    num_rows = _num_rows(short_side, long_side, image_size, max_squares)
    side = short_side // num_rows
    num_columns = min(long_side // side, math.ceil(max_squares / num_rows))
    short_starts = _evenly_spaced_starts(short_side, side, num_rows)
    long_starts = _evenly_spaced_starts(long_side, side, num_columns)
    if height <= width:
        squares = [Square(top, left, side) for top in short_starts for left in long_starts]
    else:
        squares = [Square(top, left, side) for top in long_starts for left in short_starts]
    if len(squares) <= max_squares:
        return squares
    return [squares[index * (len(squares) - 1) // (max_squares - 1)] for index in range(max_squares)]


def scale_squares(
    picture: np.ndarray, squares: Sequence[Square], image_size: int
) -> tuple[np.ndarray, dict[Square, Square]]:
    """Resize a whole picture so that its squares have sides of `image_size` pixels.

    Args:
      picture: uint8 RGB [H, W, 3].
      squares: squares in it, all with the same side.
      image_size: side of the squares afterwards, in pixels.

    Returns:
      the picture, uint8 RGB [H', W', 3], and the place of each square in it.
    """
    side = squares[0].side
    height, width = (max(round(length * image_size / side), image_size) for length in picture.shape[:2])
    scaled = _resize(picture, height, width, shrinks=side > image_size)
    places = {}
    for square in squares:
        top = min(round(square.top * image_size / side), height - image_size)
        left = min(round(square.left * image_size / side), width - image_size)
        places[square] = Square(top, left, image_size)
    return scaled, places


def _num_rows(short_side: int, long_side: int, image_size: int, max_squares: int) -> int:
    """Return the fewest rows that have room for `max_squares` squares, or the most with squares of `image_size`."""
    most_rows = max(1, short_side // image_size)
    for num_rows in range(1, most_rows):
        side = short_side // num_rows
        if num_rows * (long_side // side) >= max_squares:
            return num_rows
    return most_rows


def _evenly_spaced_starts(length: int, side: int, count: int) -> list[int]:
    """Divide a length into `count` equal shares, and return where a piece of `side` in the middle of each begins."""
    return [((2 * index + 1) * length // count - side) // 2 for index in range(count)]


def resized_square(picture: np.ndarray, square: Square, image_size: int) -> np.ndarray:
    """Cut a square out of a picture, uint8 RGB [H, W, 3], and resize it to [image_size, image_size, 3]."""
    return _resize(cut_out(picture, square), image_size, image_size, shrinks=square.side > image_size)


def cut_out(picture: np.ndarray, square: Square) -> np.ndarray:
    """Cut a square out of a picture, uint8 RGB [H, W, 3] -> [side, side, 3]."""
    return picture[square.top : square.top + square.side, square.left : square.left + square.side]


def _resize(picture: np.ndarray, height: int, width: int, shrinks: bool) -> np.ndarray:
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
