"""Features of crops, from the networks and from their colours."""

from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np

from cartoongan_tf.base.progress import Bar
from cartoongan_tf.evaluation.crops import Crops
from cartoongan_tf.evaluation.distances import Sample
from cartoongan_tf.media import image_measures
from cartoongan_tf.models import pixels

_BATCH_SIZE = 16


class VGG19Batch(NamedTuple):
    """VGG19's features of some of the crops.

    Attributes:
      part: the crops' numbers, as a slice.
      style: float [B, D].
      content: float [B, h, w, C].
    """

    part: slice
    style: np.ndarray
    content: np.ndarray


def vgg19_batches(vgg19: keras.Model, crops: Crops, name: str) -> Iterator[VGG19Batch]:
    """Yield VGG19's features of crops, batch by batch, as the content features of all would not fit in memory twice.

    Args:
      vgg19: extractor, see `vgg19.build_style_features`.
      crops: crops of one set of pictures.
      name: name of the set, for the progress bar.
    """
    parts = _parts(len(crops.pixels))
    for part in Bar(parts, desc=f"measuring {name}", leave=False, delay=2):
        style, content = vgg19(pixels.to_float(crops.pixels[part]))
        yield VGG19Batch(part, keras.ops.convert_to_numpy(style), keras.ops.convert_to_numpy(content))


def style_sample(batches: list[np.ndarray], crops: Crops) -> Sample:
    """Return the style features of crops, which were computed in batches, unscaled."""
    return Sample(np.concatenate(batches).astype(np.float64), crops.pictures)


def inception_sample(inception: keras.Model, crops: Crops) -> Sample:
    """Return Inception's features of crops; see `inception.build_inception`."""
    batches = []
    for part in Bar(_parts(len(crops.pixels)), leave=False):
        features = inception(crops.pixels[part])
        batches.append(keras.ops.convert_to_numpy(features))
    return Sample(np.concatenate(batches), crops.pictures)


def color_sample(crops: Crops) -> Sample:
    """Return the colour features of crops; see `image_measures.color_features`."""
    features = [image_measures.color_features(crop) for crop in crops.pixels]
    return Sample(np.stack(features), crops.pictures)


def _parts(num_crops: int) -> list[slice]:
    return [slice(start, start + _BATCH_SIZE) for start in range(0, num_crops, _BATCH_SIZE)]
