"""Sheets of pictures to look at. Knows nothing of TensorFlow."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

TILE_PX = 240
MARGIN_PX = 8
_CAPTION_PX = 18
_TITLE_PX = 36


def contact_sheet(
    rows: Sequence[tuple[str, Sequence[np.ndarray]]], tile_px: int = TILE_PX, width_px: int = 2000
) -> np.ndarray:
    """Lay out groups of pictures side by side, each group with a caption below it.

    Args:
      rows: caption and pictures of each group, uint8 RGB [H, W, 3] of any sizes; the same number in each group.
      tile_px: side of the square into which each picture is scaled down.
      width_px: about the width of the sheet; it has as many columns of groups as fit, and at least one.

    Returns:
      uint8 RGB [H, W, 3].
    """
    pictures_in_group = len(rows[0][1])
    group_width = pictures_in_group * tile_px + 2 * MARGIN_PX
    group_height = tile_px + _CAPTION_PX + 2 * MARGIN_PX
    num_columns = min(len(rows), max(1, width_px // group_width))
    num_rows = math.ceil(len(rows) / num_columns)
    sheet = Image.new("RGB", (num_columns * group_width, num_rows * group_height), "white")
    for index, (caption, pictures) in enumerate(rows):
        left = index % num_columns * group_width + MARGIN_PX
        top = index // num_columns * group_height + MARGIN_PX
        _paste_group(sheet, caption, pictures, left, top, tile_px)
    return np.asarray(sheet)


def sections(titled: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """Stack sheets below one another, each with its title above it.

    Args:
      titled: title and sheet of each section, uint8 RGB [H, W, 3]; narrower ones are filled up with white.

    Returns:
      uint8 RGB [H, W, 3].
    """
    width = max(sheet.shape[1] for _, sheet in titled)
    font = ImageFont.load_default(_TITLE_PX // 2)
    parts = []
    for title, sheet in titled:
        head = Image.new("RGB", (width, _TITLE_PX), "white")
        ImageDraw.Draw(head).text((MARGIN_PX, MARGIN_PX), title, "black", font)
        parts.append(np.asarray(head))
        parts.append(np.pad(sheet, ((0, 0), (0, width - sheet.shape[1]), (0, 0)), constant_values=255))
    return np.vstack(parts)


def _paste_group(
    sheet: Image.Image, caption: str, pictures: Sequence[np.ndarray], left: int, top: int, tile_px: int
) -> None:
    for index, picture in enumerate(pictures):
        tile = ImageOps.contain(Image.fromarray(picture), (tile_px - 2, tile_px), Image.Resampling.BOX)
        x = left + index * tile_px + (tile_px - tile.width) // 2
        y = top + (tile_px - tile.height) // 2
        sheet.paste(tile, (x, y))
    font = ImageFont.load_default(_CAPTION_PX - 5)
    text = caption.encode("ascii", "replace").decode()
    while text and font.getlength(text) > len(pictures) * tile_px:
        text = text[1:]
    ImageDraw.Draw(sheet).text((left, top + tile_px + 2), text, "black", font)
