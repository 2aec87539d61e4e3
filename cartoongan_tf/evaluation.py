"""Ways to draw, measured by one yardstick: the same photos, the same crops of them, the same cartoons."""

import dataclasses
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from tqdm import tqdm

from cartoongan_tf import folders, metrics, pictures, pixels, vgg19
from cartoongan_tf.errors import InputError
from cartoongan_tf.metrics import Estimate, Resampling, Sample

Draw = Callable[[np.ndarray], np.ndarray]  # uint8 RGB [H, W, 3] -> the same
_BATCH = 16
_FEWEST_PICTURES = 2  # distances are those of pairs of pictures
_CROPS_PER_FEATURE = 3


@dataclasses.dataclass(frozen=True)
class Measure:
    """A column of the table.

    Attributes:
      name: in JSON.
      heading, digits: in the table.
      better: "less", "more", or "near": near the cartoons' own value.
      factor: of the value in the table.
    """

    name: str
    heading: str
    better: str
    digits: int
    factor: float = 1.0


MEASURES = (
    Measure("kid_to_cartoons", "KID to cartoons x1000", "less", 0, 1000),
    Measure("kid_change", "against the photos' %", "less", 0, 100),
    Measure("fd_to_cartoons", "FD to cartoons", "less", 1),
    Measure("inception_fid_to_cartoons", "Inception FID to cartoons", "less", 1),
    Measure("color_to_cartoons", "colours to cartoons", "less", 0),
    Measure("kid_to_photos", "KID to photos x1000", "", 0, 1000),
    Measure("fd_to_photos", "FD to photos", "", 1),
    Measure("content_distance", "content distance", "less", 0),
    Measure("luminance_similarity", "SSIM of luminance", "more", 2),
    Measure("color_shift", "colour shift", "less", 1),
    Measure("edge_density", "edges %", "near", 1, 100),
    Measure("edge_sharpness", "sharpness of edges", "near", 3),
    Measure("flatness", "flat %", "near", 0, 100),
)


class Pictures(NamedTuple):
    """What a folder holds: files, as many pictures (uint8 RGB [H, W, 3]), and what was left out, with the reason."""

    files: list[Path]
    pixels: list[np.ndarray]
    left_out: list[str]


class Crops(NamedTuple):
    """Squares cut from pictures: uint8 RGB [N, S, S, 3], and of which picture each is, int [N]."""

    pixels: np.ndarray
    pictures: np.ndarray


