"""Measures of crops, resampled: what the rows of a table are made of."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cartoongan_tf.evaluation import distances
from cartoongan_tf.evaluation.crops import Crops
from cartoongan_tf.evaluation.distances import Sample
from cartoongan_tf.media import image_measures
from cartoongan_tf.media.picture_set import FEWEST_PICTURES

Measures = dict[str, np.ndarray]  # by name, float [1 + rounds], see `resampling_weights`


class CropSet(NamedTuple):
    """Crops of one set of pictures, with their features.

    Attributes:
      crops: the crops.
      style: VGG19's style features, scaled.
      colors: colour features.
      inception: Inception's features; None without its weights.
      weights: weights of the pictures in each resampling, float [1 + rounds, pictures]. Photos and drawings of them
        have the same.
    """

    crops: Crops
    style: Sample
    colors: Sample
    inception: Sample | None
    weights: np.ndarray


def of_crops_alone(crop_set: CropSet) -> Measures:
    """Measure the edges and the regions of crops."""
    image_functions = (image_measures.edge_density, image_measures.edge_sharpness, image_measures.flatness)
    measures = {}
    for function in image_functions:
        values = [function(crop) for crop in crop_set.crops.pixels]
        measures[function.__name__] = _crop_mean(crop_set, values)
    return measures


def between_halves(cartoons: CropSet) -> Measures:
    """Measure the distances of the first half of the cartoons to the second; none if there are too few of them.

    A resampling that takes no picture of one half is skipped.
    """
    middle = cartoons.weights.shape[1] // 2
    if middle < FEWEST_PICTURES:
        return {}
    first_weights = cartoons.weights[:, :middle]
    second_weights = cartoons.weights[:, middle:]
    usable = (first_weights.sum(1) > 0) & (second_weights.sum(1) > 0)
    is_first = cartoons.style.pictures < middle
    first = Sample(cartoons.style.features[is_first], cartoons.style.pictures[is_first])
    second = Sample(cartoons.style.features[~is_first], cartoons.style.pictures[~is_first] - middle)
    halves = (first, second, first_weights[usable], second_weights[usable])
    return {
        "kid_to_cartoons": distances.kernel_distance(*halves),
        "fd_to_cartoons": distances.frechet_distance(*halves),
    }


def to_cartoons(drawings: CropSet, cartoons: CropSet) -> Measures:
    """Measure the distances of drawings, or photos, to the cartoons."""
    weights = (drawings.weights, cartoons.weights)
    measures = {
        "kid_to_cartoons": distances.kernel_distance(drawings.style, cartoons.style, *weights),
        "fd_to_cartoons": distances.frechet_distance(drawings.style, cartoons.style, *weights),
        "color_to_cartoons": distances.frechet_distance(drawings.colors, cartoons.colors, *weights),
    }
    if drawings.inception is not None and cartoons.inception is not None:
        once = (drawings.weights[:1], cartoons.weights[:1])  # 2,048 features: too slow to resample
        inception_fid = distances.frechet_distance(drawings.inception, cartoons.inception, *once)
        measures["inception_fid_to_cartoons"] = inception_fid
    return measures


def to_photos(drawings: CropSet, photos: CropSet) -> Measures:
    """Measure the distances of the set of drawings to the set of photos."""
    samples = (drawings.style, photos.style, drawings.weights, photos.weights)
    return {
        "kid_to_photos": distances.kernel_distance(*samples, same_pictures=True),
        "fd_to_photos": distances.frechet_distance(*samples),
    }


def kept_of_photos(drawings: CropSet, photos: CropSet, content: np.ndarray) -> Measures:
    """Measure what drawings keep of their photos, crop by crop.

    Args:
      drawings: crops of drawings, or of the photos themselves.
      photos: crops of the photos, at the same places.
      content: content distances of the crops, float [N].
    """
    pairs = list(zip(drawings.crops.pixels, photos.crops.pixels, strict=True))
    similarities = [image_measures.luminance_similarity(drawing, photo) for drawing, photo in pairs]
    color_shifts = [image_measures.color_shift(drawing, photo) for drawing, photo in pairs]
    return {
        "content_distance": _crop_mean(drawings, content),
        "luminance_similarity": _crop_mean(drawings, similarities),
        "color_shift": _crop_mean(drawings, color_shifts),
    }


def to_teacher(pictures: Sequence[np.ndarray], teacher_drawings: Sequence[np.ndarray], weights: np.ndarray) -> Measures:
    """Measure how near whole drawings are to a teacher's of the same photos; equal ones have no PSNR, and do not count.

    Args:
      pictures: drawings of the photos, or the photos themselves, uint8 RGB [H, W, 3] each.
      teacher_drawings: the teacher's drawings, in the same order and sizes.
      weights: weights of the photos in each resampling, float [1 + rounds, photos].
    """
    pairs = list(zip(pictures, teacher_drawings, strict=True))
    values = {
        "psnr_to_teacher": [image_measures.psnr(picture, drawing) for picture, drawing in pairs],
        "ssim_to_teacher": [image_measures.luminance_similarity(picture, drawing) for picture, drawing in pairs],
    }
    numbers = np.arange(len(pairs))
    return {name: distances.mean_over_crops(np.array(each), numbers, weights) for name, each in values.items()}


def _crop_mean(crop_set: CropSet, values: Sequence[float] | np.ndarray) -> np.ndarray:
    return distances.mean_over_crops(np.asarray(values), crop_set.crops.pictures, crop_set.weights)
