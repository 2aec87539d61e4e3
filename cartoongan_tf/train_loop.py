"""The loop around a training step: distribution, progress, curves, checkpoints. It is given its steps.

A run is a list of phases, one after the other, and one count of steps over all of them. The loop knows nothing of
the networks: it calls each phase's step inside `strategy.run`, and `on_checkpoint` when a checkpoint is due.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf
from tqdm import tqdm

from cartoongan_tf.checkpoints import NOT_FINITE_ADVICE, RunCheckpoints
from cartoongan_tf.errors import InputError

FETCH_EVERY_STEPS = 10  # between looks at the losses: each look waits for the device


@dataclasses.dataclass(frozen=True)
class Phase:
    """A stretch of training with one kind of step.

    Attributes:
      name: shown in front of the progress bar and of the curves.
      num_steps: its length.
      step: called in a replica with its part of a batch; returns scalars by name whose sum over the replicas is
        reported.
    """

    name: str
    num_steps: int
    step: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]


class Done(NamedTuple):
    """The steps of a run that were done before a call, and after it."""

    before: int
    after: int


@dataclasses.dataclass(frozen=True)
class Cadence:
    """How often the loop does what: in steps."""

    checkpoint_every_steps: int
    summary_every_steps: int


def run(
    phases: Sequence[Phase],
    batches_from: Callable[[int], tf.data.Dataset],
    batch_size: int,
    strategy: tf.distribute.Strategy,
    checkpoints: RunCheckpoints,
    on_checkpoint: Callable[[int], None],
    cadence: Cadence,
    is_asked_to_stop: Callable[[], bool] = lambda: False,
) -> Done:
    """Train from the newest checkpoint, or from the start, to the end of the last phase.

    Args:
      phases: in their order.
      batches_from: the endless dataset of global batches, from the batch of a step on.
      batch_size: of a global batch; for the progress bar.
      strategy: splits each batch over its replicas.
      checkpoints: restored first; written every `checkpoint_every_steps`, and at the end of each phase.
      on_checkpoint: called with the number of steps done, right before a checkpoint is written.
      cadence: see there.
      is_asked_to_stop: asked after each step; once it is so, a checkpoint is written and the call ends.

    Returns:
      how far the run was, and how far it is.

    Raises:
      InputError: a loss is not finite (the message says which and when; the last checkpoint is good), or the
        checkpoint cannot be restored.
    """
    first_step = done = checkpoints.restore()
    if first_step:
        print(f"Going on from the checkpoint of step {first_step} of {sum(phase.num_steps for phase in phases)}.")
    phase_end = 0
    for phase in phases:
        phase_start, phase_end = phase_end, phase_end + phase.num_steps
        if done >= phase_end:
            continue
        train = _distributed(phase.step, strategy)
        batches = iter(strategy.experimental_distribute_dataset(batches_from(done)))
        with _progress_bar(phase, done - phase_start) as progress:
            while done < phase_end:
                scalars = train(next(batches))
                done += 1
                stops = is_asked_to_stop()
                checkpoint_due = done % cadence.checkpoint_every_steps == 0 or done == phase_end or stops
                summary_due = done % cadence.summary_every_steps == 0
                if checkpoint_due or summary_due or done % FETCH_EVERY_STEPS == 0:
                    values = _fetch(scalars, done, phase.name)
                    _show(progress, values, batch_size)
                if summary_due:
                    _write_curves(values, phase.name, done)
                if checkpoint_due:
                    checkpoints.require_finite(done)
                    on_checkpoint(done)  # before the checkpoint: a run cut off in between does it again
                    checkpoints.save(done)
                progress.update()
                if stops:
                    return Done(first_step, done)
    return Done(first_step, done)


def _distributed(step: Callable, strategy: tf.distribute.Strategy) -> Callable:
    """The step as one graph over all replicas, its scalars summed."""

    @tf.function
    def train(batch):
        per_replica = strategy.run(step, args=(batch,))
        return {name: strategy.reduce("SUM", value, axis=None) for name, value in per_replica.items()}

    return train


def _fetch(scalars: dict[str, tf.Tensor], step: int, phase_name: str) -> dict[str, float]:
    values = {name: float(value) for name, value in scalars.items()}
    for name, value in values.items():
        if not math.isfinite(value):
            raise InputError(f"{name} is {value} at step {step} of the run ({phase_name}). {NOT_FINITE_ADVICE}")
    return values


def _progress_bar(phase: Phase, initial: int) -> tqdm:
    return tqdm(desc=phase.name, total=phase.num_steps, initial=initial, unit="step", mininterval=1.0)


def _show(progress: tqdm, values: dict[str, float], batch_size: int) -> None:
    rate = progress.format_dict["rate"] or 0.0
    shown = {"images/s": f"{rate * batch_size:.3g}"}
    shown |= {name.removesuffix("_loss"): f"{value:.3g}" for name, value in values.items()}
    progress.set_postfix(shown, refresh=False)


def _write_curves(values: dict[str, float], phase_name: str, step: int) -> None:
    for name, value in values.items():
        tf.summary.scalar(f"{phase_name}/{name}", value, step=step)