@dataclasses.dataclass(frozen=True)
class Row:
    """What was measured of a way to draw.

    Attributes:
      name: of the way.
      step: of the run, if it is one of its checkpoints.
      estimates: by the measures' names.
      secs_per_megapixel: the median of the photos; None for the cartoons and the photos themselves.
      drawings: of the photos, uint8 RGB [H, W, 3] each; none of the cartoons.
    """

    name: str
    step: int | None
    estimates: dict[str, Estimate]
    secs_per_megapixel: float | None
    drawings: list[np.ndarray]


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to measure; see the flags of `evaluate`."""

    vgg19_weights: str = "imagenet"
    inception_weights: str = ""
    num_crops: int = 1000
    crop_px: int = 96
    num_resamplings: int = 200
    seed: int = 0


def read_pictures(folder: str | os.PathLike, long_side: int, crop_px: int) -> Pictures:
    """All pictures of a folder, shrunk to this longer side; 0: as they are.

    Raises:
      InputError: there are fewer than two that a square of `crop_px` fits into.
    """
    found = Pictures([], [], [])
    for path in tqdm(folders.list_files(folder), desc=f"reading {folder}", unit="picture", leave=False, delay=2):
        try:
            picture = pictures.shrink(pictures.read_picture(path), long_side or sys.maxsize)
        except InputError as error:
            found.left_out.append(str(error))
            continue
        if min(picture.shape[:2]) < crop_px:
            found.left_out.append(f"{path}: {picture.shape[1]} x {picture.shape[0]} px, less than --crop_px={crop_px}")
            continue
        found.files.append(path)
        found.pixels.append(picture)
    if len(found.files) < _FEWEST_PICTURES:
        reasons = "".join(f"\n  {reason}" for reason in found.left_out[:5])
        raise InputError(f"{folder}: fewer than {_FEWEST_PICTURES} pictures of {crop_px} px or more in it{reasons}")
    return found


def choose_boxes(sizes: Sequence[tuple[int, int]], num_crops: int, crop_px: int, seed: int) -> list[np.ndarray]:
    """Where to cut: for each picture, of height and width in `sizes`, the upper left corners, int [n, 2].

    All pictures give as many, at random places without repetition; small ones fewer, if they have no more.
    """
    wanted = -(-num_crops // len(sizes))
    boxes = []
    for number, (height, width) in enumerate(sizes):
        shape = (height - crop_px + 1, width - crop_px + 1)
        places = np.random.default_rng((seed, number)).permutation(shape[0] * shape[1])[:wanted]
        boxes.append(np.stack(np.unravel_index(places, shape), 1))
    return boxes


def cut(images: Sequence[np.ndarray], boxes: Sequence[np.ndarray], crop_px: int) -> Crops:
    """The crops of pictures, uint8 RGB [H, W, 3] each, at the places of `choose_boxes`."""
    crops = [
        image[top : top + crop_px, left : left + crop_px]
        for image, places in zip(images, boxes, strict=True)
        for top, left in places
    ]
    return Crops(np.stack(crops), np.repeat(np.arange(len(boxes)), [len(places) for places in boxes]))


def num_disjoint(images: Sequence[np.ndarray], crop_px: int) -> int:
    """How many crops there are that share no pixel: what the pictures give without repetition."""
    return sum((image.shape[0] // crop_px) * (image.shape[1] // crop_px) for image in images)


def style_layer(num_crops: int) -> str:
    """The deepest layer of VGG19 with at most a third as many features as crops, so that covariances are known."""
    fitting = [name for name, size in vgg19.STYLE_LAYERS.items() if size * _CROPS_PER_FEATURE <= num_crops]
    return (fitting or list(vgg19.STYLE_LAYERS)[-1:])[0]


class Evaluator:
    """Measures ways to draw the same photos, against the same cartoons."""

    def __init__(self, photos: Sequence[np.ndarray], cartoons: Sequence[np.ndarray], settings: Settings):
        """Take the measures of the photos and of the cartoons.

        Args:
          photos, cartoons: uint8 RGB [H, W, 3] each.
          settings: how to measure.

        Raises:
          InputError: the weights of VGG19 or Inception cannot be used.
        """
        self._photos, self._settings = photos, settings
        self._boxes = self._choose_boxes(photos)
        self._photo_crops = self._cut(photos)
        self.cartoon_crops = cut(cartoons, self._choose_boxes(cartoons), settings.crop_px)
        self.num_crops = len(self._photo_crops.pixels), len(self.cartoon_crops.pixels)
        self.layer = style_layer(min(self.num_crops))
        self._features = vgg19.build_style_features(settings.vgg19_weights, self.layer, settings.seed)
        self._inception = build_inception(settings.inception_weights) if settings.inception_weights else None
        self._weights = [
            Resampling(len(images), settings.num_resamplings, settings.seed).weights for images in (photos, cartoons)
        ]
        photo_style, self._photo_content = self._measure_features(self._photo_crops, "photos")
        cartoon_style, _ = self._measure_features(self.cartoon_crops, "cartoons")
        self._scale = metrics.scaler([photo_style, cartoon_style])
        self._photo_style, self._cartoon_style = map(self._scale, (photo_style, cartoon_style))
        self._photo_kid = metrics.kernel_distance(self._photo_style, self._cartoon_style, *self._weights)
        self._cartoon_colors = _color_sample(self.cartoon_crops)
        self._cartoon_inception = self._inception_sample(self.cartoon_crops)

    def cartoons_row(self, name: str = "the cartoons themselves") -> Row:
        """What cartoons are: their own edges and regions, and the distance of one half of them to the other."""
        crops, weights = self.cartoon_crops, self._weights[1]
        halves = [_part(self._cartoon_style, self._cartoon_style.pictures % 2 == side) for side in (0, 1)]
        estimates = self._own_measures(crops, weights)
        if min(half.num_pictures for half in halves) >= _FEWEST_PICTURES:
            half_weights = [weights[:, side::2] for side in (0, 1)]
            estimates["kid_to_cartoons"] = metrics.estimate(metrics.kernel_distance(*halves, *half_weights))
        return Row(name, None, estimates, None, [])

    def photos_row(self, name: str = "the photos untouched") -> Row:
        """What drawing nothing gives."""
        return Row(name, None, self._all_measures(self._photo_crops, self._photo_style, self._photo_content), None, [])

    def row(self, name: str, draw: Draw, step: int | None = None) -> Row:
        """Draw the photos, and measure the drawings.

        Args:
          name, step: of the row.
          draw: the way; called once more at first, to warm up.

        Raises:
          InputError: from `draw`.
        """
        drawings, secs = _timed(draw, self._photos, name)
        crops = self._cut(drawings)
        style, content = self._measure_features(crops, name)
        return Row(name, step, self._all_measures(crops, self._scale(style), content), secs, drawings)

    def _choose_boxes(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        sizes = [image.shape[:2] for image in images]
        return choose_boxes(sizes, self._settings.num_crops, self._settings.crop_px, self._settings.seed)

    def _cut(self, images: Sequence[np.ndarray]) -> Crops:
        return cut(images, self._boxes, self._settings.crop_px)

    def _measure_features(self, crops: Crops, name: str) -> tuple[Sample, np.ndarray]:
        """Style, not scaled yet, and content."""
        style, content = [], []
        for start in tqdm(range(0, len(crops.pixels), _BATCH), desc=f"measuring {name}", leave=False, delay=2):
            batch = self._features(pixels.to_float(crops.pixels[start : start + _BATCH]))
            for values, found in zip(batch, (style, content), strict=True):
                found.append(keras.ops.convert_to_numpy(values))
        return Sample(np.concatenate(style).astype(np.float64), crops.pictures), np.concatenate(content)

    def _all_measures(self, crops: Crops, style: Sample, content: np.ndarray) -> dict[str, Estimate]:
        """Of drawings, or of the photos themselves."""
        weights, photos = self._weights[0], self._photo_crops.pixels
        pairs = list(zip(crops.pixels, photos, strict=True))
        of_crops = {
            "content_distance": metrics.content_distance(content, self._photo_content),
            "luminance_similarity": [metrics.luminance_similarity(*pair) for pair in pairs],
            "color_shift": [metrics.color_shift(*pair) for pair in pairs],
        }
        kid = metrics.kernel_distance(style, self._cartoon_style, *self._weights)
        of_sets = {
            "kid_to_cartoons": kid,
            "fd_to_cartoons": metrics.frechet_distance(style, self._cartoon_style, *self._weights),
            "color_to_cartoons": metrics.frechet_distance(_color_sample(crops), self._cartoon_colors, *self._weights),
        }
        if crops is not self._photo_crops:
            of_sets["kid_change"] = kid / self._photo_kid - 1
            of_sets["kid_to_photos"] = metrics.kernel_distance(style, self._photo_style, weights, weights)
            of_sets["fd_to_photos"] = metrics.frechet_distance(style, self._photo_style, weights, weights)
        if self._inception is not None:
            samples = self._inception_sample(crops), self._cartoon_inception
            once = [weights[:1] for weights in self._weights]  # 2,048 features: too slow to resample
            of_sets["inception_fid_to_cartoons"] = metrics.frechet_distance(*samples, *once)
        estimates = {name: metrics.estimate(values) for name, values in of_sets.items()}
        estimates |= _estimates_of_crops(of_crops, crops.pictures, weights)
        return estimates | self._own_measures(crops, weights)

    def _own_measures(self, crops: Crops, weights: np.ndarray) -> dict[str, Estimate]:
        """What a crop has of itself."""
        of_crops = {
            measure.__name__: [measure(crop) for crop in crops.pixels]
            for measure in (metrics.edge_density, metrics.edge_sharpness, metrics.flatness)
        }
        return _estimates_of_crops(of_crops, crops.pictures, weights)

    def _inception_sample(self, crops: Crops) -> Sample | None:
        if self._inception is None:
            return None
        batches = range(0, len(crops.pixels), _BATCH)
        features = [self._inception(crops.pixels[start : start + _BATCH]) for start in tqdm(batches, leave=False)]
        return Sample(np.concatenate([keras.ops.convert_to_numpy(batch) for batch in features]), crops.pictures)


def build_inception(weights: str) -> keras.Model:
    """Inception v3 as keras.applications has it, whose features FID is taken of.

    Args:
      weights: a file of keras.applications, without top.

    Returns:
      uint8 RGB [N, S, S, 3] -> float32 [N, 2048].

    Raises:
      InputError: the file cannot be used.
    """
    try:
        inception = keras.applications.InceptionV3(include_top=False, pooling="avg", weights=weights)
    except Exception as error:  # Keras raises many kinds, by what is wrong with the file
        raise InputError(
            f"--inception_weights={weights}: not Inception v3's weights without top in Keras's format ({error}); give "
            "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5 of keras.applications, or leave the flag out"
        ) from error
    crop = keras.Input((None, None, 3), name="crop")
    scaled = keras.layers.Resizing(299, 299)(pixels.to_float(crop))
    return keras.Model(crop, inception(scaled), name="inception")


def _estimates_of_crops(values: dict[str, Any], owners: np.ndarray, weights: np.ndarray) -> dict[str, Estimate]:
    means = {name: metrics.mean_over_crops(np.asarray(found), owners, weights) for name, found in values.items()}
    return {name: metrics.estimate(mean) for name, mean in means.items()}


def _color_sample(crops: Crops) -> Sample:
    return Sample(np.stack([metrics.color_features(crop) for crop in crops.pixels]), crops.pictures)


def _part(sample: Sample, chosen: np.ndarray) -> Sample:
    return Sample(sample.features[chosen], sample.pictures[chosen] // 2)


def _timed(draw: Draw, photos: Sequence[np.ndarray], name: str) -> tuple[list[np.ndarray], float]:
    """The drawings, and the median seconds that a megapixel takes."""
    draw(photos[0])
    drawings, secs = [], []
    for photo in tqdm(photos, desc=f"drawing {name}", unit="picture", leave=False, delay=2, file=sys.stderr):
        start = time.perf_counter()
        drawings.append(draw(photo))
        secs.append((time.perf_counter() - start) / (photo.shape[0] * photo.shape[1] / 1e6))
    return drawings, statistics.median(secs)
