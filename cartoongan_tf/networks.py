"""All that training changes, built as a recipe says, and the frozen VGG19 beside it."""

import dataclasses

import keras

from cartoongan_tf.checkpoints import load_generator
from cartoongan_tf.config import TrainConfig
from cartoongan_tf.discriminator import build_discriminator
from cartoongan_tf.errors import InputError
from cartoongan_tf.generator import build_generator
from cartoongan_tf.optimizers import build_adam
from cartoongan_tf.vgg19 import build_vgg19_features


@dataclasses.dataclass(frozen=True)
class Networks:
    """Models and optimizers of a run; each optimizer is built for its model."""

    generator: keras.Model
    discriminator: keras.Model
    vgg19_features: keras.Model
    initialization_optimizer: keras.optimizers.Optimizer
    generator_optimizer: keras.optimizers.Optimizer
    discriminator_optimizer: keras.optimizers.Optimizer

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
        self.generator.set_weights(initial.get_weights())

    def trainables(self) -> dict[str, keras.Model | keras.optimizers.Optimizer]:
        """What a checkpoint must hold, by name: everything but VGG19."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del fields["vgg19_features"]
        return fields


def build_networks(config: TrainConfig, steps_per_epoch: int) -> Networks:
    """Build fresh networks; under a distribution strategy, call it in the strategy's scope.

    Raises:
      InputError: the VGG19 weights cannot be had.
    """

    def adam(model, learning_rate, epochs, decay_epochs):
        optimizer = build_adam(learning_rate, epochs * steps_per_epoch, decay_epochs * steps_per_epoch)
        optimizer.build(model.trainable_variables)
        return optimizer

    generator = build_generator(config.generator, config.generator_width, config.generator_num_blocks)
    discriminator = build_discriminator(config.discriminator_width)
    initialization = (config.initialization_epochs, config.initialization_decay_epochs)
    adversarial = (config.adversarial_epochs, config.adversarial_decay_epochs)
    return Networks(
        generator,
        discriminator,
        build_vgg19_features(config.vgg19_weights, config.seed),
        adam(generator, config.initialization_learning_rate, *initialization),
        adam(generator, config.generator_learning_rate, *adversarial),
        adam(discriminator, config.discriminator_learning_rate, *adversarial),
    )


def load_initial_generator(path: str) -> keras.Model:
    """The generator that --initial_generator names.

    Raises:
      InputError: it cannot be read.
    """
    if not path.endswith(".keras"):
        raise InputError(
            f"--initial_generator={path}: give a .keras file; import_weights makes one of PyTorch's weights"
        )
    try:
        return load_generator(path)
    except InputError as error:
        raise InputError(f"--initial_generator: {error}") from error
