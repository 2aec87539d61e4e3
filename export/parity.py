"""The difference between an exported model and its Keras generator, and the photos to measure it on."""

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
from cartoongan_tf.models.picture_sizes import MINIMUM_SIZE_PX, SIZE_MULTIPLE
from export.config import COMPARED_LONG_SIDE_PX

MAX_PHOTOS = 8
OWN_PHOTOS = Path(__file__).with_name("photos")


@dataclasses.dataclass(frozen=True)
class Parity:
    """The similarity of two implementations' cartoons of the same photos.

    Attributes:
      psnr_db: PSNR in dB of the photo where they differ most; infinite where they are equal.
      ssim: SSIM of the photo where they differ most; 1 where they are equal.
      median_psnr_db: median of the PSNR over the photos.
      median_ssim: median of the SSIM over the photos.
      num_photos: number of photos compared.
    """

    psnr_db: float
    ssim: float
    median_psnr_db: float
    median_ssim: float
    num_photos: int


def read_photos(
    folder: str | os.PathLike = OWN_PHOTOS, max_photos: int = MAX_PHOTOS, long_side: int = COMPARED_LONG_SIDE_PX
) -> list[np.ndarray]:
    """Read photos, evenly spaced over the files of a folder, and shrink them; skip files that are not pictures.

    Args:
      folder: the folder to read.
      max_photos: number of photos to read at most.
      long_side: length in pixels that the longer side is shrunk to.

    Returns:
      uint8 RGB [H, W, 3] each.

    Raises:
      InputError: there is no such folder, or no picture of at least 8 px in it.
    """
    photos = picture_set.find_pictures(folder, long_side, MINIMUM_SIZE_PX, max_photos).pixels
    if not photos:
        raise InputError(f"{folder}: no picture in it of {MINIMUM_SIZE_PX} px or more")
    return photos


def fitting(photo: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
    """Crop a photo, in its middle, to a size that a generator takes.

    Args:
      photo: uint8 RGB [H, W, 3], at least 8 px high and wide.
      size: height and width of the result in pixels; the photo is scaled to fill it. None: the photo's own size, cut
        to multiples of 4.

    Returns:
      float32 RGB [1, H', W', 3] in [-1, 1].
    """
    if size:
        photo = _scaled_to_fill(photo, size)
    height = photo.shape[0] // SIZE_MULTIPLE * SIZE_MULTIPLE
    width = photo.shape[1] // SIZE_MULTIPLE * SIZE_MULTIPLE
    if size:
        height, width = size
    top = (photo.shape[0] - height) // 2
    left = (photo.shape[1] - width) // 2
    return np.asarray(pixels.to_float(photo[np.newaxis, top : top + height, left : left + width]))


def _scaled_to_fill(photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    scale = max(size[0] / photo.shape[0], size[1] / photo.shape[1])
    height = max(round(photo.shape[0] * scale), size[0])
    width = max(round(photo.shape[1] * scale), size[1])
    resized = tf.image.resize(photo, [height, width], "area")
    return np.asarray(tf.cast(tf.round(resized), tf.uint8))


def on_cpu():
    """Return a context that computes on the CPU, in full float32: GPUs round products to TF32."""
    return tf.device("CPU:0")


def compare(cartoons: Sequence[np.ndarray], references: Sequence[np.ndarray]) -> Parity:
    """Compare cartoons with their references, float32 RGB [1, H, W, 3] in [-1, 1] each."""
    pairs = list(zip(cartoons, references, strict=True))
    psnrs = [image_measures.psnr(cartoon, reference, peak=2.0) for cartoon, reference in pairs]
    ssims = [ssim(cartoon, reference) for cartoon, reference in pairs]
    return Parity(
        psnr_db=min(psnrs),
        ssim=min(ssims),
        median_psnr_db=statistics.median(psnrs),
        median_ssim=statistics.median(ssims),
        num_photos=len(pairs),
    )


def ssim(values: np.ndarray, reference: np.ndarray) -> float:
    """Return the structural similarity, averaged over channels; 1 for equal arrays.

    Args:
      values: float32 [1, H, W, C] in [-1, 1].
      reference: float32 [1, H, W, C] in [-1, 1].
    """
    by_channel = [
        image_measures.structural_similarity(values[0, ..., channel], reference[0, ..., channel], peak=2.0)
        for channel in range(values.shape[3])
    ]
    return statistics.fmean(by_channel)
