"""CycleGAN's networks, optimizers and pools; see `cyclegan`."""

import dataclasses
from typing import Any, NamedTuple

import keras

from cartoongan_tf.models.discriminator import build_discriminator
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.training.image_pool import ImagePool
from cartoongan_tf.training.optimizers import build_adam
from experiments.baselines.cyclegan_config import CycleGANConfig


class Pair(NamedTuple):
    """Two networks that one optimizer trains on one objective, as in the official code."""

    cartoon: keras.Model
    photo: keras.Model

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """The variables of both networks."""
        return self.cartoon.trainable_variables + self.photo.trainable_variables


@dataclasses.dataclass(frozen=True)
class CycleGAN:
    """The networks and optimizers of a run.

    Attributes:
      generators: `cartoon` turns photos into cartoons (G in its paper), `photo` turns cartoons into photos (F).
      discriminators: `cartoon` judges cartoons and `photo` judges photos, real or generated.
      generators_optimizer, discriminators_optimizer: optimizers of the two pairs.
      cartoon_pool, photo_pool: pools of generated pictures; None without `pool_size`.
    """

    generators: Pair
    discriminators: Pair
    generators_optimizer: keras.optimizers.Optimizer
    discriminators_optimizer: keras.optimizers.Optimizer
    cartoon_pool: ImagePool | None = None
    photo_pool: ImagePool | None = None

    def saved(self) -> dict[str, Any]:
        """Return the objects that a checkpoint must hold, by name."""
        saved = {
            "cartoon_generator": self.generators.cartoon,
            "photo_generator": self.generators.photo,
            "cartoon_discriminator": self.discriminators.cartoon,
            "photo_discriminator": self.discriminators.photo,
            "generators_optimizer": self.generators_optimizer,
            "discriminators_optimizer": self.discriminators_optimizer,
        }
        if self.cartoon_pool:
            saved["cartoon_pool"] = self.cartoon_pool
            saved["photo_pool"] = self.photo_pool
        return saved


def build_cyclegan(config: CycleGANConfig, steps_per_epoch: int, image_size: int) -> CycleGAN:
    """Build fresh networks; under a distribution strategy, call it in the strategy's scope.

    Args:
      config: recipe.
      steps_per_epoch: number of batches in a pass over the photos.
      image_size: side of the pictures in a step, in pixels.
    """
    generators = Pair(new_generator(config), new_generator(config))
    discriminators = Pair(
        build_discriminator(config.discriminator_width), build_discriminator(config.discriminator_width)
    )
    num_steps = config.epochs * steps_per_epoch
    num_decay_steps = min(config.decay_epochs, config.epochs) * steps_per_epoch
    cartoon_pool = None
    photo_pool = None
    if config.pool_size:
        cartoon_pool = ImagePool(config.pool_size, image_size, 2 * config.seed)
        photo_pool = ImagePool(config.pool_size, image_size, 2 * config.seed + 1)
    return CycleGAN(
        generators,
        discriminators,
        build_adam(generators, config.learning_rate, num_steps, num_decay_steps),
        build_adam(discriminators, config.learning_rate, num_steps, num_decay_steps),
        cartoon_pool,
        photo_pool,
    )


def new_generator(config: CycleGANConfig) -> keras.Model:
    """Build a fresh generator of the recipe's size."""
    return build_generator(config.generator, config.generator_width, config.generator_num_blocks)
