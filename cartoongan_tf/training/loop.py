"""The training loop: phases, checkpoints, summaries and the progress bar around a training step.

A run is a list of phases, one after the other, with one count of steps over all of them. The loop knows nothing of
the networks: it runs the step of each phase, and calls hooks when something is due.
"""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf
from tqdm import tqdm

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.training import distribution, scalars
from cartoongan_tf.training.cadence import Cadence
from cartoongan_tf.training.checkpoints import RunCheckpoints
from cartoongan_tf.training.feeds import Feeds
from cartoongan_tf.training.scalars import Values
from cartoongan_tf.training.step_graph import Step, mean_over_batches, several_steps


@dataclasses.dataclass(frozen=True)
class Phase:
    """A stretch of training with one kind of step.

    Attributes:
      name: name of the phase, shown in front of the progress bar and the curves.
      num_steps: number of steps.
      step: the training step.
      validation_step: the same losses without updates, for held-out batches; None: no validation.
      rates: function that returns the current learning rates by name, for the curves.
    """

    name: str
    num_steps: int
    step: Step
    validation_step: Step | None = None
    rates: Callable[[], Values] = dict


@dataclasses.dataclass(frozen=True)
class Hooks:
    """Functions that the loop calls. With several workers, the chief alone calls all but the last one.

    Attributes:
      on_start: called with the number of steps done before, once they are restored.
      on_checkpoint: called with the phase's name and the number of steps done, right before a checkpoint is written.
      on_values: called with the phase's name, the number of steps done and the means of the scalars, at each summary.
      is_asked_to_stop: asked after each call of steps; if it returns True, a checkpoint is written and the run ends.
    """

    on_start: Callable[[int], None] = lambda first_step: None
    on_checkpoint: Callable[[str, int], None] = lambda phase_name, step: None
    on_values: Callable[[str, int, Values], None] = lambda phase_name, step, values: None
    is_asked_to_stop: Callable[[], bool] = lambda: False


class Done(NamedTuple):
    """The number of steps of a run done before a call of `run`, and after it."""

    before: int
    after: int


def run(
    phases: Sequence[Phase],
    feeds: Feeds,
    strategy: tf.distribute.Strategy,
    checkpoints: RunCheckpoints,
    cadence: Cadence,
    hooks: Hooks = Hooks(),
) -> Done:
    """Train from the newest checkpoint, or from the start, to the end of the last phase.

    Args:
      phases: phases in their order.
      feeds: training and validation batches.
      strategy: strategy that splits each batch over its replicas.
      checkpoints: restored first; written every `checkpoint_every_steps`, and at the end of each phase.
      cadence: steps between checkpoints and summaries.
      hooks: functions to call on the way.

    Raises:
      InputError: a loss is not finite (the message names it and the step; the last checkpoint is good), or a
        checkpoint cannot be restored or written.
    """
    num_steps = sum(phase.num_steps for phase in phases)
    before = restore(checkpoints, strategy)
    if distribution.cluster_of(strategy).is_chief:
        if before:
            print(f"Resuming from the checkpoint of step {before} of {num_steps}.")
        hooks.on_start(before)
    loop = _Loop(feeds, strategy, checkpoints, cadence, hooks, num_steps, done=before)
    phase_start = 0
    for phase in phases:
        phase_end = phase_start + phase.num_steps
        loop.run_phase(phase, phase_start, phase_end)
        phase_start = phase_end
    return Done(before, loop.done)


def restore(checkpoints: RunCheckpoints, strategy: tf.distribute.Strategy) -> int:
    """Restore the newest checkpoint in all workers, and return the number of steps done.

    Raises:
      InputError: it cannot be restored, or the workers found different ones.
    """
    done = checkpoints.restore()
    steps = distribution.from_all_workers(strategy, done)
    if len(set(steps)) > 1:
        raise InputError(
            f"--run_dir: the workers found checkpoints of the steps {', '.join(map(str, steps))}; name a folder on "
            "storage that all of them share"
        )
    return done


@dataclasses.dataclass
class _Loop:
    """The state of one call of `run`.

    Attributes:
      feeds, strategy, checkpoints, cadence, hooks: arguments of `run`.
      num_steps: number of steps of all phases.
      done: number of steps done.
      stops: whether the run has been asked to stop.
    """

    feeds: Feeds
    strategy: tf.distribute.Strategy
    checkpoints: RunCheckpoints
    cadence: Cadence
    hooks: Hooks
    num_steps: int
    done: int
    stops: bool = False

    @property
    def is_chief(self) -> bool:
        return distribution.cluster_of(self.strategy).is_chief

    def run_phase(self, phase: Phase, start: int, end: int) -> None:
        """Train until step `end` of the run, or until asked to stop. Skip a phase that is over."""
        if self.stops or self.done >= end:
            return
        train = several_steps(phase.step, self.feeds.distribute_training(self.strategy, self.done), self.strategy)
        validate = build_validation(phase, self.feeds, self.strategy)
        window = scalars.Window(phase.name)
        with _progress_bar(phase, self.done - start, is_shown=self.is_chief) as progress:
            while self.done < end and not self.stops:
                num_steps = self.cadence.steps_in_next_call(self.done, end)
                window.add(self.done, train(num_steps), num_steps * self.feeds.batch_size)
                self.done += num_steps
                self.stops = distribution.any_worker(self.strategy, self.hooks.is_asked_to_stop())
                due = self.cadence.due(self.done, num_steps, is_last=self.stops or self.done == end)
                # In this order: a loss that is not finite stops the run before anything is written.
                if due.fetch:
                    scalars.show(progress, window.fetch(), self.feeds.batch_size)
                if due.summary:
                    self._summarize(phase, window.close())
                if due.checkpoint:
                    with window.paused():
                        self._checkpoint(phase, validate)
                progress.update(num_steps)

    def _summarize(self, phase: Phase, means: Values) -> None:
        if self.is_chief:
            scalars.write(means | phase.rates(), phase.name, self.done)
            self.hooks.on_values(phase.name, self.done, means)

    def _checkpoint(self, phase: Phase, validate: Callable[[], Values] | None) -> None:
        """Validate and write a checkpoint. If the disk is full, continue without it, unless it is the last one."""
        self.checkpoints.require_finite(self.done)
        validation_values = validate() if validate else {}
        if not self.is_chief:
            return
        scalars.write(validation_values, f"{phase.name}/validation", self.done)
        try:
            # Before the checkpoint: a run that is interrupted in between calls the hook again.
            self.hooks.on_checkpoint(phase.name, self.done)
            self.checkpoints.save(self.done)
        except OSError as error:
            if self.stops or self.done == self.num_steps:
                raise
            tqdm.write(
                f"{error.filename}: {error.strerror}: step {self.done} is not saved. Training continues, and saves "
                "again at the next checkpoint; make room there until then.",
                file=sys.stderr,
            )


def build_validation(phase: Phase, feeds: Feeds, strategy: tf.distribute.Strategy) -> Callable[[], Values] | None:
    """Return a function that computes a phase's mean losses on the held-out batches; None if there are none."""
    if feeds.validation is None or phase.validation_step is None:
        return None
    return mean_over_batches(phase.validation_step, feeds.distribute_validation(strategy), strategy)


def _progress_bar(phase: Phase, initial: int, is_shown: bool) -> Bar:
    return Bar(
        desc=phase.name, total=phase.num_steps, initial=initial, unit="step", mininterval=1.0, disable=not is_shown
    )
