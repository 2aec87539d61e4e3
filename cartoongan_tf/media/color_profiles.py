"""ICC profiles of pictures: which colours are converted to sRGB, and which keep their profile.

Photos of cameras and phones are drawn in the colours that they have, and the cartoon gets their profile. That would
not do for linear light, whose numbers look dark to a network.
"""

import contextlib
import functools
import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

_GREY = 128
_FARTHEST_GREY = 30  # levels from the sRGB grey; a gamma of 1.8 is 18 levels away, linear light 60


def kept_profile(profile: bytes | None) -> bytes | None:
    """Return the profile that a cartoon gets, if any."""
    return profile if _color_space(profile) == "RGB" and not _is_far_from_srgb(profile) else None


def to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an image of any mode of 8 bits as RGB: linear light, CMYK and grey with a profile are sRGB then.

    A damaged profile, or one for another mode, is ignored.
    """
    mode, space = image.mode, _color_space(profile)
    if (mode == "CMYK" and space == "CMYK") or (mode == "L" and space == "GRAY"):
        return _converted(image, profile)
    rgb = image if mode == "RGB" else image.convert("RGB")
    return _converted(rgb, profile) if _is_far_from_srgb(profile) else rgb


def to_rgba(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an image with transparency as RGBA; otherwise as `to_rgb`."""
    rgba = image.convert("RGBA")
    if _is_far_from_srgb(profile):
        alpha = rgba.getchannel("A")
        rgba = _converted(rgba.convert("RGB"), profile)
        rgba.putalpha(alpha)
    return rgba


def srgb_levels(info: dict) -> np.ndarray | None:
    """Return the sRGB level of each level, uint8 [256], of a PNG that states a gamma far from sRGB's; otherwise None.

    Args:
      info: the facts of the Pillow image. A profile, or the statement that it is sRGB, counts more than a gamma.
    """
    if not info.get("gamma") or "srgb" in info or "icc_profile" in info:
        return None
    linear = (np.arange(256) / 255) ** (1 / info["gamma"])
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    levels = (255 * encoded).round().astype(np.uint8)
    return levels if abs(int(levels[_GREY]) - _GREY) > _FARTHEST_GREY else None


def _color_space(profile: bytes | None) -> str:
    """Return the colour space in the header of a profile: RGB, CMYK, GRAY; "" without a profile."""
    return profile[16:20].decode("ascii", "replace").strip() if profile else ""


@functools.lru_cache(maxsize=8)
def _is_far_from_srgb(profile: bytes | None) -> bool:
    """Return whether the greys of an RGB profile are far lighter or darker than those of sRGB with the same number."""
    if _color_space(profile) != "RGB":
        return False
    grey: Any = _converted(Image.new("RGB", (1, 1), (_GREY,) * 3), profile).getpixel((0, 0))
    return abs(grey[1] - _GREY) > _FARTHEST_GREY


def _converted(image: Image.Image, profile: Any) -> Image.Image:
    with contextlib.suppress(ImageCms.PyCMSError):
        srgb: Any = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB")
        assert converted is not None  # only a conversion in place returns None
        return converted
    return image.convert("RGB")
