"""Methods of drawing, compared on the same photos, the same crops of them, and the same cartoons."""

import dataclasses
import functools
import statistics
import sys
import time
from collections.abc import Callable, Collection, Sequence

import keras
import numpy as np

from cartoongan_tf.base.progress import Bar
from cartoongan_tf.evaluation import crop_features, distances, measures
from cartoongan_tf.evaluation.crops import Crops, choose_boxes, cut, num_disjoint
from cartoongan_tf.evaluation.distances import Sample, resampling_weights
from cartoongan_tf.evaluation.measures import CropSet, Measures
from cartoongan_tf.evaluation.rows import Row
from cartoongan_tf.models import vgg19
from cartoongan_tf.models.inception import build_inception

Draw = Callable[[np.ndarray], np.ndarray]  # uint8 RGB [H, W, 3] -> the same
_CROPS_PER_FEATURE = 3


@dataclasses.dataclass(frozen=True)
class EvaluatorConfig:
    """Settings for measuring; see the flags of `evaluate`."""

    vgg19_weights: str = "imagenet"
    inception_weights: str = ""
    num_crops: int = 1000
    crop_px: int = 96
    num_resamplings: int = 200
    seed: int = 0


def style_layer(num_crops: int) -> str:
    """Return the deepest layer of VGG19 with at most a third as many features as crops, so that covariances are known.

    Args:
      num_crops: number of crops that do not overlap; others add little.
    """
    fitting = [name for name, size in vgg19.STYLE_LAYERS.items() if size * _CROPS_PER_FEATURE <= num_crops]
    shallowest = list(vgg19.STYLE_LAYERS)[-1]
    return fitting[0] if fitting else shallowest


@dataclasses.dataclass(frozen=True)
class Evaluator:
    """The photos and cartoons that methods are measured on, measured themselves; see `build`.

    Attributes:
      pictures: photos to draw, uint8 RGB [H, W, 3] each.
      shown: numbers of the photos whose drawings are kept in the rows.
      boxes: places of the crops in each photo and in its drawings, see `choose_boxes`.
      crop_px: side of the crops.
      layer: layer of VGG19 whose features are compared.
      features: VGG19, extracting that layer's features and the content features.
      inception: Inception; None without its weights.
      scale: function that scales a sample of VGG19's features.
      photos, cartoons: crops with their features.
      photo_content: content features of the photos' crops, float [N, h, w, C].
      teacher_drawings: a teacher's drawings of the photos, uint8 RGB [H, W, 3] each; None without a teacher.
    """

    pictures: Sequence[np.ndarray]
    shown: Collection[int]
    boxes: Sequence[np.ndarray]
    crop_px: int
    layer: str
    features: keras.Model
    inception: keras.Model | None
    scale: Callable[[Sample], Sample]
    photos: CropSet
    cartoons: CropSet
    photo_content: np.ndarray
    teacher_drawings: Sequence[np.ndarray] | None

    @classmethod
    def build(
        cls,
        photos: Sequence[np.ndarray],
        cartoons: Sequence[np.ndarray],
        config: EvaluatorConfig,
        shown: Collection[int] = (),
        teacher_drawings: Sequence[np.ndarray] | None = None,
    ) -> "Evaluator":
        """Load the networks, and measure photos and cartoons.

        Args:
          photos, cartoons: uint8 RGB [H, W, 3] each.
          config: settings for measuring.
          shown: numbers of the photos whose drawings are kept in the rows.
          teacher_drawings: drawings of the photos, uint8 RGB [H, W, 3] each, with which all others are compared, photo
            by photo; None: no comparison.

        Raises:
          InputError: the weights of VGG19 or Inception cannot be used.
        """
        boxes = _boxes(photos, config)
        photo_crops = cut(photos, boxes, config.crop_px)
        cartoon_crops = cut(cartoons, _boxes(cartoons, config), config.crop_px)
        num_usable = min(_num_usable(photos, photo_crops), _num_usable(cartoons, cartoon_crops))
        layer = style_layer(num_usable)
        features = vgg19.build_style_features(config.vgg19_weights, layer, config.seed)
        inception = build_inception(config.inception_weights) if config.inception_weights else None
        photo_style, photo_content = _photo_features(features, photo_crops)
        cartoon_style = _cartoon_features(features, cartoon_crops)
        scale = distances.scaler([photo_style, cartoon_style])
        photo_weights = resampling_weights(len(photos), config.num_resamplings, (config.seed, 0))
        cartoon_weights = resampling_weights(len(cartoons), config.num_resamplings, (config.seed, 1))
        return cls(
            pictures=photos,
            shown=shown,
            boxes=boxes,
            crop_px=config.crop_px,
            layer=layer,
            features=features,
            inception=inception,
            scale=scale,
            photos=_crop_set(photo_crops, scale(photo_style), inception, photo_weights),
            cartoons=_crop_set(cartoon_crops, scale(cartoon_style), inception, cartoon_weights),
            photo_content=photo_content,
            teacher_drawings=teacher_drawings,
        )

    @property
    def num_crops(self) -> dict[str, int]:
        """The number of crops of the photos and of the cartoons."""
        return {"photos": len(self.photos.crops.pixels), "cartoons": len(self.cartoons.crops.pixels)}

    def cartoons_row(self) -> Row:
        """Measure the cartoons: their edges and regions, and the distance between their two halves."""
        resampled = measures.of_crops_alone(self.cartoons) | measures.between_halves(self.cartoons)
        return Row("the cartoons themselves", None, resampled, None, {})

    def photos_row(self) -> Row:
        """Measure the photos, as a method that changes nothing."""
        no_distance = np.zeros(len(self.photos.crops.pixels))
        resampled = (
            self._photos_to_cartoons
            | measures.kept_of_photos(self.photos, self.photos, no_distance)
            | measures.of_crops_alone(self.photos)
            | self._to_teacher(self.pictures)
        )
        return Row("the photos untouched", None, resampled, None, {})

    def row(self, name: str, draw: Draw, step: int | None = None) -> Row:
        """Draw the photos, and measure the drawings.

        Args:
          name, step: name and step of the row.
          draw: method to measure; called once more at first, to warm up.

        Raises:
          InputError: from `draw`.
        """
        pictures, secs_per_megapixel = draw_all(draw, self.pictures, name)
        crops = cut(pictures, self.boxes, self.crop_px)
        style_batches = []
        content_distances = []
        for batch in crop_features.vgg19_batches(self.features, crops, name):
            style_batches.append(batch.style)
            content_distances.append(distances.content_distance(batch.content, self.photo_content[batch.part]))
        style = self.scale(crop_features.style_sample(style_batches, crops))
        drawings = _crop_set(crops, style, self.inception, self.photos.weights)
        resampled = self._drawing_measures(drawings, np.concatenate(content_distances)) | self._to_teacher(pictures)
        return Row(name, step, resampled, secs_per_megapixel, {number: pictures[number] for number in self.shown})

    def _to_teacher(self, pictures: Sequence[np.ndarray]) -> Measures:
        if self.teacher_drawings is None:
            return {}
        return measures.to_teacher(pictures, self.teacher_drawings, self.photos.weights)

    def _drawing_measures(self, drawings: CropSet, content: np.ndarray) -> Measures:
        to_cartoons = measures.to_cartoons(drawings, self.cartoons)
        photos_kid = self._photos_to_cartoons["kid_to_cartoons"]
        kid_change = (to_cartoons["kid_to_cartoons"] - photos_kid) / photos_kid[0]
        return (
            to_cartoons
            | {"kid_change": kid_change}
            | measures.to_photos(drawings, self.photos)
            | measures.kept_of_photos(drawings, self.photos, content)
            | measures.of_crops_alone(drawings)
        )

    @functools.cached_property
    def _photos_to_cartoons(self) -> Measures:
        return measures.to_cartoons(self.photos, self.cartoons)


