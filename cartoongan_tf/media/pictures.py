"""Picture files of every kind, through Pillow: upright, 8-bit RGB or RGBA, animated ones frame by frame.

Colour values are taken as they are, and an RGB colour profile goes with them from file to file; CMYK and grey pictures
that have a profile are converted to sRGB by it. Knows nothing of TensorFlow.
"""

import contextlib
import dataclasses
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError

MAX_PIXELS = 200_000_000  # all frames together; the largest phone cameras give 199.8 million
DEFAULT_QUALITY = 95
WRITABLE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp")
_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF"}  # others have their suffix's name
_WITHOUT_ALPHA = ("JPEG", "BMP")
_ANIMATED = ("GIF", "PNG", "WEBP")
_WITH_FRAMES = (*_ANIMATED, "TIFF")  # a JPEG's further pictures are previews and depth maps


@dataclasses.dataclass
class Picture:
    """What a picture file holds.

    Attributes:
      frames: uint8 RGB or RGBA [H, W, 3 or 4] each, upright; one, or several of an animation or of a TIFF's pages,
        which may differ in size. Where a frame is wholly transparent, its colour is white.
      suffix: of the file's format, lower case: ".png", whatever the file is called.
      icc_profile: of its RGB values, if it has one.
      durations_ms: of an animation's frames; empty for anything else.
      loop: how often an animation runs; 0 is for ever, None once.
    """

    frames: list[np.ndarray]
    suffix: str = ".png"
    icc_profile: bytes | None = None
    durations_ms: list[int] = dataclasses.field(default_factory=list)
    loop: int | None = None


def read(
    source: str | os.PathLike | BinaryIO,
    max_pixels: int = MAX_PIXELS,
    first_frame_only: bool = False,
    name: str | os.PathLike = "standard input",
) -> Picture:
    """Read a picture file, EXIF orientation applied.

    Args:
      source: a path, or a file open for binary reading that can seek.
      max_pixels: of all frames together; more are refused from the header, before they are decoded.
      first_frame_only: leave the others out, if there are more.
      name: what errors call an open file; a path has its own.

    Raises:
      InputError: the file is missing, is no picture, is damaged, or has too many pixels.
    """
    name = source if isinstance(source, str | os.PathLike) else name
    try:
        with _pillow_limit.lifted(), Image.open(source) as image:
            num_frames = 1 if first_frame_only else _num_frames(image)
            _check_size(image, num_frames, name, max_pixels)
            return _decode(image, num_frames)
    except (InputError, MemoryError):
        raise
    except FileNotFoundError:
        raise InputError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{name}: a folder, where a picture was expected") from None
    except UnidentifiedImageError:
        raise InputError(f"{name}: not a picture that can be read") from None
    except PermissionError:
        raise InputError(f"{name}: no permission to read it") from None
    except Exception as error:  # each of Pillow's decoders has its own for damaged files
        raise InputError(f"{name}: damaged picture ({error})") from error


def read_picture(source: str | os.PathLike | BinaryIO, max_pixels: int = MAX_PIXELS, **kwargs) -> np.ndarray:
    """A picture file as pixels alone: its first frame over white, uint8 RGB [H, W, 3]. Otherwise as `read`."""
    return over_white(read(source, max_pixels, first_frame_only=True, **kwargs).frames[0])


def write(path: str | os.PathLike, picture: Picture, quality: int = DEFAULT_QUALITY) -> None:
    """Write a picture file, whole or not at all, in the format that the path's suffix names.

    Args:
      path: ends in one of WRITABLE_SUFFIXES.
      picture: its own suffix does not matter.
      quality: 1 to 100, of JPEG and WebP.

    Raises:
      InputError: the suffix names no format that can be written, or the format cannot hold that picture.
      OSError: the folder cannot be written.
    """
    content = encode(picture, check_writable_suffix(path), quality, name=path)
    with atomic.replacing(path) as temporary:
        temporary.write_bytes(content)


def write_picture(path: str | os.PathLike, picture: np.ndarray) -> None:
    """Write pixels alone, uint8 RGB or RGBA [H, W, 3 or 4]; otherwise as `write`."""
    write(path, Picture([picture]))


def encode(picture: Picture, suffix: str, quality: int = DEFAULT_QUALITY, name: str | os.PathLike = "") -> bytes:
    """The content of a picture file; `suffix` is one of WRITABLE_SUFFIXES, `name` is for errors. Raises as `write`."""
    format = _FORMATS.get(suffix, suffix[1:].upper())
    if len(picture.frames) > 1 and format not in _WITH_FRAMES:
        raise InputError(f"{name}: {suffix} holds one frame, not {len(picture.frames)}; write .webp, .png or .gif")
    if format != "TIFF" and len({frame.shape[:2] for frame in picture.frames}) > 1:
        raise InputError(f"{name}: pages of different sizes, which only .tif can hold")
    with_alpha = format not in _WITHOUT_ALPHA and any(frame.shape[2] == 4 for frame in picture.frames)
    frames = [_with_alpha(frame) if with_alpha else over_white(frame) for frame in picture.frames]
    first, *others = (Image.fromarray(np.ascontiguousarray(frame)) for frame in frames)
    content = io.BytesIO()
    try:
        first.save(content, format, **_save_options(format, quality, picture, others))
    except (ValueError, OSError) as error:  # Pillow's encoders: nothing is written to a disk here
        raise InputError(f"{name}: cannot be written as {suffix} ({error}); try .png") from error
    return content.getvalue()


def check_writable_suffix(path: str | os.PathLike) -> str:
    """The lower-case suffix of `path` if pictures can be written with it; InputError otherwise."""
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        raise InputError(f"{path}: cannot write that format; end the name in {', '.join(WRITABLE_SUFFIXES)}")
    return suffix


