"""The loop around a training step: distribution, progress, curves, checkpoints. It is given its steps.

A run is a list of phases, one after the other, and one count of steps over all of them. The loop knows nothing of
the networks: it calls each phase's step inside `strategy.run`, and its hooks where something is due.
"""

import contextlib
import dataclasses
import functools
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from cartoongan_tf import strategies
from cartoongan_tf.checkpoints import NOT_FINITE_ADVICE, RunCheckpoints
from cartoongan_tf.errors import InputError

FETCH_EVERY_STEPS = 10  # between looks at the losses: each look waits for the device

Step = Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]
Values = dict[str, float]


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
    """What others do while a run goes on.

    Attributes:
      on_start: called with the number of steps done before, once they are restored.
      on_checkpoint: called with the phase's name and the number of steps done, right before a checkpoint is written;
        in the chief alone.
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
    before = checkpoints.restore()
    _require_the_same_step(strategies.from_all_workers(strategy, before))
    if before:
        print(f"Going on from the checkpoint of step {before} of {sum(phase.num_steps for phase in phases)}.")
    hooks.on_start(before)
    loop = _Loop(feeds, strategy, checkpoints, cadence, hooks, done=before)
    phase_end = 0
    for phase in phases:
        phase_start, phase_end = phase_end, phase_end + phase.num_steps
        loop.run_phase(phase, phase_start, phase_end)
    return Done(before, loop.done)


def _require_the_same_step(steps: list[int]) -> None:
    if len(set(steps)) > 1:
        raise InputError(
            f"--run_dir: the workers found checkpoints of the steps {', '.join(map(str, steps))}; name a folder on "
            "storage that all of them share"
        )


class _Loop:
    """One call of `run`: what it was given, and how far it is."""

    def __init__(self, feeds: Feeds, strategy, checkpoints: RunCheckpoints, cadence: Cadence, hooks: Hooks, done: int):
        self._feeds, self._strategy, self._checkpoints = feeds, strategy, checkpoints
        self._cadence, self._hooks = cadence, hooks
        self._is_chief = strategies.cluster_of(strategy).is_chief
        self.done = done
        self._stops = False

    def run_phase(self, phase: Phase, start: int, end: int) -> None:
        """Train until step `end` of the run, or until asked to stop; a phase that is done already is passed by."""
        if self._stops or self.done >= end:
            return
        train = ready_to_train(phase, self._feeds, self._strategy, self.done)
        validate = self._validation(phase)
        window = _Window(phase.name)
        with _progress_bar(phase, self.done - start, is_shown=self._is_chief) as progress:
            while self.done < end and not self._stops:
                num_steps = self._steps_in_next_call(end)
                window.add(self.done, train(num_steps), num_steps * self._feeds.batch_size)
                self.done += num_steps
                self._stops = strategies.any_worker(self._strategy, self._hooks.is_asked_to_stop())
                is_last = self._stops or self.done == end
                checkpoint_due = is_last or self.done % self._cadence.checkpoint_every_steps == 0
                summary_due = _is_passed(self._cadence.summary_every_steps, self.done, num_steps)
                if checkpoint_due or summary_due or _is_passed(FETCH_EVERY_STEPS, self.done, num_steps):
                    _show(progress, window.fetch(), self._feeds.batch_size)
                if summary_due:
                    self._summarise(phase, window.close())
                if checkpoint_due:
                    with window.paused():
                        self._checkpoint(phase, validate, is_last)
                progress.update(num_steps)

    def _steps_in_next_call(self, end: int) -> int:
        """No call goes past a checkpoint."""
        every = self._cadence.checkpoint_every_steps
        return min(self._cadence.steps_per_call, every - self.done % every, end - self.done)

    def _summarise(self, phase: Phase, means: Values) -> None:
        _write_curves(means | phase.rates(), phase.name, self.done)
        self._hooks.on_values(phase.name, self.done, means)

    def _validation(self, phase: Phase) -> Callable[[], Values] | None:
        if self._feeds.validation is None or phase.validation_step is None:
            return None
        batches = _distributed(self._feeds.validation, self._feeds.batch_size, self._strategy)
        step = _on_all_replicas(phase.validation_step, self._strategy)

        def validate() -> Values:
            scalars = [step(batch) for batch in batches]
            return {name: float(np.mean([each[name] for each in scalars])) for name in scalars[0]}

        return validate

    def _checkpoint(self, phase: Phase, validate: Callable[[], Values] | None, is_last: bool) -> None:
        """Write a checkpoint; where the disk is full, go on without it, unless it is the last one."""
        self._checkpoints.require_finite(self.done)
        if validate:
            _write_curves(validate(), f"{phase.name}/validation", self.done)
        if not self._is_chief:
            return
        try:
            # Before the checkpoint: a run cut off in between does this again.
            self._hooks.on_checkpoint(phase.name, self.done)
            self._checkpoints.save(self.done)
        except OSError as error:
            if is_last:
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
    batches = iter(_distributed(functools.partial(feeds.training, first_step), feeds.batch_size, strategy))
    train = several_steps(phase.step, batches, strategy)
    return lambda num_steps: train(batches, tf.constant(num_steps))


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
    """The step over all replicas, its scalars summed."""

    @tf.function
    def run_step(batch):
        per_replica = strategy.run(step, args=(batch,))
        return {name: strategy.reduce("SUM", value, axis=None) for name, value in per_replica.items()}

    return run_step


class _Window:
    """The scalars of the steps since the last summary, and the time that they took."""

    def __init__(self, phase_name: str):
        self._phase_name = phase_name
        self._pending: list[tuple[int, dict[str, tf.Tensor]]] = []
        self._open()

    def _open(self) -> None:
        self._values: dict[str, list[float]] = {}
        self._num_images, self._began = 0, time.monotonic()

    def add(self, first_step: int, scalars: dict[str, tf.Tensor], num_images: int) -> None:
        """Take the scalars of steps, [steps] each, as the device will have them."""
        self._pending.append((first_step, scalars))
        self._num_images += num_images

    def fetch(self) -> Values:
        """Wait for what was added, and return the newest values.

        Raises:
          InputError: one is not finite; the first of them is named.
        """
        for first_step, scalars in self._pending:
            values = {name: tensor.numpy() for name, tensor in scalars.items()}
            _require_finite(values, first_step, self._phase_name)
            for name, of_steps in values.items():
                self._values.setdefault(name, []).extend(of_steps.tolist())
        self._pending.clear()
        return {name: of_steps[-1] for name, of_steps in self._values.items()}

    def close(self) -> Values:
        """The means of what was fetched, with images a second; then begin anew."""
        seconds = max(time.monotonic() - self._began, 1e-9)
        means = {name: math.fsum(of_steps) / len(of_steps) for name, of_steps in self._values.items()}
        means["images_per_second"] = self._num_images / seconds
        self._open()
        return means

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time of the block out."""
        began = time.monotonic()
        yield
        self._began += time.monotonic() - began


