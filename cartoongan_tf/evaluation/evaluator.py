"""Ways to draw, measured by one yardstick: the same photos, the same crops of them, the same cartoons."""

import dataclasses
import functools
import statistics
import sys
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import keras
import numpy as np

from cartoongan_tf.base.progress import Bar
from cartoongan_tf.evaluation import distances
from cartoongan_tf.evaluation.crops import Crops, choose_boxes, cut, num_disjoint
from cartoongan_tf.evaluation.distances import Estimate, Sample, resampling_weights
from cartoongan_tf.media import image_measures
from cartoongan_tf.media.picture_set import FEWEST_PICTURES
from cartoongan_tf.models import pixels, vgg19
from cartoongan_tf.models.inception import build_inception

Draw = Callable[[np.ndarray], np.ndarray]  # uint8 RGB [H, W, 3] -> the same
_BATCH = 16
_CROPS_PER_FEATURE = 3


@dataclasses.dataclass(frozen=True)
class Column:
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


NEARNESS = (
    Column("kid_to_cartoons", "KID to cartoons x1000", "less", 0, 1000),
    Column("kid_change", "against the photos' %", "less", 0, 100),
    Column("fd_to_cartoons", "FD to cartoons", "less", 1),
    Column("inception_fid_to_cartoons", "FID on Keras's Inception", "less", 1),
    Column("color_to_cartoons", "colours to cartoons", "less", 0),
    Column("kid_to_photos", "KID to photos x1000", "", 0, 1000),
    Column("fd_to_photos", "FD to photos", "", 1),
)
DRAWING = (
    Column("content_distance", "content distance", "less", 0),
    Column("luminance_similarity", "SSIM of luminance", "more", 2),
    Column("color_shift", "colour shift", "less", 1),
    Column("edge_density", "edges %", "near", 1, 100),
    Column("edge_sharpness", "sharpness of edges", "near", 3),
    Column("flatness", "flat %", "near", 0, 100),
)
MEASURES = NEARNESS + DRAWING


@dataclasses.dataclass(frozen=True)
class Row:
    """What was measured of a way to draw.

    Attributes:
      name: of the way.
      step: of the run, if it is one of its checkpoints.
      resampled: by the measures' names, float [1 + rounds]: on the pictures as they are, then on those of each
        resampling, which are the same pictures in all rows.
      secs_per_megapixel: the median of the photos; None for the cartoons and the photos themselves.
      drawings: those to be shown, by the numbers of the photos, uint8 RGB [H, W, 3].
    """

    name: str
    step: int | None
    resampled: dict[str, np.ndarray]
    secs_per_megapixel: float | None
    drawings: dict[int, np.ndarray]

    @functools.cached_property
    def estimates(self) -> dict[str, Estimate]:
        """By the measures' names."""
        return {name: distances.estimate(values) for name, values in self.resampled.items()}


def difference(row: Row, other: Row, measure: str) -> Estimate:
    """By how much a row's measure is above another row's, resampling by resampling, as both have the same pictures."""
    return distances.estimate(row.resampled[measure] - other.resampled[measure])


@dataclasses.dataclass(frozen=True)
class EvaluatorConfig:
    """How to measure; see the flags of `evaluate`."""

    vgg19_weights: str = "imagenet"
    inception_weights: str = ""
    num_crops: int = 1000
    crop_px: int = 96
    num_resamplings: int = 200
    seed: int = 0


def style_layer(num_crops: int) -> str:
    """The deepest layer of VGG19 with at most a third as many features as crops, so that covariances are known.

    Args:
      num_crops: those that do not overlap; others add little.
    """
    fitting = [name for name, size in vgg19.STYLE_LAYERS.items() if size * _CROPS_PER_FEATURE <= num_crops]
    return (fitting or list(vgg19.STYLE_LAYERS)[-1:])[0]


