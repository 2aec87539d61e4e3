"""The networks and optimizers of a recipe, and the frozen VGG19."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from cartoongan_tf import styles
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models.discriminator import build_discriminator
from cartoongan_tf.models.feature_discriminator import build_feature_discriminator
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.models.vgg19 import TAPS, build_vgg19_features, build_vgg19_taps
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.image_pool import ImagePool
from cartoongan_tf.training.optimizers import build_adam
from cartoongan_tf.training.precision import precision_to_use
from cartoongan_tf.training.schedule import ADVERSARIAL, INITIALIZATION, PhaseLength, Schedule


@dataclasses.dataclass(frozen=True)
class Networks:
    """The models and optimizers of a run; each optimizer is built for its model.

    The names of the fields are keys in the checkpoints.

    Attributes:
      vgg19_features: frozen VGG19; None if no loss compares content.
      vgg19_taps: the same with the discriminator's taps after the content features; None if it judges pictures.
      warmup_optimizer: the discriminator's optimizer in the warm-up; None without --discriminator_warmup_steps.
      averaged_generator: generator with the moving average of the weights, float32; None without --ema_decay.
      image_pool: pool of earlier generated pictures; None without --pool_size.
    """

    generator: keras.Model
    discriminator: keras.Model
    vgg19_features: Any
    vgg19_taps: Any
    initialization_optimizer: keras.optimizers.Optimizer
    generator_optimizer: keras.optimizers.Optimizer
    discriminator_optimizer: keras.optimizers.Optimizer
    warmup_optimizer: keras.optimizers.Optimizer | None = None
    averaged_generator: keras.Model | None = None
    image_pool: ImagePool | None = None

    def start_from(self, initial: keras.Model) -> None:
        """Copy the weights of another generator.

        Raises:
          InputError: it has another size.
        """
        if _shapes(self.generator) != _shapes(initial):
            raise InputError(
                f"--initial_generator: has {initial.count_params():,} parameters, where --generator, --generator_width "
                f"and --generator_num_blocks ask for {self.generator.count_params():,}; set them to its size"
            )
        self.generator.set_weights(initial.get_weights())
        if self.averaged_generator is not None:
            self.averaged_generator.set_weights(initial.get_weights())

    def saved(self) -> dict[str, Any]:
        """Return everything that a checkpoint must hold, by name: all but VGG19."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del fields["vgg19_features"], fields["vgg19_taps"]
        return {name: value for name, value in fields.items() if value is not None}


def build_networks(config: TrainConfig, schedule: Schedule, image_size: int) -> Networks:
    """Build fresh networks; under a distribution strategy, call it in the strategy's scope.

    Args:
      config: the recipe.
      schedule: lengths of the phases, by which learning rates fall.
      image_size: side of the pictures in a batch, in pixels.

    Raises:
      InputError: the VGG19 weights cannot be fetched or read.
    """
    initialization = schedule.phase(INITIALIZATION)
    adversarial = schedule.phase(ADVERSARIAL)
    with computing_in(config.mixed_precision):
        generator = new_generator(config)
        discriminator = _new_discriminator(config)
        vgg19_features, vgg19_taps = _build_vgg19(config)
    return Networks(
        generator=generator,
        discriminator=discriminator,
        vgg19_features=vgg19_features,
        vgg19_taps=vgg19_taps,
        initialization_optimizer=_build_optimizer(
            generator, config.initialization_learning_rate, initialization, config.update_clipping
        ),
        generator_optimizer=_build_optimizer(
            generator, config.generator_learning_rate, adversarial, config.update_clipping
        ),
        discriminator_optimizer=_build_optimizer(discriminator, config.discriminator_learning_rate, adversarial),
        warmup_optimizer=_build_warmup_optimizer(discriminator, config),
        averaged_generator=_copy_of(generator, config) if config.ema_decay else None,
        image_pool=ImagePool(config.pool_size, image_size, config.seed) if config.pool_size else None,
    )


def new_generator(config: TrainConfig) -> keras.Model:
    """Return a fresh generator of the recipe's size."""
    return build_generator(config.generator, config.generator_width, config.generator_num_blocks)


def _new_discriminator(config: TrainConfig) -> keras.Model:
    if config.discriminator == "patch":
        return build_discriminator(config.discriminator_width)
    return build_feature_discriminator(tuple(TAPS.values()), config.discriminator_width, config.feature_mixing)


def _build_vgg19(config: TrainConfig) -> tuple[keras.Model | None, keras.Model | None]:
    """Build `vgg19_features` and `vgg19_taps` of `Networks` from the same layers, as far as a loss needs them."""
    if config.judges_features:
        taps = build_vgg19_taps(config.vgg19_weights, config.seed)
        return keras.Model(taps.inputs, taps.outputs[0]), taps
    features = build_vgg19_features(config.vgg19_weights, config.seed) if config.compares_content else None
    return features, None


def generator_to_use(networks: Networks, config: TrainConfig) -> keras.Model:
    """Return the generator to use outside of training: float32, and averaged with --ema_decay."""
    if networks.averaged_generator is not None:
        return networks.averaged_generator
    if precision_to_use(config.mixed_precision) == "off":
        return networks.generator
    return _copy_of(networks.generator, config)


def _build_optimizer(
    model: keras.Model, learning_rate: float, phase: PhaseLength, update_clipping: float = 0.0
) -> keras.optimizers.Optimizer:
    return build_adam(model, learning_rate, phase.num_steps, phase.decay_steps, update_clipping)


def _build_warmup_optimizer(discriminator: keras.Model, config: TrainConfig) -> keras.optimizers.Optimizer | None:
    if not config.discriminator_warmup_steps:
        return None
    return build_adam(discriminator, config.discriminator_warmup_learning_rate, config.discriminator_warmup_steps, 0)


def _copy_of(generator: keras.Model, config: TrainConfig) -> keras.Model:
    """Return a float32 generator with the same weights."""
    copy = new_generator(config)
    copy.set_weights(generator.get_weights())
    return copy


def _shapes(model: keras.Model) -> list[tuple[int, ...]]:
    return [weights.shape for weights in model.weights]


@contextlib.contextmanager
def computing_in(mixed_precision: str) -> Iterator[None]:
    """Let layers that are built in the block compute in the format of --mixed_precision; weights stay float32."""
    before = keras.config.dtype_policy()
    precision = precision_to_use(mixed_precision)
    keras.config.set_dtype_policy("float32" if precision == "off" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def load_initial_generator(path: str) -> keras.Model:
    """Load the generator that --initial_generator names.

    Raises:
      InputError: it cannot be read.
    """
    if Path(path).suffix not in ("", ".keras"):
        raise InputError(
            f"--initial_generator={path}: give a .keras file; import_weights converts PyTorch's weights to one"
        )
    try:
        return load_generator(styles.find_model(path))
    except InputError as error:
        raise InputError(f"--initial_generator: {error}") from error
