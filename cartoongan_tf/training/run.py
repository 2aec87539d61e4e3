"""A training run from its recipe to its folder: networks, phases and loop, put together; and its dry run."""

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from cartoongan_tf.base import atomic, signals
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import flagfile_text
from cartoongan_tf.training import distribution, dry_run, dry_run_report, loop, run_record, schedule
from cartoongan_tf.training.cadence import Cadence
from cartoongan_tf.training.checkpoints import RunCheckpoints
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.dead_filters import find_dead_filters
from cartoongan_tf.training.health_guard import PATIENCE_STEPS, HealthGuard
from cartoongan_tf.training.inputs import Inputs
from cartoongan_tf.training.networks import Networks, build_networks, generator_to_use, load_initial_generator
from cartoongan_tf.training.phases import build_phases
from cartoongan_tf.training.resumption import Resumption, find_resumption
from cartoongan_tf.training.run_folder import RunFolder
from cartoongan_tf.training.samples import draw_samples
from cartoongan_tf.training.schedule import ADVERSARIAL
from cartoongan_tf.training.worker_agreement import require_same_everywhere

_LEAST_PATIENCE_STEPS = 100


def build_run(
    config: TrainConfig, folder: RunFolder, strategy: tf.distribute.Strategy, inputs: Inputs
) -> "TrainingRun":
    """Build networks, phases and checkpoints of a run; all workers call it alike.

    Raises:
      InputError: VGG19's weights or --initial_generator cannot be used.
    """
    resumption = find_resumption(folder, config, inputs.steps_per_epoch)
    initial_generator = None
    if config.initial_generator and not folder.has_begun:
        initial_generator = load_initial_generator(config.initial_generator)
    with strategy.scope():
        networks = build_networks(config, resumption.schedule, inputs.image_size)
    if initial_generator is not None:
        networks.start_from(initial_generator)
    phases = build_phases(config, networks, resumption.schedule)
    return TrainingRun(
        config=config,
        folder=folder,
        strategy=strategy,
        inputs=inputs,
        resumption=resumption,
        networks=networks,
        phases=phases,
        checkpoints=RunCheckpoints(
            folder.checkpoints, networks.saved(), config.keep_checkpoints, config.keep_every_steps
        ),
        guard=_build_guard(config, phases[-1].num_steps, folder.warn),
    )


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """A training run, ready to begin or to resume.

    Attributes:
      config: the recipe.
      folder: folder that the run is written to.
      strategy: devices that the run is trained on.
      inputs: batches and samples.
      resumption: the step to begin at, and the lengths of the phases from there.
      networks: networks and optimizers, all of them fresh until the newest checkpoint is restored.
      phases: all phases in their order.
      checkpoints: checkpoints of the run.
      guard: watches adversarial training.
    """

    config: TrainConfig
    folder: RunFolder
    strategy: tf.distribute.Strategy
    inputs: Inputs
    resumption: Resumption
    networks: Networks
    phases: Sequence[loop.Phase]
    checkpoints: RunCheckpoints
    guard: HealthGuard

    @property
    def num_steps(self) -> int:
        return self.resumption.schedule.num_steps

    @property
    def _last_phase(self) -> loop.Phase:
        return [phase for phase in self.phases if phase.num_steps][-1]

    @property
    def _cluster(self) -> distribution.Cluster:
        return distribution.cluster_of(self.strategy)

    def run(self) -> int:
        """Train from the newest checkpoint, or from the start.

        Returns:
          the exit status: 0, or 128 plus the signal's number if the run was asked to stop before its end.

        Raises:
          InputError: as `loop.run`; or another run is writing to the folder, the workers do not train the same, or a
            step does not fit into memory.
        """
        if not self._cluster.is_chief:
            return self._run(tf.summary.create_noop_writer())
        with atomic.locked(self.folder.path):
            self.folder.write_flags(self.config)
            return self._run(tf.summary.create_file_writer(str(self.folder.summaries)))

    def _run(self, summaries: tf.summary.SummaryWriter) -> int:
        config = self.config
        require_same_everywhere(self.strategy, self.config, self.folder, self.resumption)
        cadence = Cadence(config.checkpoint_every_steps, config.summary_every_steps, config.steps_per_call)
        with summaries.as_default(), signals.stop_requests() as stop_signal, _explaining_memory():
            hooks = loop.Hooks(
                on_start=self._record_start,
                on_checkpoint=self._write_results,
                on_values=self._watch_losses,
                is_asked_to_stop=lambda: stop_signal() != 0,
            )
            done = loop.run(self.phases, self.inputs.feeds, self.strategy, self.checkpoints, cadence, hooks)
            stopped_by = max(distribution.from_all_workers(self.strategy, stop_signal()))
            if self._cluster.is_chief and not self.folder.generator.exists():  # somebody has deleted it
                self._write_results(self._last_phase.name, self.num_steps)
        if self._cluster.is_chief:
            _print_end(self.folder, done, self.num_steps)
        return 0 if done.after >= self.num_steps else 128 + stopped_by

    def dry_run(self) -> int:
        """Run a few steps of each phase, and print the time and space that training takes; write nothing.

        Returns:
          the exit status: 0, or 1 if disk or memory are short.

        Raises:
          InputError: the newest checkpoint cannot be used, the workers do not train the same, or a step does not fit
            into memory.
        """
        if self._cluster.is_chief:
            print(flagfile_text(self.config, "All flags, as resolved."), flush=True)
        require_same_everywhere(self.strategy, self.config, self.folder, self.resumption)
        done = loop.restore(self.checkpoints, self.strategy)
        with _explaining_memory():
            secs = dry_run.TIMED_SECS if self._cluster.num_workers == 1 else 0
            phases = list(dry_run.time_phases(self.phases, self.inputs.feeds, self.strategy, done, secs))
            checkpoints = self._estimate_checkpoints(self.num_steps - done)
        rooms = [self._check_disk(), *dry_run_report.memory_check()]
        if self._cluster.is_chief:
            self._report_changes()
            advice = "; raise --adversarial_epochs to train for longer" if done >= self.num_steps else ""
            print(f"{done} of {self.num_steps} steps are done{advice}.")
            total_secs = sum(phase.secs for phase in phases) + checkpoints.secs
            slow = dry_run.advise(self.config, total_secs)
            print(dry_run_report.report(self.inputs.description, phases, checkpoints, rooms, slow))
        return 1 if any(room.is_short for room in rooms) else 0

    def _estimate_checkpoints(self, num_steps: int) -> dry_run_report.CheckpointEstimate:
        """Time a checkpoint. Every worker takes part in the validation; the chief alone writes."""
        validate = loop.build_validation(self._last_phase, self.inputs.feeds, self.strategy)
        secs = dry_run.time_validation(validate)
        if self._cluster.is_chief:
            place = self.folder.existing_place
            secs += dry_run.time_checkpoint(self.config, self.networks, place, self._write_samples)
        return dry_run_report.CheckpointEstimate(-(-num_steps // self.config.checkpoint_every_steps), secs)

    def _check_disk(self) -> dry_run_report.Room:
        keep_every_steps = self.config.keep_every_steps
        return dry_run_report.disk_check(
            self.folder.path,
            checkpoint_bytes=dry_run_report.variable_bytes(self.networks.saved().values()),
            keep_checkpoints=self.config.keep_checkpoints,
            generator_bytes=dry_run_report.variable_bytes([self.networks.generator]),
            num_kept=self.num_steps // keep_every_steps if keep_every_steps else 0,
        )

    def _record_start(self, first_step: int) -> None:
        """Report what has changed since the last start, and write schedule and record."""
        if first_step != self.resumption.step:
            raise InputError(
                f"{self.folder.path}: another run has written there meanwhile; give the same command again"
            )
        self._report_changes()
        # Before the record: a record of these data promises that their lengths are in the schedule.
        schedule.write(self.folder.schedule, self.resumption.schedule)
        devices = self.strategy.extended.worker_devices
        run_record.record_start(self.folder.record, self.config, first_step, self.config.data_dir, devices)

    def _report_changes(self) -> None:
        for sentence in self.resumption.list_changes(str(self.folder.path), self.config.data_dir):
            print(sentence, file=sys.stderr)

    def _write_samples(self, folder: RunFolder, step: int = 0) -> np.ndarray:
        """Write generator and samples into a folder; return the samples' cartoons, uint8 RGB [N, S, S, 3]."""
        generator = generator_to_use(self.networks, self.config)
        cartoons = draw_samples(generator, self.inputs.photos, step)
        versions = (self.inputs.photos, self.inputs.drawings, cartoons)
        folder.write_results(generator, [each for each in versions if each is not None], step)
        return cartoons

    def _write_results(self, phase_name: str, step: int) -> None:
        generated = self._write_samples(self.folder, step)
        self.guard.see_filters(step, *find_dead_filters(self.networks.generator, self.inputs.photos))
        if phase_name == ADVERSARIAL:
            self.guard.see_pictures(step, self.inputs.photos, generated, self.inputs.cartoons)

    def _watch_losses(self, phase_name: str, step: int, values: dict[str, float]) -> None:
        if phase_name == ADVERSARIAL:
            self.guard.see_losses(step, values)


def _build_guard(config: TrainConfig, num_steps: int, warn: Callable[[str], None]) -> HealthGuard:
    """Build the guard of adversarial training of so many steps.

    Its patience is a fiftieth of the steps; in short runs a fifth of them, but no more than `PATIENCE_STEPS`.
    """
    patience = max(num_steps // 50, min(num_steps // 5, PATIENCE_STEPS), _LEAST_PATIENCE_STEPS)
    return HealthGuard(config.adversarial_loss, config.edge_loss_weight, warn, patience)


@contextlib.contextmanager
def _explaining_memory() -> Iterator[None]:
    """Raise InputError with advice if the block runs out of memory."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise InputError(
            f"a step does not fit into memory ({error.message.splitlines()[0]}). {dry_run_report.MEMORY_ADVICE}"
        ) from error


def _print_end(folder: RunFolder, done: loop.Done, num_steps: int) -> None:
    """Print the state of the run and the next command."""
    if done.after < num_steps:
        print(f"Stopped with a checkpoint in {folder.checkpoints}. Give the same command again to resume.")
        return
    if done.before == done.after:
        print(f"All {num_steps} steps of {folder.path} are done already; raise --adversarial_epochs to train on.")
    print(
        f"The generator is {folder.generator}, samples are in {folder.samples}. Cartoonize a photo:\n"
        f"    python -m cartoongan_tf.cartoonize --model={folder.generator} photo.jpg"
    )
