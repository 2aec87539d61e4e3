"""Pictures that Pillow opens without an error and misreads: how to read them right. findings/ shows most of them.

The places and the layout of pixels are set right in a picture's tiles, the list that Pillow's decoders work from.
"""

import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO

from PIL import Image, ImageOps, PsdImagePlugin, TiffImagePlugin, XbmImagePlugin

from cartoongan_tf.media.picture_plugins import PLANES, decode_by_opencv, read_all, read_head

_ICON = b"\x01"  # as the third byte of icons and cursors numbers what they are
_RLE4 = 2  # as BMP numbers compressions
_YCBCR = 6  # as TIFF numbers colour spaces
_SUBSAMPLING = 530  # the tag
_BANDS = {"Y": "R", "C": "G", "b": "B"}


def opened_right(source: str | os.PathLike | BinaryIO, image: Image.Image, max_pixels: int) -> Image.Image:
    """Return the picture, opened in another way where Pillow cannot read it right.

    OpenCV reads BMPs of 16 colours in run lengths. A cursor is read as an icon, which has its transparency.

    Raises:
      Image.DecompressionBombError: OpenCV would read more pixels than `max_pixels`.
    """
    if image.format == "CUR":
        content = read_all(source)
        return Image.open(io.BytesIO(content[:2] + _ICON + content[3:]), formats=["ICO"])
    if image.format == "BMP" and image.info.get("compression") == _RLE4:
        right = Image.fromarray(decode_by_opencv(read_all(source), image.width, image.height, max_pixels))
        right.format = "BMP"
        return right
    return image


def frame_right(frame: Image.Image, source: str | os.PathLike | BinaryIO) -> Image.Image:
    """Return a frame that was opened and not decoded, with its tiles set right.

    Raises:
      NotImplementedError: its layout cannot be read.
    """
    match frame:
        case PsdImagePlugin.PsdImageFile():
            return _psd_right(frame, read_head(source))
        case XbmImagePlugin.XbmImageFile():
            return ImageOps.invert(frame.convert("L"))  # 1 is the colour of the ink
        case TiffImagePlugin.TiffImageFile() if frame.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION) == PLANES:
            return _planes_right(frame)
    return frame


def _psd_right(frame: Any, head: bytes) -> Image.Image:
    """Channels beyond the colours lengthen the table before the pixels; bitmaps have black for 1."""
    num_channels = int.from_bytes(head[12:14], "big")
    skipped = num_channels - len(frame.tile)
    tiles = []
    for tile in frame.tile:
        offset = tile.offset + 2 * frame.height * skipped * (tile.codec_name == "packbits")
        tiles.append(tile._replace(offset=offset, args="1;I" if frame.mode == "1" else tile.args))
    frame.tile = tiles
    has_transparency = frame.mode == "RGBA" and _num_layers(frame) < 0
    return frame if frame.mode != "RGBA" or has_transparency else frame.convert("RGB")


def _num_layers(frame: Any) -> int:
    """Return the number of layers of a PSD, negative if its fourth channel is transparency and no saved selection."""
    if frame._layers_position is None:
        return 0
    frame.fp.seek(frame._layers_position)
    return int.from_bytes(frame.fp.read(2), "big", signed=True)


def _planes_right(frame: Any) -> Image.Image:
    """Planes without compression are read as if each had 8 bits a pixel and red, green and blue."""
    if any(tile.codec_name != "raw" for tile in frame.tile):
        return frame
    if max(frame.tag_v2[TiffImagePlugin.BITSPERSAMPLE]) == 16:
        if frame.mode not in ("RGB", "RGBA"):
            raise NotImplementedError(f"{frame.mode} in planes of 16 bits")
        order = ";16B" if frame.tag_v2.prefix == b"MM" else ";16L"
        _rename_bands(frame, lambda band: band + order)
    if frame.tag_v2[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] == _YCBCR:
        if frame.tag_v2.get(_SUBSAMPLING, (2, 2)) != (1, 1):
            raise NotImplementedError("subsampled YCbCr in planes")
        frame._mode = "RGB"  # Pillow 13 names the bands otherwise, and decodes none of them
        _rename_bands(frame, lambda band: _BANDS.get(band, band))
        return Image.merge("YCbCr", frame.split())
    return frame


def _rename_bands(frame: Any, rename: Callable[[str], str]) -> None:
    """Let the tiles of a TIFF decode other bands."""
    frame.tile = [tile._replace(args=(rename(tile.args[0]), *tile.args[1:])) for tile in frame.tile]
