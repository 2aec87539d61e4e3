"""Pictures laid out on one sheet, to look at. Knows nothing of TensorFlow."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

TILE_PX = 240
MARGIN_PX, _CAPTION_PX, _TITLE_PX = 8, 18, 36


def contact_sheet(rows: Sequence[tuple[str, Sequence[np.ndarray]]], tile_px: int = TILE_PX, width_px: int = 2000):
    """Lay out groups of pictures side by side, each group with a caption below it.

    Args:
      rows: a caption and the pictures of each group, uint8 RGB [H, W, 3] of any sizes; as many in each group.
      tile_px: side of the square that each picture is scaled down into.
      width_px: about how wide the sheet may be; it has as many columns of groups as fit, and one at least.

    Returns:
      uint8 RGB [H, W, 3].
    """
    group_px = len(rows[0][1]) * tile_px + 2 * MARGIN_PX
    num_columns = min(len(rows), max(1, width_px // group_px))
    height = tile_px + _CAPTION_PX + 2 * MARGIN_PX
    sheet = Image.new("RGB", (num_columns * group_px, math.ceil(len(rows) / num_columns) * height), "white")
    for index, (caption, pictures) in enumerate(rows):
        top, left = index // num_columns * height, index % num_columns * group_px
        _paste_group(sheet, caption, pictures, (left + MARGIN_PX, top + MARGIN_PX), tile_px)
    return np.asarray(sheet)


def sections(titled: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """Sheets below one another, each with its title above it.

    Args:
      titled: a title and a sheet, uint8 RGB [H, W, 3]; narrower ones are followed by white.

    Returns:
      uint8 RGB [H, W, 3].
    """
    width = max(sheet.shape[1] for _, sheet in titled)
    font, parts = ImageFont.load_default(_TITLE_PX // 2), []
    for title, sheet in titled:
        head = Image.new("RGB", (width, _TITLE_PX), "white")
        ImageDraw.Draw(head).text((MARGIN_PX, MARGIN_PX), title, "black", font)
        parts += [head, np.pad(sheet, ((0, 0), (0, width - sheet.shape[1]), (0, 0)), constant_values=255)]
    return np.vstack(parts)


def _paste_group(
    sheet: Image.Image, caption: str, pictures: Sequence[np.ndarray], place: tuple[int, int], tile_px: int
):
    left, top = place
    for index, picture in enumerate(pictures):
        tile = ImageOps.contain(Image.fromarray(picture), (tile_px - 2, tile_px), Image.Resampling.BOX)
        sheet.paste(tile, (left + index * tile_px + (tile_px - tile.width) // 2, top + (tile_px - tile.height) // 2))
    font = ImageFont.load_default(_CAPTION_PX - 5)
    room = len(pictures) * tile_px
    text = caption.encode("ascii", "replace").decode()
    while text and font.getlength(text) > room:
        text = text[1:]
    ImageDraw.Draw(sheet).text((left, top + tile_px + 2), text, "black", font)
