"""The weights of places by --face_weight: content and teacher terms count more where a face is; not in the paper."""

from typing import NamedTuple

import keras
import tensorflow as tf

from cartoongan_tf.models.vgg19 import CONTENT_STRIDE
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.gradients import Batch


class FaceWeights(NamedTuple):
    """The weight of each place in this replica's photos: --face_weight in faces, 1 elsewhere.

    Attributes:
      of_pixels: float32 [B, S, S, 1]; None if all are 1.
      of_features: the same for the features that the content loss compares, [B, S // 8, S // 8, 1]: means over pixels.
    """

    of_pixels: tf.Tensor | None = None
    of_features: tf.Tensor | None = None


def read_face_weights(batch: Batch, config: TrainConfig) -> FaceWeights:
    """Return the weights of a batch, which has "faces" if --face_weight is not 1."""
    if config.face_weight == 1:
        return FaceWeights()
    is_face = tf.cast(batch["faces"][..., :1], tf.float32)
    of_pixels = 1.0 + (config.face_weight - 1.0) * is_face
    return FaceWeights(of_pixels, keras.ops.average_pool(of_pixels, CONTENT_STRIDE))