def over_white(frame: np.ndarray) -> np.ndarray:
    """uint8 RGB or RGBA [H, W, 3 or 4] -> RGB, laid over white."""
    if frame.shape[2] == 3:
        return frame
    image = Image.fromarray(np.ascontiguousarray(frame))
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))


def _with_alpha(frame: np.ndarray) -> np.ndarray:
    return frame if frame.shape[2] == 4 else np.dstack([frame, np.full_like(frame[..., 0], 255)])


def shrink(frame: np.ndarray, long_side: int) -> np.ndarray:
    """Scale a picture, uint8 RGB or RGBA [H, W, 3 or 4], so that its longer side has at most `long_side` pixels."""
    scale = long_side / max(frame.shape[:2])
    if scale >= 1:
        return frame
    height, width = (max(1, round(side * scale)) for side in frame.shape[:2])
    if frame.shape[2] == 3:
        return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BOX))  # weighs colours by alpha


class _PillowLimit:
    """Pillow's own limit of pixels, one for the whole process: lifted while anyone here reads a picture."""

    def __init__(self):
        self._lock, self._num_readers, self._limit = threading.Lock(), 0, None

    @contextlib.contextmanager
    def lifted(self) -> Iterator[None]:
        with self._lock:
            if not self._num_readers:
                self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self._num_readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._num_readers -= 1
                if not self._num_readers:
                    Image.MAX_IMAGE_PIXELS = self._limit


_pillow_limit = _PillowLimit()


def _check_size(image: Image.Image, num_frames: int, name: str | os.PathLike, max_pixels: int) -> None:
    num_pixels = image.width * image.height * num_frames
    if image.format == "TIFF":  # whose pages have sizes of their own
        num_pixels = sum(page.width * page.height for page in _frames(image, num_frames))
        image.seek(0)
    if num_pixels > max_pixels:
        frames = f", {num_frames} frames" if num_frames > 1 else ""
        raise InputError(
            f"{name}: {image.width} x {image.height} pixels{frames}, more than the limit of {max_pixels:,}; if it is "
            "what it seems to be, raise --max_pixels"
        )


def _num_frames(image: Image.Image) -> int:
    return image.n_frames if image.format in _WITH_FRAMES and getattr(image, "is_animated", False) else 1


def _frames(image: Image.Image, num_frames: int) -> Iterator[Image.Image]:
    for index in range(num_frames):
        if num_frames > 1:
            image.seek(index)
        yield image


def _decode(image: Image.Image, num_frames: int) -> Picture:
    is_animation = num_frames > 1 and image.format in _ANIMATED
    # Pillow turns TIFFs itself when it decodes them.
    orientation = 1 if image.format == "TIFF" else image.getexif().get(0x0112, 1)
    profile, loop = image.info.get("icc_profile"), image.info.get("loop")
    without_default = is_animation and image.info.get("default_image", False)  # an APNG's, for old viewers
    frames, durations = [], []
    for frame in _frames(image, num_frames):
        frames.append(_pixels(frame, profile, orientation))
        durations.append(int(frame.info.get("duration", 0)))
    suffix = f".{(image.format or 'png').lower()}"
    return Picture(
        frames[int(without_default) :],
        suffix=".jpg" if suffix in (".jpeg", ".mpo") else suffix if suffix in WRITABLE_SUFFIXES else ".png",
        icc_profile=profile if _colour_space(profile) == "RGB" else None,
        durations_ms=durations[int(without_default) :] if is_animation else [],
        loop=loop,
    )


def _pixels(frame: Image.Image, profile: bytes | None, orientation: int) -> np.ndarray:
    """One frame as uint8 RGB or RGBA."""
    frame = _eight_bit(frame)
    if frame.has_transparency_data:
        pixels = np.array(frame.convert("RGBA"))
        pixels[pixels[..., 3] == 0] = (255, 255, 255, 0)
    else:
        pixels = np.asarray(_to_rgb(frame, profile))
    return _upright(pixels, orientation)


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit grey, and grey from 0 to 1 in floating point, as 8-bit grey: Pillow would clip them."""
    if image.mode == "F":
        return Image.fromarray((np.asarray(image).clip(0, 1) * 255).round().astype(np.uint8))
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    return image


def _to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode in ("CMYK", "L") and _colour_space(profile) in ("CMYK", "GRAY"):
        with contextlib.suppress(ImageCms.PyCMSError):  # a profile that is damaged, or of another mode
            return ImageCms.profileToProfile(
                image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
    return image if image.mode == "RGB" else image.convert("RGB")


def _colour_space(profile: bytes | None) -> str:
    """What the values are that a colour profile is for, as its header says: RGB, CMYK, GRAY; "" without one."""
    return profile[16:20].decode("ascii", "replace").strip() if profile else ""


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn what a camera stored as its EXIF orientation, 1 to 8, says; other values say nothing."""
    if orientation not in range(2, 9):
        return pixels
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _save_options(format: str, quality: int, picture: Picture, others: list[Image.Image]) -> dict:
    options = {"icc_profile": picture.icc_profile} if format not in ("BMP", "GIF") else {}
    if format in ("JPEG", "WEBP"):
        options["quality"] = quality
    if format == "JPEG":
        options["subsampling"] = 0  # cartoons have hard edges in colour
    if format == "TIFF":
        options["compression"] = "tiff_adobe_deflate"
    if others:
        options |= {"save_all": True, "append_images": others}
        if format != "TIFF":
            options["duration"] = picture.durations_ms or [100] * len(picture.frames)
            if picture.loop is not None or format != "GIF":  # a GIF without the entry runs once
                options["loop"] = 1 if picture.loop is None else picture.loop
        if format == "GIF":
            options["disposal"] = 2  # each frame is whole: none shows through another's transparent parts
    return options
