"""The phases of a recipe: initialization (section 3.3), the discriminator's warm-up, adversarial training.

A phase is one of the training steps in `steps`, with its length, ready for the loop.
"""

from collections.abc import Callable

import keras

from cartoongan_tf.training import steps
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.loop import Phase
from cartoongan_tf.training.networks import Networks
from cartoongan_tf.training.schedule import ADVERSARIAL, INITIALIZATION, WARMUP, Schedule


def build_phases(config: TrainConfig, networks: Networks, schedule: Schedule) -> list[Phase]:
    """Build the three phases in their order; some of them may have no steps.

    Args:
      config: the recipe.
      networks: networks that the phases train.
      schedule: lengths of the phases.
    """

    def build_phase(name: str, step: Callable, forward_pass: Callable, **optimizers) -> Phase:
        """Build a phase from its step, the forward pass of that step, and the optimizers that it uses."""
        return Phase(
            name,
            schedule.phase(name).num_steps,
            step=lambda batch: step(networks, batch, config),
            validation_step=lambda batch: forward_pass(networks, batch, config).scalars,
            rates=lambda: _read_rates(optimizers),
        )

    return [
        build_phase(
            INITIALIZATION,
            steps.initialization_step,
            steps.initialization_pass,
            generator=networks.initialization_optimizer,
        ),
        build_phase(
            WARMUP,
            steps.warmup_step,
            steps.warmup_pass,
            discriminator=networks.warmup_optimizer,
        ),
        build_phase(
            ADVERSARIAL,
            steps.adversarial_step,
            steps.adversarial_pass,
            generator=networks.generator_optimizer,
            discriminator=networks.discriminator_optimizer,
        ),
    ]


def _read_rates(optimizers: dict[str, keras.optimizers.Optimizer]) -> dict[str, float]:
    return {f"{name}_learning_rate": float(optimizer.learning_rate) for name, optimizer in optimizers.items()}
