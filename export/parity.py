"""How far an exported model is from the Keras generator that it came from, and the photos that this is measured on."""

import dataclasses
import os
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import image_measures, picture_set
from cartoongan_tf.models import pixels
from export.config import COMPARED_LONG_SIDE_PX

MAX_PHOTOS = 8
OWN_PHOTOS = Path(__file__).with_name("photos")


@dataclasses.dataclass(frozen=True)
class Parity:
    """How alike two ways draw the same photos.

    Attributes:
      psnr_db, ssim: of the photo where they differ most; infinite, and 1, where they are equal.
      median_psnr_db, median_ssim: over the photos.
      num_photos: that were drawn.
    """

    psnr_db: float
    ssim: float
    median_psnr_db: float
    median_ssim: float
    num_photos: int


def read_photos(
    folder: str | os.PathLike = OWN_PHOTOS, max_photos: int = MAX_PHOTOS, long_side: int = COMPARED_LONG_SIDE_PX
) -> list[np.ndarray]:
    """Photos from a folder, spread over it and shrunk: uint8 RGB [H, W, 3] each. What is no picture is passed over.

    Raises:
      InputError: there is no such folder, or no picture of 8 px or more in it.
    """
    photos = picture_set.find_pictures(folder, long_side, pixels.MINIMUM_SIZE_PX, max_photos).pixels
    if not photos:
        raise InputError(f"{folder}: no picture in it of {pixels.MINIMUM_SIZE_PX} px or more")
    return photos


def fitting(photo: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
    """What a generator takes of a photo: uint8 RGB [H, W, 3] -> float32 [1, H', W', 3] in [-1, 1].

    Args:
      photo: at least 8 px high and wide.
      size: of the result, in pixels; the photo is scaled to fill it, and its middle taken. None: the photo's own size,
        cut to multiples of 4.
    """
    if size:
        scale = max(size[0] / photo.shape[0], size[1] / photo.shape[1])
        scaled = [max(round(side * scale), wanted) for side, wanted in zip(photo.shape[:2], size, strict=True)]
        photo = np.asarray(tf.cast(tf.round(tf.image.resize(photo, scaled, "area")), tf.uint8))
    height, width = size or (side - side % pixels.SIZE_MULTIPLE for side in photo.shape[:2])
    top, left = (photo.shape[0] - height) // 2, (photo.shape[1] - width) // 2
    return np.asarray(pixels.to_float(photo[np.newaxis, top : top + height, left : left + width]))


def on_cpu():
    """Compute the reference on the CPU, in full float32: GPUs round products to TF32."""
    return tf.device("CPU:0")


def compare(cartoons: Sequence[np.ndarray], references: Sequence[np.ndarray]) -> Parity:
    """Compare cartoons with their references, float32 RGB [1, H, W, 3] in [-1, 1] each."""
    pairs = list(zip(cartoons, references, strict=True))
    psnrs = [psnr(*pair, peak=2.0) for pair in pairs]
    ssims = [ssim(*pair) for pair in pairs]
    return Parity(min(psnrs), min(ssims), statistics.median(psnrs), statistics.median(ssims), len(pairs))


def psnr(values: np.ndarray, reference: np.ndarray, peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio in dB: infinite where both are equal, -infinite where a value is not finite."""
    error = np.mean(np.square(values.astype(np.float64) - reference.astype(np.float64)))
    if not np.isfinite(error):
        return -np.inf
    return np.inf if error == 0 else float(10 * np.log10(peak**2 / error))


def ssim(values: np.ndarray, reference: np.ndarray) -> float:
    """Structural similarity, 1 where both are equal; mean over channels.

    Args:
      values, reference: float32 [1, H, W, C] in [-1, 1].
    """
    channels = range(values.shape[3])
    pairs = [(values[0, ..., channel], reference[0, ..., channel]) for channel in channels]
    return statistics.fmean(image_measures.structural_similarity(*pair, peak=2.0) for pair in pairs)
