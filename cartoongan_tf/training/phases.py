"""The phases of a recipe: initialization (section 3.3), the discriminator's warm-up, adversarial training."""

from collections.abc import Callable

import keras

from cartoongan_tf.training import steps
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.loop import Phase
from cartoongan_tf.training.networks import Networks
from cartoongan_tf.training.schedule import ADVERSARIAL, INITIALIZATION, WARMUP, Schedule


def build_phases(config: TrainConfig, networks: Networks, schedule: Schedule) -> list[Phase]:
    """What `loop.run` is to go through: all three, some of them without steps.

    Args:
      config: the recipe.
      networks: that the phases train.
      schedule: how long they are.
    """

    def phase(name: str, step: Callable, losses: Callable, **optimizers) -> Phase:
        return Phase(
            name,
            schedule.phase(name).num_steps,
            step=lambda batch: step(networks, batch, config),
            validation_step=lambda batch: losses(networks, batch, config).scalars,
            rates=lambda: _rates(optimizers),
        )

    return [
        phase(
            INITIALIZATION,
            steps.initialization_step,
            steps.initialization_losses,
            generator=networks.initialization_optimizer,
        ),
        phase(
            WARMUP,
            steps.warmup_step,
            steps.warmup_losses,
            discriminator=networks.warmup_optimizer,
        ),
        phase(
            ADVERSARIAL,
            steps.adversarial_step,
            steps.adversarial_losses,
            generator=networks.generator_optimizer,
            discriminator=networks.discriminator_optimizer,
        ),
    ]


def _rates(optimizers: dict[str, keras.optimizers.Optimizer]) -> dict[str, float]:
    return {f"{name}_learning_rate": float(optimizer.learning_rate) for name, optimizer in optimizers.items()}
