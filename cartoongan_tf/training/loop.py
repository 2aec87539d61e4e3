"""The loop around a training step: distribution, progress, curves, checkpoints. It is given its steps.

A run is a list of phases, one after the other, and one count of steps over all of them. The loop knows nothing of
the networks: it calls each phase's step inside `strategy.run`, and its hooks where something is due.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.training import distribution, scalars
from cartoongan_tf.training.checkpoints import RunCheckpoints
from cartoongan_tf.training.scalars import Values

FETCH_EVERY_STEPS = 10  # between looks at the losses: each look waits for the device

Step = Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Phase:
    """A stretch of training with one kind of step.

    Attributes:
      name: shown in front of the progress bar and of the curves.
      num_steps: its length.
      step: called in a replica with its part of a batch; returns float32 scalars by name whose sum over the replicas
        is reported.
      validation_step: the same without updates, for held-out batches.
      rates: learning rates by name, for the curves.
    """

    name: str
    num_steps: int
    step: Step
    validation_step: Step | None = None
    rates: Callable[[], Values] = dict


@dataclasses.dataclass(frozen=True)
class Feeds:
    """Where batches come from.

    Attributes:
      training: (first batch, number of workers, which of them this is) -> the endless dataset of this worker's part of
        each batch.
      batch_size: of a global batch.
      validation: (number of workers, which of them this is) -> its part of held-out batches of the same size, the same
        ones each time; None: no validation.
    """

    training: Callable[[int, int, int], tf.data.Dataset]
    batch_size: int
    validation: Callable[[int, int], tf.data.Dataset] | None = None


@dataclasses.dataclass(frozen=True)
class Hooks:
    """What others do while a run goes on; with several workers, in the chief alone, but for the last one.

    Attributes:
      on_start: called with the number of steps done before, once they are restored.
      on_checkpoint: called with the phase's name and the number of steps done, right before a checkpoint is written.
      on_values: called with the phase's name, the number of steps done and the means of the scalars, at each summary.
      is_asked_to_stop: asked after each call of steps; once it is so, a checkpoint is written and the run ends.
    """

    on_start: Callable[[int], None] = lambda first_step: None
    on_checkpoint: Callable[[str, int], None] = lambda phase_name, step: None
    on_values: Callable[[str, int, Values], None] = lambda phase_name, step, values: None
    is_asked_to_stop: Callable[[], bool] = lambda: False


@dataclasses.dataclass(frozen=True)
class Cadence:
    """How often the loop does what: in steps."""

    checkpoint_every_steps: int
    summary_every_steps: int
    steps_per_call: int = 1


class Done(NamedTuple):
    """The steps of a run that were done before a call, and after it."""

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
      phases: in their order.
      feeds: see there.
      strategy: splits each batch over its replicas.
      checkpoints: restored first; written every `checkpoint_every_steps`, and at the end of each phase.
      cadence: see there.
      hooks: see there.

    Returns:
      how far the run was, and how far it is.

    Raises:
      InputError: a loss is not finite (the message says which and when; the last checkpoint is good), or a
        checkpoint cannot be restored or written.
    """
    before, num_steps = restore(checkpoints, strategy), sum(phase.num_steps for phase in phases)
    if distribution.cluster_of(strategy).is_chief:
        if before:
            print(f"Going on from the checkpoint of step {before} of {num_steps}.")
        hooks.on_start(before)
    loop = _Loop(feeds, strategy, checkpoints, cadence, hooks, before, num_steps)
    phase_end = 0
    for phase in phases:
        phase_start, phase_end = phase_end, phase_end + phase.num_steps
        loop.run_phase(phase, phase_start, phase_end)
    return Done(before, loop.done)


def restore(checkpoints: RunCheckpoints, strategy: tf.distribute.Strategy) -> int:
    """Restore the newest checkpoint in all workers; the number of steps done.

    Raises:
      InputError: it cannot be restored; or the workers found different ones.
    """
    done = checkpoints.restore()
    steps = distribution.from_all_workers(strategy, done)
    if len(set(steps)) > 1:
        raise InputError(
            f"--run_dir: the workers found checkpoints of the steps {', '.join(map(str, steps))}; name a folder on "
            "storage that all of them share"
        )
    return done


