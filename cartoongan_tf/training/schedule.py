"""Lengths of a run's phases in steps: as its flags ask, and once its data or its epochs have changed.

Phases are asked for in epochs and trained in steps. So a run keeps its lengths in schedule.json: when there are other
photos, or other epochs are asked for, what is done stays done, and what is ahead alone changes.
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

INITIALIZATION, WARMUP, ADVERSARIAL = PHASES = ("initialization", "warmup", "adversarial")


@dataclasses.dataclass(frozen=True)
class PhaseLength:
    """The length of a phase, and how its learning rates fall.

    Attributes:
      name: of PHASES.
      epochs: that were asked for; 0 of the warm-up, which is asked for in steps.
      steps: that they come to; fewer than `done` where the epochs were lowered.
      decay_steps: the last ones of them, in which the rates fall linearly to 0. They can be more than `steps`, where
        there are more batches an epoch now: then the rates are on their way down already.
      learning_rates: before they fall, by whose they are.
      done: steps of it done when this was planned.
    """

    name: str
    epochs: int
    steps: int
    decay_steps: int
    learning_rates: Mapping[str, float]
    done: int = 0

    @property
    def num_steps(self) -> int:
        """The length: what is done is never taken back."""
        return max(self.steps, self.done)

    @property
    def is_over(self) -> bool:
        return self.done >= self.steps


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The lengths of all phases, in their order, some of them 0; and the batches in a pass over the photos."""

    steps_per_epoch: int
    phases: tuple[PhaseLength, ...]

    @property
    def num_steps(self) -> int:
        return sum(phase.num_steps for phase in self.phases)

    @property
    def in_hand(self) -> PhaseLength | None:
        """The phase that is trained next; None: the run is finished."""
        return next((phase for phase in self.phases if not phase.is_over), None)

    def phase(self, name: str) -> PhaseLength:
        return next(phase for phase in self.phases if phase.name == name)


def plan(config: TrainConfig, steps_per_epoch: int) -> Schedule:
    """Plan a run that begins.

    Args:
      config: the recipe.
      steps_per_epoch: batches in a pass over the photos.
    """

    def phase(name: str, epochs: int, decay_epochs: int, **rates: float) -> PhaseLength:
        steps, decay_steps = epochs * steps_per_epoch, min(decay_epochs, epochs) * steps_per_epoch
        return PhaseLength(name, epochs, steps, decay_steps, rates)

    rates = {"generator": config.generator_learning_rate, "discriminator": config.discriminator_learning_rate}
    warmup_rates = {"discriminator": config.discriminator_warmup_learning_rate}
    return Schedule(
        steps_per_epoch,
        (
            phase(
                INITIALIZATION,
                config.initialization_epochs,
                config.initialization_decay_epochs,
                generator=config.initialization_learning_rate,
            ),
            PhaseLength(WARMUP, 0, config.discriminator_warmup_steps, 0, warmup_rates),
            phase(ADVERSARIAL, config.adversarial_epochs, config.adversarial_decay_epochs, **rates),
        ),
    )


def plan_rest(before: Schedule, done: Mapping[str, int], config: TrainConfig, steps_per_epoch: int) -> Schedule:
    """Plan a run that goes on: the same lengths where nothing has changed.

    A phase that another one has followed keeps the length that it had. Of the others the epochs that are left, with
    those that are asked for in addition, are passes over the photos of now. As rates fall by the epochs that are left,
    they go on from where they were.

    Args:
      before: the lengths by which those steps were done.
      done: steps done of each phase, by its name.
      config: the recipe of now.
      steps_per_epoch: batches in a pass over the photos of now.
    """
    phases = []
    for number, asked in enumerate(plan(config, steps_per_epoch).phases):
        own = done[asked.name]
        is_left_behind = any(done[later] for later in PHASES[number + 1 :])
        left = _count_steps_left(before, asked, own, steps_per_epoch)
        steps = own if is_left_behind else max(own + left, 0)
        phases.append(dataclasses.replace(asked, steps=steps, done=own))
    return Schedule(steps_per_epoch, tuple(phases))


def _count_steps_left(before: Schedule, asked: PhaseLength, done: int, steps_per_epoch: int) -> int:
    """Count what is left of a phase; it is less than 0 where more is done than is asked for."""
    if asked.name == WARMUP:
        return asked.steps - done
    planned = before.phase(asked.name)
    epochs = Fraction(planned.steps - done, before.steps_per_epoch) + asked.epochs - planned.epochs
    return math.ceil(epochs * steps_per_epoch)


def guess_steps_per_epoch(done: Mapping[str, int], config: TrainConfig) -> int | None:
    """Tell the batches in an epoch of a run that kept no schedule, by its initialization.

    Returns:
      None where that is not known: the initialization may not be over, or was left out.
    """
    steps, epochs = done[INITIALIZATION], config.initialization_epochs
    is_left_behind = done[WARMUP] or done[ADVERSARIAL]
    return steps // epochs if is_left_behind and steps and epochs and steps % epochs == 0 else None


def write(path: str | os.PathLike, schedule: Schedule) -> None:
    """Write schedule.json, whole or not at all. One that is damaged is moved aside, and that is said."""
    if Path(path).exists() and _read(path) is None:
        print(f"{path}: moved to {atomic.move_aside(path)}, and written anew", file=sys.stderr)
    atomic.write_json(path, dataclasses.asdict(schedule))


def read(path: str | os.PathLike) -> Schedule | None:
    """Read what `write` wrote; None where there is no file, or it is damaged, which is said on standard error."""
    if not Path(path).exists():
        return None
    schedule = _read(path)
    if schedule is None:
        print(f"{path}: damaged; the last checkpoint tells how long the phases are", file=sys.stderr)
    return schedule


def _read(path: str | os.PathLike) -> Schedule | None:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        phases = tuple(PhaseLength(**phase) for phase in content["phases"])
        schedule = Schedule(content["steps_per_epoch"], phases)
        return schedule if _is_sound(schedule) else None
    except (ValueError, TypeError, KeyError):  # by what stands where something else should
        return None


def _is_sound(schedule: Schedule) -> bool:
    counts, rates = [schedule.steps_per_epoch], []
    for phase in schedule.phases:
        counts += [phase.epochs, phase.steps, phase.decay_steps, phase.done]
        rates += dict(phase.learning_rates).values()
    return (
        tuple(phase.name for phase in schedule.phases) == PHASES
        and all(isinstance(count, int) and count >= 0 for count in counts)
        and all(isinstance(rate, int | float) for rate in rates)
        and schedule.steps_per_epoch > 0
    )
