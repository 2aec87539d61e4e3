"""Figures like the paper's: a column for each method, a row for each photo, and close-ups below."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from cartoongan_tf.evaluation.rows import Row
from cartoongan_tf.media import folders, image_measures

_GAP_PX = 6
_HEADING_PX = 24
_CLOSE_UP_SHARE = 3  # a close-up shows a third of the short side
_MOST_PHOTOS = 8
_NUM_PLACES = 8  # candidates for a close-up, along each side


def of_rows(photos: Sequence[np.ndarray], rows: Mapping[str, Row], close_ups: bool = False) -> np.ndarray:
    """Draw a figure of photos, at most 8, spread evenly, each with the drawings of all methods.

    Args:
      photos: uint8 RGB [H, W, 3].
      rows: rows with the drawings of all photos, by the methods' names.
      close_ups: whether to put a detail of each picture below it.

    Returns:
      uint8 RGB [H, W, 3].
    """
    shown = folders.evenly_spaced(range(len(photos)), _MOST_PHOTOS)[:_MOST_PHOTOS]
    lines = []
    for number in shown:
        line = [photos[number], *(row.drawings[number] for row in rows.values())]
        lines += with_close_ups(line) if close_ups else [line]
    return figure(["input photo", *rows], lines)


def figure(headings: Sequence[str], rows: Sequence[Sequence[np.ndarray]], tile_px: int = 300) -> np.ndarray:
    """Lay out pictures in columns under their headings.

    Args:
      headings: headings of the columns.
      rows: pictures of each row, uint8 RGB [H, W, 3], as many as headings; scaled to fit into squares.
      tile_px: side of the squares.

    Returns:
      uint8 RGB [H, W, 3].
    """
    step_px = tile_px + _GAP_PX
    heights = [_row_height(row, tile_px) + _GAP_PX for row in rows]
    sheet = Image.new("RGB", (len(headings) * step_px + _GAP_PX, _HEADING_PX + sum(heights) + _GAP_PX), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for column, heading in enumerate(headings):
        draw.text((_GAP_PX + column * step_px, 4), heading, "black", font)
    top = _HEADING_PX
    for row, height in zip(rows, heights, strict=True):
        for column, picture in enumerate(row):
            tile = ImageOps.contain(Image.fromarray(picture), (tile_px, tile_px), Image.Resampling.BICUBIC)
            sheet.paste(tile, (_GAP_PX + column * step_px, top))
        top += height
    return np.asarray(sheet)


def _row_height(row: Sequence[np.ndarray], tile_px: int) -> int:
    return max(round(tile_px * picture.shape[0] / max(picture.shape[:2])) for picture in row)


def with_close_ups(row: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """Return a row of pictures, and below it a row of details: the part of the photo with the most edges.

    Args:
      row: pictures of one size, the photo first, uint8 RGB [H, W, 3].
    """
    photo = row[0]
    height, width = photo.shape[:2]
    side = max(min(height, width) // _CLOSE_UP_SHARE, 8)
    tops = np.linspace(0, height - side, _NUM_PLACES).astype(int)
    lefts = np.linspace(0, width - side, _NUM_PLACES).astype(int)
    corners = [(top, left) for top in tops for left in lefts]
    densities = [image_measures.edge_density(_square(photo, top, left, side)) for top, left in corners]
    top, left = corners[int(np.argmax(densities))]
    return [list(row), [_square(picture, top, left, side) for picture in row]]


def _square(picture: np.ndarray, top: int, left: int, side: int) -> np.ndarray:
    return picture[top : top + side, left : left + side]
