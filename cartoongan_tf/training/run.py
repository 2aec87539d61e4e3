"""One training run from its recipe to its folder: networks, phases and loop, put together; and its rehearsal."""

import contextlib
import dataclasses
import sys
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from cartoongan_tf.base import atomic, signals
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import flagfile_text
from cartoongan_tf.training import distribution, dry_run, dry_run_report, loop, run_record, schedule
from cartoongan_tf.training.checkpoints import RunCheckpoints
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.health_guard import PATIENCE_STEPS, HealthGuard
from cartoongan_tf.training.inputs import Inputs
from cartoongan_tf.training.networks import build_networks, generator_to_use, load_initial_generator
from cartoongan_tf.training.phases import build_phases
from cartoongan_tf.training.precision import precision_to_use
from cartoongan_tf.training.resumption import find_resumption
from cartoongan_tf.training.run_folder import RunFolder
from cartoongan_tf.training.samples import draw_samples
from cartoongan_tf.training.schedule import ADVERSARIAL

_LEAST_PATIENCE_STEPS = 100


class TrainingRun:
    """A run, ready to begin or to go on."""

    def __init__(self, config: TrainConfig, folder: RunFolder, strategy: tf.distribute.Strategy, inputs: Inputs):
        """Build everything; in all workers alike.

        Raises:
          InputError: VGG19's weights or --initial_generator cannot be used.
        """
        self._config, self._folder, self._strategy, self._inputs = config, folder, strategy, inputs
        cluster = distribution.cluster_of(strategy)
        self._is_chief, self._has_workers = cluster.is_chief, cluster.num_workers > 1
        self._resumption = find_resumption(folder, config, inputs.steps_per_epoch)
        lengths, begins_from = self._resumption.schedule, None
        if config.initial_generator and not folder.has_begun:
            begins_from = load_initial_generator(config.initial_generator)
        with strategy.scope():
            self._networks = build_networks(config, lengths, inputs.image_size)
        if begins_from is not None:
            self._networks.start_from(begins_from)
        self._phases = build_phases(config, self._networks, lengths)
        self._num_steps = lengths.num_steps
        self._checkpoints = RunCheckpoints(
            folder.checkpoints, self._networks.saved(), config.keep_checkpoints, config.keep_every_steps
        )
        self._guard = _build_guard(config, self._phases[-1].num_steps, folder.warn)

    def run(self) -> int:
        """Train from the newest checkpoint, or from the start.

        Returns:
          the exit status: 0, or 128 and the signal's number where it was asked to stop before the end.

        Raises:
          InputError: see `loop.run`; or another run is writing to the folder, the workers do not train the same,
            or a step does not fit into memory.
        """
        if not self._is_chief:
            return self._run(tf.summary.create_noop_writer())
        with atomic.locked(self._folder.path):
            self._folder.write_flags(self._config)
            return self._run(tf.summary.create_file_writer(str(self._folder.summaries)))

    def _run(self, curves: tf.summary.SummaryWriter) -> int:
        config, folder, num_steps = self._config, self._folder, self._num_steps
        self._require_same_everywhere()
        cadence = loop.Cadence(config.checkpoint_every_steps, config.summary_every_steps, config.steps_per_call)
        with curves.as_default(), signals.stop_requests() as stop_signal, _explaining_memory():
            hooks = loop.Hooks(self._note_start, self._write_results, self._watch_losses, lambda: stop_signal() != 0)
            done = loop.run(self._phases, self._inputs.feeds, self._strategy, self._checkpoints, cadence, hooks)
            stopped_by = max(distribution.from_all_workers(self._strategy, stop_signal()))
            if self._is_chief and not folder.generator.exists():  # deleted since
                self._write_results(self._phases[-1].name, num_steps)
        if self._is_chief:
            _print_end(folder, done, num_steps)
        return 0 if done.after >= num_steps else 128 + stopped_by

    def rehearse(self) -> int:
        """Try a few steps of each phase, and print what the run will take; nothing is written.

        Returns:
          the exit status: 0, or 1 where disk or memory are short.

        Raises:
          InputError: the newest checkpoint cannot be used, the workers do not train the same, or a step does not fit
            into memory.
        """
        config = self._config
        if self._is_chief:
            print(flagfile_text(config, "All flags, as resolved."), flush=True)
        self._require_same_everywhere()
        done = loop.restore(self._checkpoints, self._strategy)
        with _explaining_memory():
            secs = 0 if self._has_workers else dry_run.REHEARSED_SECS
            estimates = list(dry_run.rehearse_phases(self._phases, self._inputs.feeds, self._strategy, done, secs))
            checkpoints = self._estimate_checkpoints(self._num_steps - done)
        rooms = [self._disk_check(), *dry_run_report.memory_check()]
        if self._is_chief:
            self._say_changes()
            advice = "; raise --adversarial_epochs to go on" if done >= self._num_steps else ""
            print(f"{done} of {self._num_steps} steps are done{advice}.")
            total = sum(estimate.secs for estimate in (*estimates, checkpoints))
            slow = dry_run.advise(config, total)
            print(dry_run_report.report(self._inputs.description, estimates, checkpoints, rooms, slow))
        return 1 if any(room.is_short for room in rooms) else 0

    def _estimate_checkpoints(self, num_steps: int) -> dry_run_report.CheckpointEstimate:
        """Rehearse one; every worker takes part in the held-out losses, the chief alone writes."""
        validate = loop.ready_to_validate(self._phases[-1], self._inputs.feeds, self._strategy)
        secs = dry_run.rehearse_validation(validate)
        if self._is_chief:
            place = self._folder.existing_place
            secs += dry_run.rehearse_checkpoint(self._config, self._networks, place, self._write_samples)
        return dry_run_report.CheckpointEstimate(-(-num_steps // self._config.checkpoint_every_steps), secs)

    def _disk_check(self) -> dry_run_report.Room:
        config = self._config
        return dry_run_report.disk_check(
            self._folder.path,
            dry_run_report.variable_bytes(self._networks.saved().values()),
            config.keep_checkpoints,
            dry_run_report.variable_bytes([self._networks.generator]),
            self._num_steps // config.keep_every_steps if config.keep_every_steps else 0,
        )

    def _require_same_everywhere(self) -> None:
        """Workers that differ in what they do would wait for each other for ever."""
        config = dataclasses.replace(self._config, data_dir="", run_dir="", vgg19_weights="", initial_generator="")
        precision = precision_to_use(config.mixed_precision)
        text = f"{flagfile_text(config, '')}{run_record.data_hash(self._config.data_dir)}{precision}"
        if not distribution.same_everywhere(self._strategy, zlib.crc32(text.encode())):
            raise InputError(
                "the workers were started with different flags or data, or --mixed_precision=auto means another thing "
                "on each; give all of them the same command, and the same --data_dir or equal copies of it"
            )
        lengths = zlib.crc32(repr(self._resumption.schedule).encode())
        same_step = len(set(distribution.from_all_workers(self._strategy, self._resumption.step))) == 1
        if same_step and not distribution.same_everywhere(self._strategy, lengths):  # steps are compared by `restore`
            raise InputError(
                f"--run_dir: the workers found different {self._folder.schedule.name} there; name a folder on storage "
                "that all of them share"
            )

    def _note_start(self, first_step: int) -> None:
        folder, data_dir = self._folder, self._config.data_dir
        if first_step != self._resumption.step:
            raise InputError(f"{folder.path}: another run has written there meanwhile; give the same command again")
        self._say_changes()
        # Before the record: only where that one is of this data must there be lengths for it.
        schedule.write(folder.schedule, self._resumption.schedule)
        devices = self._strategy.extended.worker_devices
        run_record.record_start(folder.record, self._config, first_step, data_dir, devices)

    def _say_changes(self) -> None:
        for sentence in self._resumption.list_changes(str(self._folder.path), self._config.data_dir):
            print(sentence, file=sys.stderr)

    def _write_samples(self, folder: RunFolder, step: int = 0) -> np.ndarray:
        """Write generator and samples into a folder; return the drawings, uint8 RGB [N, S, S, 3]."""
        generator = generator_to_use(self._networks, self._config)
        drawn = draw_samples(generator, self._inputs.photos, step)
        folder.write_results(generator, self._inputs.photos, drawn, step)
        return drawn

    def _write_results(self, phase_name: str, step: int) -> None:
        drawn = self._write_samples(self._folder, step)
        if phase_name == ADVERSARIAL:
            self._guard.see_pictures(step, self._inputs.photos, drawn, self._inputs.cartoons)

    def _watch_losses(self, phase_name: str, step: int, values: dict[str, float]) -> None:
        if phase_name == ADVERSARIAL:
            self._guard.see_losses(step, values)


def _build_guard(config: TrainConfig, num_steps: int, warn: Callable[[str], None]) -> HealthGuard:
    """Its patience is a fiftieth of the adversarial steps; in short runs a fifth of them, or what is usual."""
    patience = max(num_steps // 50, min(num_steps // 5, PATIENCE_STEPS), _LEAST_PATIENCE_STEPS)
    return HealthGuard(config.adversarial_loss, config.edge_loss_weight, warn, patience)


@contextlib.contextmanager
def _explaining_memory() -> Iterator[None]:
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise InputError(
            f"a step does not fit into memory ({error.message.splitlines()[0]}). {dry_run_report.MEMORY_ADVICE}"
        ) from error


def _print_end(folder: RunFolder, done: loop.Done, num_steps: int) -> None:
    if done.after < num_steps:
        print(f"Stopped with a checkpoint in {folder.checkpoints}. Give the same command again to go on.")
        return
    if done.before == done.after:
        print(f"All {num_steps} steps of {folder.path} are done already; raise --adversarial_epochs to go on.")
    print(
        f"The generator is {folder.generator}, samples are in {folder.samples}. Draw a photo:\n"
        f"    python -m cartoongan_tf.cartoonize --model={folder.generator} photo.jpg"
    )
