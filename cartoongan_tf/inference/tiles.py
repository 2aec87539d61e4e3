"""Large pictures in overlapping tiles, for generators whose pixels depend on their neighbourhood alone.

A generator without instance norms draws each pixel from the pixels around it. A tile that is larger by that
neighbourhood on each side has the same cartoon as the whole picture there, so there are no seams. All tiles of a
picture have one size, as an interpreter prepares itself anew for each size.
"""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cartoongan_tf.models.picture_sizes import next_multiple

MAX_SIDE_PX = 1024  # longest side of a tile; measured in docs/large_pictures.md


def draw_in_tiles(
    draw: Callable[[np.ndarray], np.ndarray], photo: np.ndarray, reach: int, on_progress: Callable[[float], None]
) -> np.ndarray:
    """Draw a picture tile by tile.

    Args:
      draw: function from uint8 RGB [1, H, W, 3] to the same, H and W multiples of 4.
      photo: uint8 RGB [H, W, 3], H and W multiples of 4.
      reach: number of pixels on each side on which a pixel of the cartoon depends.
      on_progress: called after each tile with the completed share of the picture, from 0 to 1.

    Returns:
      uint8 RGB [H, W, 3].
    """
    overlap = next_multiple(reach)
    all_rows = _spans(photo.shape[0], overlap)
    all_columns = _spans(photo.shape[1], overlap)
    cartoon = np.empty_like(photo)
    for number, (rows, columns) in enumerate(itertools.product(all_rows, all_columns), 1):
        tile = draw(photo[np.newaxis, rows.tile, columns.tile])[0]
        cartoon[rows.kept, columns.kept] = tile[rows.kept_of_tile, columns.kept_of_tile]
        on_progress(number / (len(all_rows) * len(all_columns)))
    return cartoon


class _Span(NamedTuple):
    """The part of an axis that a tile covers.

    Attributes:
      tile: the pixels that it is drawn from.
      kept: those of them whose cartoon is kept.
    """

    tile: slice
    kept: slice

    @property
    def kept_of_tile(self) -> slice:
        """The pixels kept, counted from the tile's first."""
        return slice(self.kept.start - self.tile.start, self.kept.stop - self.tile.start)


def _spans(length: int, overlap: int) -> list[_Span]:
    """Divide an axis into as few tiles as possible, of one length each, whose neighbours share 2 * overlap pixels."""
    num_tiles = max(1, math.ceil((length - 2 * overlap) / (MAX_SIDE_PX - 2 * overlap)))
    side = next_multiple(math.ceil((length + 2 * overlap * (num_tiles - 1)) / num_tiles))
    spans: list[_Span] = []
    for number in range(num_tiles):
        start = min(number * (side - 2 * overlap), length - side)
        kept_from = spans[-1].kept.stop if spans else 0
        kept_to = start + side - overlap if number < num_tiles - 1 else length
        spans.append(_Span(slice(start, start + side), slice(kept_from, kept_to)))
    return spans
