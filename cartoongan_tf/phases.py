"""The phases of a recipe: initialization (section 3.3), the discriminator's warm-up, adversarial training."""

from collections.abc import Callable

import keras

from cartoongan_tf import train_step
from cartoongan_tf.config import TrainConfig
from cartoongan_tf.networks import Networks
from cartoongan_tf.schedule import ADVERSARIAL, INITIALIZATION, WARMUP, Schedule
from cartoongan_tf.train_loop import Phase


def build_phases(config: TrainConfig, networks: Networks, schedule: Schedule) -> list[Phase]:
    """What `train_loop.run` is to go through: all three, some of them without steps.

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
            train_step.initialization_step,
            train_step.initialization_losses,
            generator=networks.initialization_optimizer,
        ),
        phase(
            WARMUP,
            train_step.warmup_step,
            train_step.warmup_losses,
            discriminator=networks.warmup_optimizer,
        ),
        phase(
            ADVERSARIAL,
            train_step.adversarial_step,
            train_step.adversarial_losses,
            generator=networks.generator_optimizer,
            discriminator=networks.discriminator_optimizer,
        ),
    ]


def _rates(optimizers: dict[str, keras.optimizers.Optimizer]) -> dict[str, float]:
    return {f"{name}_learning_rate": float(optimizer.learning_rate) for name, optimizer in optimizers.items()}