def _require_finite(values: dict[str, np.ndarray], first_step: int, phase_name: str) -> None:
    finite = np.logical_and.reduce([np.isfinite(of_steps) for of_steps in values.values()])
    if finite.all():
        return
    index = int(np.argmin(finite))
    terms = [f"{name} is {of_steps[index]}" for name, of_steps in values.items() if not np.isfinite(of_steps[index])]
    raise InputError(
        f"{', '.join(terms)} at step {first_step + index + 1} of the run ({phase_name}). {NOT_FINITE_ADVICE}"
    )


def _is_passed(every_steps: int, done: int, num_steps: int) -> bool:
    """Whether a multiple of `every_steps` lies in the last `num_steps`."""
    return (done - num_steps) // every_steps < done // every_steps


def _progress_bar(phase: Phase, initial: int, is_shown: bool) -> tqdm:
    return tqdm(
        desc=phase.name, total=phase.num_steps, initial=initial, unit="step", mininterval=1.0, disable=not is_shown
    )


def _show(progress: tqdm, values: Values, batch_size: int) -> None:
    rate = progress.format_dict["rate"] or 0.0
    shown = {"images/s": f"{rate * batch_size:.3g}"}
    kept = {name: value for name, value in values.items() if not name.endswith("_gradient_norm")}
    shown |= {name.removesuffix("_loss"): f"{value:.3g}" for name, value in kept.items()}
    progress.set_postfix(shown, refresh=False)


def _write_curves(values: Values, phase_name: str, step: int) -> None:
    for name, value in values.items():
        tf.summary.scalar(f"{phase_name}/{name}", value, step=step)