def _boxes(pictures: Sequence[np.ndarray], config: EvaluatorConfig) -> list[np.ndarray]:
    sizes = [picture.shape[:2] for picture in pictures]
    return choose_boxes(sizes, config.num_crops, config.crop_px, config.seed)


def _num_usable(pictures: Sequence[np.ndarray], crops: Crops) -> int:
    """Return how many crops tell something new: as many as there are, or as would not overlap."""
    num_crops, crop_px = crops.pixels.shape[:2]
    return min(num_crops, num_disjoint(pictures, crop_px))


def _photo_features(features: keras.Model, crops: Crops) -> tuple[Sample, np.ndarray]:
    """Return the style features, unscaled, and the content features, float32 [N, h, w, C]."""
    _, content_shape = features.compute_output_shape(crops.pixels.shape)
    content = np.empty(content_shape, np.float32)
    style_batches = []
    for batch in crop_features.vgg19_batches(features, crops, "photos"):
        style_batches.append(batch.style)
        content[batch.part] = batch.content
    return crop_features.style_sample(style_batches, crops), content


def _cartoon_features(features: keras.Model, crops: Crops) -> Sample:
    """Return the style features, unscaled."""
    batches = [batch.style for batch in crop_features.vgg19_batches(features, crops, "cartoons")]
    return crop_features.style_sample(batches, crops)


def _crop_set(crops: Crops, style: Sample, inception: keras.Model | None, weights: np.ndarray) -> CropSet:
    inception_sample = None if inception is None else crop_features.inception_sample(inception, crops)
    return CropSet(crops, style, crop_features.color_sample(crops), inception_sample, weights)


def draw_all(draw: Draw, photos: Sequence[np.ndarray], name: str) -> tuple[list[np.ndarray], float]:
    """Draw photos, uint8 RGB [H, W, 3] each; return the drawings, and the median seconds per megapixel."""
    draw(photos[0])  # whatever is built at first
    drawings = []
    secs_per_megapixel = []
    for photo in Bar(photos, desc=f"drawing {name}", unit="picture", leave=False, delay=2, file=sys.stderr):
        start = time.perf_counter()
        drawings.append(draw(photo))
        secs = time.perf_counter() - start
        megapixels = photo.shape[0] * photo.shape[1] / 1e6
        secs_per_megapixel.append(secs / megapixels)
    return drawings, statistics.median(secs_per_megapixel)
