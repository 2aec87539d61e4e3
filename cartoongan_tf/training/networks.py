"""All that training changes, built as a recipe says, and the frozen VGG19 beside it."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from cartoongan_tf import styles
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models.discriminator import build_discriminator
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.models.vgg19 import build_vgg19_features
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.image_pool import ImagePool
from cartoongan_tf.training.optimizers import build_adam
from cartoongan_tf.training.precision import precision_to_use
from cartoongan_tf.training.schedule import ADVERSARIAL, INITIALIZATION, Schedule


@dataclasses.dataclass(frozen=True)
class Networks:
    """Models and optimizers of a run; each optimizer is built for its model.

    Attributes:
      averaged_generator: float32, the moving average of the generator's weights; None without --ema_decay.
      image_pool: None without --pool_size.
      warmup_optimizer: the discriminator's, for the warm-up; None without --discriminator_warmup_steps.
    """

    generator: keras.Model
    discriminator: keras.Model
    vgg19_features: keras.Model
    initialization_optimizer: keras.optimizers.Optimizer
    generator_optimizer: keras.optimizers.Optimizer
    discriminator_optimizer: keras.optimizers.Optimizer
    warmup_optimizer: keras.optimizers.Optimizer | None = None
    averaged_generator: keras.Model | None = None
    image_pool: ImagePool | None = None

    def start_from(self, initial: keras.Model) -> None:
        """Give the generator the weights of another one.

        Raises:
          InputError: that one has another size.
        """
        sizes, initial_sizes = ([weights.shape for weights in model.weights] for model in (self.generator, initial))
        if sizes != initial_sizes:
            raise InputError(
                f"--initial_generator: has {initial.count_params():,} parameters, where --generator, --generator_width "
                f"and --generator_num_blocks ask for {self.generator.count_params():,}; set them to its size"
            )
        for model in filter(None, (self.generator, self.averaged_generator)):
            model.set_weights(initial.get_weights())

    def saved(self) -> dict[str, Any]:
        """What a checkpoint must hold, by name: everything but VGG19."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del fields["vgg19_features"]
        return {name: value for name, value in fields.items() if value is not None}


def build_networks(config: TrainConfig, schedule: Schedule, image_size: int) -> Networks:
    """Build fresh networks; under a distribution strategy, call it in the strategy's scope.

    Args:
      config: the recipe.
      schedule: by which learning rates fall.
      image_size: side of the pictures that a step sees, in pixels.

    Raises:
      InputError: the VGG19 weights cannot be had.
    """
    initialization, adversarial = (
        (phase.num_steps, phase.decay_steps) for phase in map(schedule.phase, (INITIALIZATION, ADVERSARIAL))
    )
    with computing_in(config.mixed_precision):
        generator = new_generator(config)
        discriminator = build_discriminator(config.discriminator_width)
        vgg19_features = build_vgg19_features(config.vgg19_weights, config.seed)
    return Networks(
        generator,
        discriminator,
        vgg19_features,
        build_adam(generator, config.initialization_learning_rate, *initialization),
        build_adam(generator, config.generator_learning_rate, *adversarial),
        build_adam(discriminator, config.discriminator_learning_rate, *adversarial),
        _warmup_optimizer(discriminator, config),
        _same_weights(new_generator(config), generator) if config.ema_decay else None,
        ImagePool(config.pool_size, image_size, config.seed) if config.pool_size else None,
    )


def new_generator(config: TrainConfig) -> keras.Model:
    """A fresh generator of the recipe's size."""
    return build_generator(config.generator, config.generator_width, config.generator_num_blocks)


def generator_to_use(networks: Networks, config: TrainConfig) -> keras.Model:
    """The generator for everybody else: float32, and averaged with --ema_decay."""
    if networks.averaged_generator is not None:
        return networks.averaged_generator
    if precision_to_use(config.mixed_precision) == "off":
        return networks.generator
    return _same_weights(new_generator(config), networks.generator)


def _warmup_optimizer(discriminator: keras.Model, config: TrainConfig) -> keras.optimizers.Optimizer | None:
    if not config.discriminator_warmup_steps:
        return None
    return build_adam(discriminator, config.discriminator_warmup_learning_rate, config.discriminator_warmup_steps, 0)


def _same_weights(model: keras.Model, other: keras.Model) -> keras.Model:
    model.set_weights(other.get_weights())
    return model


@contextlib.contextmanager
def computing_in(mixed_precision: str) -> Iterator[None]:
    """Let layers made in the block compute as --mixed_precision says; their weights are float32 all the same."""
    before, precision = keras.config.dtype_policy(), precision_to_use(mixed_precision)
    keras.config.set_dtype_policy("float32" if precision == "off" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def load_initial_generator(path: str) -> keras.Model:
    """The generator that --initial_generator names.

    Raises:
      InputError: it cannot be read.
    """
    if Path(path).suffix not in ("", ".keras"):
        raise InputError(
            f"--initial_generator={path}: give a .keras file; import_weights makes one of PyTorch's weights"
        )
    try:
        return load_generator(styles.find_model(path))
    except InputError as error:
        raise InputError(f"--initial_generator: {error}") from error
