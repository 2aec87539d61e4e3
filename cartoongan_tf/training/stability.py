"""The term of --stability_weight: a photo that is hardly disturbed must give the same drawing; not in the paper."""

from typing import NamedTuple

import keras
import tensorflow as tf

from cartoongan_tf.models import disturbance
from cartoongan_tf.models.losses import content_loss
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.draws import draw_for_replica, seed_of_step

_STREAM = 1  # other numbers than those of --discriminator_augmentation


class Disturbance(NamedTuple):
    """The random numbers that `disturbance.disturb` takes."""

    draws: tf.Tensor
    noise: tf.Tensor


def draw_disturbance(config: TrainConfig, step: int | tf.Tensor, photo: tf.Tensor) -> Disturbance | None:
    """Draw the disturbance of photos, [B, S, S, 3] in this replica; None without --stability_weight.

    Args:
      config: the recipe.
      step: number of the step in the phase, from 0 up.
      photo: this replica's photos.
    """
    if not config.stability_weight:
        return None
    of_draws, of_noise = tf.unstack(tf.random.split(tf.random.fold_in(seed_of_step(config.seed, step), _STREAM)))
    num_pictures = tf.shape(photo)[0]
    size = photo.shape[1] - disturbance.MOVES_PX
    return Disturbance(
        draw_for_replica(tf.random.stateless_uniform, [num_pictures, disturbance.NUM_DRAWS], of_draws),
        draw_for_replica(tf.random.stateless_normal, [num_pictures, size, size, 3], of_noise),
    )


def stability_loss(generator: keras.Model, photo: tf.Tensor, generated: tf.Tensor, disturbed: Disturbance) -> tf.Tensor:
    """Draw disturbed photos, and compare the drawings with those of the photos, by the same window: l1, float32 [B].

    Brightness is no part of the drawing that is asked for: where a camera adapts to light, drawings should not flicker.

    Args:
      generator: the generator that is trained.
      photo: float32 RGB [B, S, S, 3] in [-1, 1].
      generated: its drawings, of the same shape.
      disturbed: result of `draw_disturbance`.
    """
    again = generator(disturbance.disturb(photo, *disturbed), training=True)
    expected = disturbance.through_window(generated, disturbed.draws)
    return content_loss(disturbance.inside(again), disturbance.inside(expected), "l1")