class Evaluator:
    """Measures ways to draw the same photos, against the same cartoons."""

    def __init__(
        self,
        photos: Sequence[np.ndarray],
        cartoons: Sequence[np.ndarray],
        settings: EvaluatorConfig,
        shown: Collection[int] = (),
    ):
        """Take the measures of the photos and of the cartoons.

        Args:
          photos, cartoons: uint8 RGB [H, W, 3] each.
          settings: how to measure.
          shown: the numbers of the photos whose drawings are to be kept.

        Raises:
          InputError: the weights of VGG19 or Inception cannot be used.
        """
        self._photos, self._settings, self._shown = photos, settings, shown
        self._boxes, cartoon_boxes = (
            choose_boxes([image.shape[:2] for image in images], settings.num_crops, settings.crop_px, settings.seed)
            for images in (photos, cartoons)
        )
        self._photo_crops = self._cut(photos)
        self._cartoon_crops = cut(cartoons, cartoon_boxes, settings.crop_px)
        self.num_crops = len(self._photo_crops.pixels), len(self._cartoon_crops.pixels)
        disjoint = (num_disjoint(images, settings.crop_px) for images in (photos, cartoons))
        self.layer = style_layer(min(*self.num_crops, *disjoint))
        self._features = vgg19.build_style_features(settings.vgg19_weights, self.layer, settings.seed)
        self._inception = build_inception(settings.inception_weights) if settings.inception_weights else None
        self._weights = [
            resampling_weights(len(images), settings.num_resamplings, (settings.seed, side))
            for side, images in enumerate((photos, cartoons))
        ]
        self._photo_content = []
        photo_style = self._measure_style(self._photo_crops, "photos", self._photo_content.append)
        cartoon_style = self._measure_style(self._cartoon_crops, "cartoons")
        self._scale = distances.scaler([photo_style, cartoon_style])
        self._photo_style, self._cartoon_style = map(self._scale, (photo_style, cartoon_style))
        self._photo_kid = distances.kernel_distance(self._photo_style, self._cartoon_style, *self._weights)
        self._cartoon_colors = _color_sample(self._cartoon_crops)
        self._cartoon_inception = self._inception_sample(self._cartoon_crops)

    def cartoons_row(self) -> Row:
        """What cartoons are: their own edges and regions, and the distance of their first half to their second."""
        crops, weights = self._cartoon_crops, self._weights[1]
        found = self._own_measures(crops, weights)
        middle = weights.shape[1] // 2
        if middle >= FEWEST_PICTURES:
            style = self._cartoon_style
            halves = [_part(style, style.pictures < middle, 0), _part(style, style.pictures >= middle, middle)]
            half_weights = weights[:, :middle], weights[:, middle:]
            of_sets = {"kid_to_cartoons": distances.kernel_distance, "fd_to_cartoons": distances.frechet_distance}
            for measure, distance in of_sets.items():
                known = (half_weights[0].sum(1) > 0) & (half_weights[1].sum(1) > 0)
                found[measure] = distance(*halves, *(half[known] for half in half_weights))
        return Row("the cartoons themselves", None, found, None, {})

    def photos_row(self) -> Row:
        """What drawing nothing gives."""
        content = np.zeros(len(self._photo_crops.pixels))
        found = self._all_measures(self._photo_crops, self._photo_style, content)
        return Row("the photos untouched", None, found, None, {})

    def row(self, name: str, draw: Draw, step: int | None = None) -> Row:
        """Draw the photos, and measure the drawings.

        Args:
          name, step: of the row.
          draw: the way; called once more at first, to warm up.

        Raises:
          InputError: from `draw`.
        """
        drawings, secs = _timed(draw, self._photos, name)
        crops, content, of_photos = self._cut(drawings), [], iter(self._photo_content)

        def compare(features):
            content.append(distances.content_distance(features, next(of_photos)))

        style = self._scale(self._measure_style(crops, name, compare))
        found = self._all_measures(crops, style, np.concatenate(content))
        return Row(name, step, found, secs, {number: drawings[number] for number in self._shown})

    def _cut(self, images: Sequence[np.ndarray]) -> Crops:
        return cut(images, self._boxes, self._settings.crop_px)

    def _measure_style(self, crops: Crops, name: str, take_content: Callable | None = None) -> Sample:
        """The features of crops, not scaled yet; `take_content` is given their content features, batch by batch."""
        found = []
        for start in Bar(range(0, len(crops.pixels), _BATCH), desc=f"measuring {name}", leave=False, delay=2):
            style, content = self._features(pixels.to_float(crops.pixels[start : start + _BATCH]))
            found.append(keras.ops.convert_to_numpy(style))
            if take_content:
                take_content(keras.ops.convert_to_numpy(content))
        return Sample(np.concatenate(found).astype(np.float64), crops.pictures)

    def _all_measures(self, crops: Crops, style: Sample, content: np.ndarray) -> dict[str, np.ndarray]:
        """Of drawings, or of the photos themselves, resampled; `content` is the distance of each crop."""
        weights, photos = self._weights[0], self._photo_crops.pixels
        pairs = list(zip(crops.pixels, photos, strict=True))
        of_crops = {
            "content_distance": content,
            "luminance_similarity": [image_measures.luminance_similarity(*pair) for pair in pairs],
            "color_shift": [image_measures.color_shift(*pair) for pair in pairs],
        }
        kid = distances.kernel_distance(style, self._cartoon_style, *self._weights)
        of_sets = {
            "kid_to_cartoons": kid,
            "fd_to_cartoons": distances.frechet_distance(style, self._cartoon_style, *self._weights),
            "color_to_cartoons": distances.frechet_distance(_color_sample(crops), self._cartoon_colors, *self._weights),
        }
        if crops is not self._photo_crops:
            of_sets["kid_change"] = (kid - self._photo_kid) / self._photo_kid[0]
            of_sets["kid_to_photos"] = distances.kernel_distance(
                style, self._photo_style, weights, weights, same_pictures=True
            )
            of_sets["fd_to_photos"] = distances.frechet_distance(style, self._photo_style, weights, weights)
        if self._inception is not None:
            samples = self._inception_sample(crops), self._cartoon_inception
            once = [weights[:1] for weights in self._weights]  # 2,048 features: too slow to resample
            of_sets["inception_fid_to_cartoons"] = distances.frechet_distance(*samples, *once)
        return of_sets | _means(of_crops, crops.pictures, weights) | self._own_measures(crops, weights)

    def _own_measures(self, crops: Crops, weights: np.ndarray) -> dict[str, np.ndarray]:
        """What a crop has of itself, resampled."""
        of_crops = {
            measure.__name__: [measure(crop) for crop in crops.pixels]
            for measure in (image_measures.edge_density, image_measures.edge_sharpness, image_measures.flatness)
        }
        return _means(of_crops, crops.pictures, weights)

    def _inception_sample(self, crops: Crops) -> Sample | None:
        if self._inception is None:
            return None
        batches = range(0, len(crops.pixels), _BATCH)
        features = [self._inception(crops.pixels[start : start + _BATCH]) for start in Bar(batches, leave=False)]
        return Sample(np.concatenate([keras.ops.convert_to_numpy(batch) for batch in features]), crops.pictures)


def _means(values: dict[str, Any], owners: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    return {name: distances.mean_over_crops(np.asarray(found), owners, weights) for name, found in values.items()}


def _color_sample(crops: Crops) -> Sample:
    return Sample(np.stack([image_measures.color_features(crop) for crop in crops.pixels]), crops.pictures)


def _part(sample: Sample, chosen: np.ndarray, first: int) -> Sample:
    """Some of the crops; their pictures are numbered from `first`."""
    return Sample(sample.features[chosen], sample.pictures[chosen] - first)


def _timed(draw: Draw, photos: Sequence[np.ndarray], name: str) -> tuple[list[np.ndarray], float]:
    """The drawings, and the median seconds that a megapixel takes."""
    draw(photos[0])
    drawings, secs = [], []
    for photo in Bar(photos, desc=f"drawing {name}", unit="picture", leave=False, delay=2, file=sys.stderr):
        start = time.perf_counter()
        drawings.append(draw(photo))
        secs.append((time.perf_counter() - start) / (photo.shape[0] * photo.shape[1] / 1e6))
    return drawings, statistics.median(secs)
