"""One picture file -> the PNG bytes of one training example. Knows nothing of TensorFlow."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from cartoongan_tf import pictures
from cartoongan_tf.errors import InputError
from data_pipeline.edge_smoothing import smooth_edges

PHOTO_PARTS = ("photo",)
CARTOON_PARTS = ("cartoon", "smoothed")


def prepare_photo(path: str | os.PathLike, image_size: int) -> dict[str, bytes]:
    """Read, resize and crop a photo.

    Args:
      path: a picture file.
      image_size: side of the square crop, in pixels.

    Returns:
      {"photo": PNG of uint8 RGB [image_size, image_size, 3]}.

    Raises:
      InputError: the file is no picture that can be read.
    """
    return {"photo": _encode(resize_and_crop(pictures.read_picture(path), image_size))}


def prepare_cartoon(path: str | os.PathLike, image_size: int) -> dict[str, bytes]:
    """Read, resize and crop a cartoon, and smooth the edges of the crop.

    As `prepare_photo`, but returns {"cartoon": PNG, "smoothed": PNG}.
    """
    cartoon = resize_and_crop(pictures.read_picture(path), image_size)
    return {"cartoon": _encode(cartoon), "smoothed": _encode(smooth_edges(cartoon))}


def attempt(prepare_file: Callable, image_size: int, path: Path) -> dict[str, bytes] | str:
    """What `prepare_file(path, image_size)` returns, or, where the file cannot be used, the reason as text."""
    try:
        return prepare_file(path, image_size)
    except InputError as error:
        return str(error).removeprefix(f"{path}: ")


def resize_and_crop(picture: np.ndarray, image_size: int) -> np.ndarray:
    """Crop the middle square and scale it to `image_size` (section 4.1).

    Args:
      picture: uint8 RGB [H, W, 3].
      image_size: in pixels.

    Returns:
      uint8 RGB [image_size, image_size, 3].
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]  # cropped first: a long strip would grow huge
    method = cv2.INTER_AREA if side > image_size else cv2.INTER_CUBIC
    return cv2.resize(square, (image_size, image_size), interpolation=method)


def _encode(picture: np.ndarray) -> bytes:
    """PNG: lossless, so that a smoothed cartoon differs from its cartoon near edges and nowhere else."""
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
