"""The lengths of a run's phases in steps, also after its data or its epochs have changed.

Flags give phases in epochs, and the loop trains steps. So a run keeps its lengths in schedule.json. If there are other
photos, or the flags give other epochs, the steps that are done stay done, and only the rest changes.
"""

import dataclasses
import json
import math
import os
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from cartoongan_tf.base import atomic
from cartoongan_tf.training.config import TrainConfig

INITIALIZATION = "initialization"
WARMUP = "warmup"
ADVERSARIAL = "adversarial"
PHASES = (INITIALIZATION, WARMUP, ADVERSARIAL)


@dataclasses.dataclass(frozen=True)
class PhaseLength:
    """The length of a phase, and the decay of its learning rates.

    Attributes:
      name: one of PHASES.
      epochs: number of epochs in the flags; 0 for the warm-up, which is given in steps.
      steps: number of steps in these epochs; fewer than `done` if the epochs were lowered.
      decay_steps: number of last steps in which the rates fall linearly to 0. They can be more than `steps` if there
        are more batches an epoch now: then the rates are on their way down from the first step.
      learning_rates: rates before they fall, by the name of the network.
      done: number of steps of the phase that were done when this was planned.
    """

    name: str
    epochs: int
    steps: int
    decay_steps: int
    learning_rates: Mapping[str, float]
    done: int = 0

    @property
    def num_steps(self) -> int:
        """The number of steps in all; steps that are done count even if fewer were asked for."""
        return max(self.steps, self.done)

    @property
    def is_over(self) -> bool:
        return self.done >= self.steps


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The lengths of all phases in their order, and the number of batches in a pass over the photos."""

    steps_per_epoch: int
    phases: tuple[PhaseLength, ...]

    @property
    def num_steps(self) -> int:
        return sum(phase.num_steps for phase in self.phases)

    @property
    def current(self) -> PhaseLength | None:
        """The phase that is trained next; None if the run is finished."""
        return next((phase for phase in self.phases if not phase.is_over), None)

    def phase(self, name: str) -> PhaseLength:
        return next(phase for phase in self.phases if phase.name == name)


def plan(config: TrainConfig, steps_per_epoch: int) -> Schedule:
    """Plan a run that begins.

    Args:
      config: the recipe.
      steps_per_epoch: number of batches in a pass over the photos.
    """

    def plan_epochs(name: str, epochs: int, decay_epochs: int, learning_rates: dict[str, float]) -> PhaseLength:
        """Plan a phase of so many epochs."""
        decay_steps = min(decay_epochs, epochs) * steps_per_epoch
        return PhaseLength(name, epochs, epochs * steps_per_epoch, decay_steps, learning_rates)

    initialization = plan_epochs(
        INITIALIZATION,
        config.initialization_epochs,
        config.initialization_decay_epochs,
        {"generator": config.initialization_learning_rate},
    )
    warmup = PhaseLength(
        WARMUP,
        epochs=0,
        steps=config.discriminator_warmup_steps,
        decay_steps=0,
        learning_rates={"discriminator": config.discriminator_warmup_learning_rate},
    )
    adversarial = plan_epochs(
        ADVERSARIAL,
        config.adversarial_epochs,
        config.adversarial_decay_epochs,
        {"generator": config.generator_learning_rate, "discriminator": config.discriminator_learning_rate},
    )
    return Schedule(steps_per_epoch, (initialization, warmup, adversarial))


def plan_rest(before: Schedule, done: Mapping[str, int], config: TrainConfig, steps_per_epoch: int) -> Schedule:
    """Plan the rest of a run that resumes. If nothing has changed, the lengths stay the same.

    A phase that another one has followed keeps the steps that were done. The other phases continue with the epochs
    that were left, and those that the flags add, as passes over the present photos. The learning rates fall by the
    epochs that are left, so they continue from their last values.

    Args:
      before: schedule by which the steps so far were done.
      done: number of steps done of each phase, by its name.
      config: the present recipe.
      steps_per_epoch: number of batches in a pass over the present photos.
    """
    phases = []
    for index, fresh in enumerate(plan(config, steps_per_epoch).phases):
        steps_done = done[fresh.name]
        is_followed = any(done[later] for later in PHASES[index + 1 :])
        steps = steps_done
        if not is_followed:
            steps = max(steps_done + _count_steps_left(before, fresh, steps_done, steps_per_epoch), 0)
        phases.append(dataclasses.replace(fresh, steps=steps, done=steps_done))
    return Schedule(steps_per_epoch, tuple(phases))


def _count_steps_left(before: Schedule, fresh: PhaseLength, steps_done: int, steps_per_epoch: int) -> int:
    """Count the steps left of a phase; fewer than 0 if more are done than the flags ask for."""
    if fresh.name == WARMUP:
        return fresh.steps - steps_done
    planned = before.phase(fresh.name)
    epochs = Fraction(planned.steps - steps_done, before.steps_per_epoch) + fresh.epochs - planned.epochs
    return math.ceil(epochs * steps_per_epoch)


def guess_steps_per_epoch(done: Mapping[str, int], config: TrainConfig) -> int | None:
    """Compute the batches in an epoch of a run without a schedule from the steps of its initialization.

    Returns:
      the number of batches; None if the initialization is not known to be over, or had no epochs.
    """
    steps = done[INITIALIZATION]
    epochs = config.initialization_epochs
    is_over = done[WARMUP] or done[ADVERSARIAL]
    return steps // epochs if is_over and steps and epochs and steps % epochs == 0 else None


def write(path: str | os.PathLike, schedule: Schedule) -> None:
    """Write schedule.json, completely or not at all. A damaged one is moved aside, which is reported."""
    if Path(path).exists() and _read(path) is None:
        print(f"{path}: moved to {atomic.move_aside(path)}, and written again", file=sys.stderr)
    atomic.write_json(path, dataclasses.asdict(schedule))


def read(path: str | os.PathLike) -> Schedule | None:
    """Read schedule.json. Return None if there is no file, or it is damaged, which is reported on standard error."""
    if not Path(path).exists():
        return None
    schedule = _read(path)
    if schedule is None:
        print(f"{path}: damaged; the lengths of the phases are taken from the last checkpoint", file=sys.stderr)
    return schedule


def _read(path: str | os.PathLike) -> Schedule | None:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        phases = tuple(PhaseLength(**phase) for phase in content["phases"])
        schedule = Schedule(content["steps_per_epoch"], phases)
        return schedule if _is_sound(schedule) else None
    except (ValueError, TypeError, KeyError):  # depends on what is wrong
        return None


def _is_sound(schedule: Schedule) -> bool:
    counts = [schedule.steps_per_epoch]
    rates: list[float] = []
    for phase in schedule.phases:
        counts += [phase.epochs, phase.steps, phase.decay_steps, phase.done]
        rates += dict(phase.learning_rates).values()
    return (
        tuple(phase.name for phase in schedule.phases) == PHASES
        and all(isinstance(count, int) and count >= 0 for count in counts)
        and all(isinstance(rate, int | float) for rate in rates)
        and schedule.steps_per_epoch > 0
    )
