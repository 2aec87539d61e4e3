"""Frames of Pillow images as upright pixels, 8-bit RGB or RGBA."""

import contextlib
import struct
import threading
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image

from cartoongan_tf.media.color_profiles import srgb_levels, to_rgb, to_rgba
from cartoongan_tf.media.transparency import whiten

_BRIGHT_PERCENTILE = 95
_BRIGHTEST_HIGHLIGHTS = 4  # times white
_UPRIGHT_ORIENTATION = 1  # of EXIF
_DAMAGED_EXIF = (SyntaxError, ValueError, TypeError, KeyError, struct.error)
_EXIF_IFD = 0x8769
_GPS_IFD = 0x8825
_DATES = {0x0132: None, 0x9003: _EXIF_IFD, 0x9004: _EXIF_IFD, 0x9010: _EXIF_IFD, 0x9011: _EXIF_IFD}


# Pillow warns from half of its limit on.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class _PillowLimit:
    """Pillow's own limit of pixels, one for the whole process: while threads read pictures, the largest of theirs.

    Pillow asks before it decodes anything: later frames, pictures within a picture, parts beyond the canvas.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._limits: list[int] = []
        self._before: int | None = None

    @contextlib.contextmanager
    def of(self, max_pixels: int) -> Iterator[None]:
        with self._lock:
            if not self._limits:
                self._before = Image.MAX_IMAGE_PIXELS
            self._limits.append(max_pixels)
            self._apply()
        try:
            yield
        finally:
            with self._lock:
                self._limits.remove(max_pixels)
                self._apply()

    def _apply(self) -> None:
        """Set Pillow's limit; it refuses pictures of more than twice as many pixels."""
        Image.MAX_IMAGE_PIXELS = (max(self._limits) + 1) // 2 if self._limits else self._before


pillow_limit = _PillowLimit()


def orientation_of(image: Image.Image) -> int | None:
    """Return the EXIF orientation, 1 to 8, in which Pillow decodes an image; None if its EXIF data are damaged."""
    if image.format == "TIFF":  # Pillow turns TIFFs itself
        return _UPRIGHT_ORIENTATION
    try:
        exif = image.getexif()
        orientation = exif.get(0x0112, _UPRIGHT_ORIENTATION)
    except _DAMAGED_EXIF:
        return None
    is_damaged = image.info.get("exif") and not exif  # Pillow has met the damage already, and reads nothing
    return None if is_damaged else orientation


def date_and_place_of(image: Image.Image) -> bytes:
    """Return EXIF data with an image's dates and GPS position alone; b"" where it has none."""
    kept = Image.Exif()
    with contextlib.suppress(*_DAMAGED_EXIF):
        exif = image.getexif()
        for tag, folder in _DATES.items():
            source = exif.get_ifd(folder) if folder else exif
            if tag in source:
                (kept.get_ifd(folder) if folder else kept)[tag] = source[tag]
        if place := exif.get_ifd(_GPS_IFD):
            kept.get_ifd(_GPS_IFD).update(place)
    return kept.tobytes() if kept or kept.get_ifd(_EXIF_IFD) or kept.get_ifd(_GPS_IFD) else b""


def upright_pixels(frame: Image.Image, profile: bytes | None, orientation: int | None) -> np.ndarray:
    """Return one frame, uint8 RGB or RGBA [H, W, 3 or 4]; where it is transparent, its colour is white.

    Args:
      frame: a Pillow image of any mode.
      profile: its ICC profile, if it has one.
      orientation: its EXIF orientation, if it is known.
    """
    levels = srgb_levels(frame.info)
    frame = _eight_bit(frame)
    if frame.has_transparency_data:
        pixels = whiten(np.asarray(to_rgba(frame, profile)))
    else:
        pixels = np.asarray(to_rgb(frame, profile))
    if levels is not None:
        pixels = np.dstack([levels[pixels[..., :3]], pixels[..., 3:]])
    return _upright(pixels, orientation)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return 16-bit grey, and grey in floating point, as 8-bit grey; Pillow would clip them."""
    if image.mode == "F":
        return Image.fromarray(from_float(np.asarray(image)))
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    return image


def from_float(values: np.ndarray) -> np.ndarray:
    """Return floating-point values as uint8: they go from 0 to 1, unless many are far above; then to 255, or to 65535.

    A few values above white are highlights, which are clipped.
    """
    values = np.nan_to_num(values, nan=0, posinf=0, neginf=0)
    bright = np.percentile(values, _BRIGHT_PERCENTILE)
    white = next((white for white in (1, 255) if bright <= _BRIGHTEST_HIGHLIGHTS * white), 65535)
    return (values.clip(0, white) * (255 / white)).round().astype(np.uint8)


def _upright(pixels: np.ndarray, orientation: int | None) -> np.ndarray:
    """Turn pixels upright from an EXIF orientation, 1 to 8; other values are ignored."""
    if orientation is None or orientation not in range(2, 9):
        return pixels
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
