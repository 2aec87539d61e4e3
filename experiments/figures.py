"""Figures like the paper's: a column for each way, a row for each photo, and close-ups below."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from cartoongan_tf.evaluation.evaluator import Row
from cartoongan_tf.media import image_measures

_GAP_PX, _HEADING_PX = 6, 24
_CLOSE_UP_SHARE = 3  # a close-up shows a third of the short side
_MOST_PHOTOS = 8
_PLACES = 8  # looked at along each side


def of_rows(photos: Sequence[np.ndarray], rows: Mapping[str, Row], close_ups: bool = False) -> np.ndarray:
    """The figure of photos (at most 8, spread over all), each with what every way made of it; uint8 RGB [H, W, 3].

    Args:
      photos: uint8 RGB [H, W, 3].
      rows: by the ways' names, with the drawings of all photos.
      close_ups: put a part of each picture below it.
    """
    shown = sorted({round(number) for number in np.linspace(0, len(photos) - 1, _MOST_PHOTOS)})
    lines = [[photos[number], *(row.drawings[number] for row in rows.values())] for number in shown]
    if close_ups:
        lines = [part for line in lines for part in with_close_ups(line)]
    return figure(["input photo", *rows], lines)


def figure(headings: Sequence[str], rows: Sequence[Sequence[np.ndarray]], tile_px: int = 300) -> np.ndarray:
    """Lay out pictures in columns under their headings.

    Args:
      headings: of the columns.
      rows: the pictures of each row, uint8 RGB [H, W, 3], as many as headings; scaled into squares.
      tile_px: side of the squares.

    Returns:
      uint8 RGB [H, W, 3].
    """
    step, heights = tile_px + _GAP_PX, [_row_height(row, tile_px) + _GAP_PX for row in rows]
    sheet = Image.new("RGB", (len(headings) * step + _GAP_PX, _HEADING_PX + sum(heights) + _GAP_PX), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for column, heading in enumerate(headings):
        draw.text((_GAP_PX + column * step, 4), heading, "black", font)
    top = _HEADING_PX
    for row, height in zip(rows, heights, strict=True):
        for column, picture in enumerate(row):
            tile = ImageOps.contain(Image.fromarray(picture), (tile_px, tile_px), Image.Resampling.BICUBIC)
            sheet.paste(tile, (_GAP_PX + column * step, top))
        top += height
    return np.asarray(sheet)


def _row_height(row: Sequence[np.ndarray], tile_px: int) -> int:
    return max(round(tile_px * picture.shape[0] / max(picture.shape[:2])) for picture in row)


def with_close_ups(row: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """A row of pictures of one size, the photo first, and below it the same part of each: the photo's richest in edges.

    Args:
      row: uint8 RGB [H, W, 3].
    """
    photo = row[0]
    side = max(min(photo.shape[:2]) // _CLOSE_UP_SHARE, 8)
    places = [np.linspace(0, length - side, _PLACES).astype(int) for length in photo.shape[:2]]
    corners = [(top, left) for top in places[0] for left in places[1]]
    top, left = max(corners, key=lambda corner: image_measures.edge_density(_square(photo, *corner, side)))
    return [list(row), [_square(picture, top, left, side) for picture in row]]


def _square(picture: np.ndarray, top: int, left: int, side: int) -> np.ndarray:
    return picture[top : top + side, left : left + side]