class _Loop:
    """One call of `run`: what it was given, and how far it is."""

    def __init__(
        self,
        feeds: Feeds,
        strategy: tf.distribute.Strategy,
        checkpoints: RunCheckpoints,
        cadence: Cadence,
        hooks: Hooks,
        done: int,
        num_steps: int,
    ):
        self._feeds, self._strategy, self._checkpoints = feeds, strategy, checkpoints
        self._cadence, self._hooks = cadence, hooks
        self._is_chief = distribution.cluster_of(strategy).is_chief
        self.done, self._num_steps = done, num_steps
        self._stops = False

    def run_phase(self, phase: Phase, start: int, end: int) -> None:
        """Train until step `end` of the run, or until asked to stop; a phase that is done already is passed by."""
        if self._stops or self.done >= end:
            return
        train = ready_to_train(phase, self._feeds, self._strategy, self.done)
        validate = ready_to_validate(phase, self._feeds, self._strategy)
        window = scalars.Window(phase.name)
        with _progress_bar(phase, self.done - start, is_shown=self._is_chief) as progress:
            while self.done < end and not self._stops:
                num_steps = self._steps_in_next_call(end)
                window.add(self.done, train(num_steps), num_steps * self._feeds.batch_size)
                self.done += num_steps
                self._stops = distribution.any_worker(self._strategy, self._hooks.is_asked_to_stop())
                phase_ends = self._stops or self.done == end
                checkpoint_due = phase_ends or self.done % self._cadence.checkpoint_every_steps == 0
                summary_due = phase_ends or _is_passed(self._cadence.summary_every_steps, self.done, num_steps)
                if checkpoint_due or summary_due or _is_passed(FETCH_EVERY_STEPS, self.done, num_steps):
                    scalars.show(progress, window.fetch(), self._feeds.batch_size)
                if summary_due:
                    self._summarise(phase, window.close())
                if checkpoint_due:
                    with window.paused():
                        self._checkpoint(phase, validate)
                progress.update(num_steps)

    def _steps_in_next_call(self, end: int) -> int:
        """No call goes past a checkpoint."""
        every = self._cadence.checkpoint_every_steps
        return min(self._cadence.steps_per_call, every - self.done % every, end - self.done)

    def _summarise(self, phase: Phase, means: Values) -> None:
        if self._is_chief:
            scalars.write(means | phase.rates(), phase.name, self.done)
            self._hooks.on_values(phase.name, self.done, means)

    def _checkpoint(self, phase: Phase, validate: Callable[[], Values] | None) -> None:
        """Write a checkpoint; where the disk is full, go on without it, unless it is the last one."""
        self._checkpoints.require_finite(self.done)
        validated = validate() if validate else {}
        if not self._is_chief:
            return
        scalars.write(validated, f"{phase.name}/validation", self.done)
        try:
            # Before the checkpoint: a run cut off in between does this again.
            self._hooks.on_checkpoint(phase.name, self.done)
            self._checkpoints.save(self.done)
        except OSError as error:
            if self._stops or self.done == self._num_steps:
                raise
            tqdm.write(
                f"{error.filename}: {error.strerror}: step {self.done} is not saved. Training goes on, and saves again "
                "at the next checkpoint; make room there until then.",
                file=sys.stderr,
            )


def ready_to_train(
    phase: Phase, feeds: Feeds, strategy: tf.distribute.Strategy, first_step: int
) -> Callable[[int], dict[str, tf.Tensor]]:
    """Trace a phase's step, and return what does so many more steps at each call: {name: float32 [how many]}."""
    # Said to be endless: else the workers would ask one another at each step whether there is more.
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)

    def batches_of(num_workers: int, worker: int) -> tf.data.Dataset:
        return feeds.training(first_step, num_workers, worker).apply(endless)

    batches = iter(_distributed(batches_of, feeds.batch_size, strategy))
    train = several_steps(phase.step, batches, strategy)
    return lambda num_steps: train(batches, tf.constant(num_steps))


def ready_to_validate(phase: Phase, feeds: Feeds, strategy: tf.distribute.Strategy) -> Callable[[], Values] | None:
    """Return what takes a phase's losses on the held-out batches, their means by name; None where there are none."""
    if feeds.validation is None or phase.validation_step is None:
        return None
    batches = _distributed(feeds.validation, feeds.batch_size, strategy)
    step = _on_all_replicas(phase.validation_step, strategy)

    def validate() -> Values:
        scalars = [step(batch) for batch in batches]
        return {name: float(np.mean([each[name] for each in scalars])) for name in scalars[0]}

    return validate


def _distributed(
    batches_of: Callable[[int, int], tf.data.Dataset], batch_size: int, strategy: tf.distribute.Strategy
) -> tf.distribute.DistributedDataset:
    """This worker's part of each batch, dealt out to its replicas."""

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        batches = batches_of(context.num_input_pipelines, context.input_pipeline_id)
        return batches.rebatch(context.get_per_replica_batch_size(batch_size))

    return strategy.distribute_datasets_from_function(of_worker)


def several_steps(step: Step, batches: Iterator, strategy: tf.distribute.Strategy) -> Callable:
    """Steps as one graph over all replicas: (distributed batches, how many int32 []) -> {name: float32 [how many]}."""
    on_all_replicas = _on_all_replicas(step, strategy)

    @tf.function
    def one_step(batches):
        return on_all_replicas(next(batches))

    names = one_step.get_concrete_function(batches).structured_outputs
    signature = {name: tf.TensorSpec([], tf.float32) for name in names}

    @tf.function
    def train(batches, num_steps):
        return tf.map_fn(
            lambda _: one_step(batches), tf.range(num_steps), fn_output_signature=signature, parallel_iterations=1
        )

    return train


def _on_all_replicas(step: Step, strategy: tf.distribute.Strategy) -> Callable:
    """The step over all replicas, its scalars summed: all at once, as each sum is a message between devices."""
    names = []

    def stacked(batch):
        scalars = step(batch)
        names[:] = scalars
        return tf.stack(list(scalars.values()))

    @tf.function
    def run_step(batch):
        sums = strategy.reduce("SUM", strategy.run(stacked, args=(batch,)), axis=None)
        return dict(zip(names, tf.unstack(sums, num=len(names)), strict=True))

    return run_step


def _is_passed(every_steps: int, done: int, num_steps: int) -> bool:
    """Whether a multiple of `every_steps` lies in the last `num_steps`."""
    return (done - num_steps) // every_steps < done // every_steps


def _progress_bar(phase: Phase, initial: int, is_shown: bool) -> Bar:
    return Bar(
        desc=phase.name, total=phase.num_steps, initial=initial, unit="step", mininterval=1.0, disable=not is_shown
    )
