"""Picture files of every kind, through Pillow: upright, 8-bit RGB or RGBA, animated ones frame by frame.

Colour values are taken as they are, and an RGB colour profile goes with them from file to file; CMYK and grey pictures
that have a profile are converted to sRGB by it. HDR (PQ, HLG) becomes SDR. Knows nothing of TensorFlow.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError, NoPictureError, first_line
from cartoongan_tf.media import hdr
from cartoongan_tf.media.color_profiles import kept_profile
from cartoongan_tf.media.gif_palette import with_one_palette
from cartoongan_tf.media.misread_pictures import frame_right, opened_right
from cartoongan_tf.media.picture_formats import (
    ANIMATED,
    FORMATS,
    WITH_FRAMES,
    WITHOUT_ALPHA,
    WRITABLE_SUFFIXES,
    Picture,
    is_lossless,
    save_options,
    suffix_of,
)
from cartoongan_tf.media.picture_plugins import (
    color_tags_of,
    is_named_as_picture,
    load_plugin,
    open_float_tiff,
)
from cartoongan_tf.media.pillow_pixels import (
    date_and_place_of,
    orientation_of,
    pillow_limit,
    upright_pixels,
)
from cartoongan_tf.media.transparency import over_white, with_alpha

MAX_PIXELS = 200_000_000  # all frames together; the largest phone cameras give 199.8 million
DEFAULT_QUALITY = 95


def read(
    source: str | os.PathLike | BinaryIO,
    max_pixels: int = MAX_PIXELS,
    first_frame_only: bool = False,
    name: str | os.PathLike = "standard input",
    with_metadata: bool = False,
) -> Picture:
    """Read a picture file, EXIF orientation applied.

    Args:
      source: a path, or a file open for binary reading that can seek.
      max_pixels: most pixels of all frames together; more are refused by the header, before they are decoded.
      first_frame_only: whether to ignore further frames.
      name: name of an open file in errors; a path is named itself.
      with_metadata: whether to read the date and the place, too.

    Raises:
      NoPictureError: the file is something else, by its content and by its name.
      InputError: the file is missing, is damaged, has too many pixels, or needs a plugin.
    """
    name = source if isinstance(source, str | os.PathLike) else name
    try:
        with pillow_limit.of(max_pixels), _open(source, name, max_pixels) as image:
            num_frames = 1 if first_frame_only else _num_frames(image)
            _check_size(image, num_frames, name, max_pixels)
            return _decode(image, num_frames, source, with_metadata)
    except (InputError, MemoryError):
        raise
    except FileNotFoundError:
        raise InputError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{name}: a folder, where a picture was expected") from None
    except UnidentifiedImageError:
        kind = InputError if is_named_as_picture(name) else NoPictureError
        raise kind(f"{name}: not a picture that can be read") from None
    except Image.DecompressionBombError:
        raise InputError(f"{name}: {_limit_text(max_pixels)}") from None
    except PermissionError:
        raise InputError(f"{name}: no permission to read it") from None
    except NotImplementedError as error:
        raise InputError(f"{name}: {error}, which cannot be read; convert it to PNG first") from error
    except Exception as error:  # each of Pillow's decoders has its own for damaged files
        raise InputError(f"{name}: damaged picture ({first_line(error)})") from error


def read_picture(source: str | os.PathLike | BinaryIO, max_pixels: int = MAX_PIXELS, **kwargs) -> np.ndarray:
    """Return the first frame of a picture file over white, uint8 RGB [H, W, 3]; otherwise as `read`."""
    return over_white(read(source, max_pixels, first_frame_only=True, **kwargs).frames[0])


def write(path: str | os.PathLike, picture: Picture, quality: int = DEFAULT_QUALITY) -> None:
    """Write a picture file, complete or not at all, in the format that the path's suffix names.

    Args:
      path: file that ends in one of WRITABLE_SUFFIXES.
      picture: the picture; its own suffix does not matter.
      quality: 1 to 100, for JPEG and WebP.

    Raises:
      InputError: the suffix names no format that can be written, or the format cannot hold that picture.
      OSError: the folder cannot be written.
    """
    content = encode(picture, check_writable_suffix(path), quality, name=path)
    with atomic.replacing(path) as temporary:
        temporary.write_bytes(content)


def write_picture(path: str | os.PathLike, picture: np.ndarray) -> None:
    """Write pixels, uint8 RGB or RGBA [H, W, 3 or 4], as a picture file; otherwise as `write`."""
    write(path, Picture([picture]))


def encode(picture: Picture, suffix: str, quality: int = DEFAULT_QUALITY, name: str | os.PathLike = "") -> bytes:
    """Return the content of a picture file.

    Args:
      picture, quality: as in `write`.
      suffix: one of WRITABLE_SUFFIXES.
      name: name of the file, for errors.

    Raises:
      InputError: the format cannot hold that picture.
    """
    format = FORMATS.get(suffix, suffix[1:].upper())
    if len(picture.frames) > 1 and format not in WITH_FRAMES:
        raise InputError(f"{name}: {suffix} holds one frame, not {len(picture.frames)}; write .webp, .png or .gif")
    sizes = {frame.shape[:2] for frame in picture.frames}
    if format != "TIFF" and len(sizes) > 1:
        raise InputError(f"{name}: pages of different sizes, which only .tif can hold")
    any_alpha = any(frame.shape[2] == 4 for frame in picture.frames)
    convert = with_alpha if any_alpha and format not in WITHOUT_ALPHA else over_white
    images = [Image.fromarray(np.ascontiguousarray(convert(frame))) for frame in picture.frames]
    if format == "GIF":
        images = with_one_palette(images)
    content = io.BytesIO()
    try:
        images[0].save(content, format, **save_options(format, quality, picture, images[1:]))
    except (ValueError, OSError) as error:  # from Pillow's encoders: nothing is written to a disk here
        raise InputError(f"{name}: cannot be written as {suffix} ({error}); try .png") from error
    return content.getvalue()


def check_writable_suffix(path: str | os.PathLike) -> str:
    """Return the lower-case suffix of `path`; raise InputError if pictures cannot be written with it."""
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        raise InputError(f"{path}: cannot write that format; end the name in {', '.join(WRITABLE_SUFFIXES)}")
    return suffix


def shrink(frame: np.ndarray, long_side: int) -> np.ndarray:
    """Scale a frame, uint8 RGB or RGBA [H, W, 3 or 4], so that its longer side has at most `long_side` pixels."""
    scale = long_side / max(frame.shape[:2])
    if scale >= 1:
        return frame
    height = max(1, round(frame.shape[0] * scale))
    width = max(1, round(frame.shape[1] * scale))
    if frame.shape[2] == 3:
        return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BOX))  # weighs colours by alpha


def _open(source: str | os.PathLike | BinaryIO, name: str | os.PathLike, max_pixels: int) -> Image.Image:
    image: Image.Image
    try:
        image = Image.open(source)
    except UnidentifiedImageError:
        load_plugin(source, name)
        image = open_float_tiff(source, max_pixels) or Image.open(source)
    if image.format == "EPS":
        raise InputError(f"{name}: EPS, which holds a program and no pixels; convert it to PNG first")
    return opened_right(source, image, max_pixels)


def _check_size(image: Image.Image, num_frames: int, name: str | os.PathLike, max_pixels: int) -> None:
    num_pixels = image.width * image.height * num_frames
    if image.format == "TIFF":  # its pages have sizes of their own
        num_pixels = sum(page.width * page.height for page in _frames(image, num_frames))
        image.seek(0)
    if num_pixels > max_pixels:
        frames = f", {num_frames} frames" if num_frames > 1 else ""
        raise InputError(f"{name}: {image.width} x {image.height} pixels{frames}, {_limit_text(max_pixels)}")


def _limit_text(max_pixels: int) -> str:
    return f"more than the limit of {max_pixels:,} pixels; if it is what it seems to be, raise --max_pixels"


def _num_frames(image: Any) -> int:
    return image.n_frames if image.format in WITH_FRAMES and getattr(image, "is_animated", False) else 1


def _frames(image: Image.Image, num_frames: int) -> Iterator[Image.Image]:
    for index in range(num_frames):
        if num_frames > 1:
            image.seek(index)
        yield image


def _decode(image: Image.Image, num_frames: int, source: str | os.PathLike | BinaryIO, with_metadata: bool) -> Picture:
    is_animation = num_frames > 1 and image.format in ANIMATED
    orientation = orientation_of(image)
    tags = color_tags_of(image, source)
    profile = image.info.get("icc_profile")
    first = int(is_animation and image.info.get("default_image", False))  # 1 after an APNG's picture for old viewers
    canvas = (0, 0, image.width, image.height)
    frames = []
    durations_ms = []
    for frame in _frames(image, num_frames):
        frame = frame_right(frame, source)
        if is_animation and frame.size != canvas[2:]:  # it reaches beyond the canvas
            frame = frame.crop(canvas)
        pixels = upright_pixels(frame, profile, orientation)
        if tags and hdr.is_hdr(tags.transfer):
            pixels = hdr.picture_to_sdr(pixels, *tags)
        frames.append(pixels)
        durations_ms.append(int(frame.info.get("duration", 0)))
    return Picture(
        frames[first:],
        suffix=suffix_of(image),
        is_lossless=is_lossless(image, source),
        icc_profile=kept_profile(profile),
        date_and_place=date_and_place_of(image) if with_metadata else b"",
        remark="its EXIF data are damaged, so its orientation is unknown" if orientation is None else "",
        durations_ms=durations_ms[first:] if is_animation else [],
        loop=image.info.get("loop"),
    )
