"""Training runs of an experiment: networks trained in processes of their own, side by side on a CPU."""

import collections
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from cartoongan_tf.base import atomic, signals
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import flagfile_text, read_flagfile_values
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.run_folder import RunFolder
from data_pipeline import records
from experiments.baselines.cyclegan_config import TrainCycleGANConfig

_MOVABLE_FOLDERS = ("data_dir", "run_dir")
_POLL_EVERY_SECS = 0.2


class Run(NamedTuple):
    """A network that is trained, or will be.

    Attributes:
      module: program that trains it.
      recipe: flags of that program.
      flagfile: file that the flags are kept in.
    """

    module: str
    recipe: TrainConfig | TrainCycleGANConfig
    flagfile: Path

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return Path(self.recipe.run_dir)

    @property
    def generator(self) -> Path:
        """The file of the trained generator."""
        return RunFolder(self.folder).generator

    @property
    def done_file(self) -> Path:
        """The file that is written when training is complete: JSON, {"num_threads": threads of its process}."""
        return self.folder / "done"

    @property
    def is_done(self) -> bool:
        """Whether training is complete."""
        return self.done_file.exists() and self.generator.exists()

    @property
    def num_threads(self) -> int:
        """The number of threads the run was given."""
        return json.loads(self.done_file.read_text("utf-8"))["num_threads"]

    @property
    def num_epochs(self) -> int:
        """The number of epochs in the last phase."""
        if isinstance(self.recipe, TrainCycleGANConfig):
            return self.recipe.epochs
        return self.recipe.adversarial_epochs

    @property
    def secs_per_epoch(self) -> float:
        """Seconds per epoch of the last phase, from the median speed of its summaries."""
        num_photos = len(records.open_records(self.recipe.data_dir).photos)
        return num_photos / statistics.median(self.curve("images_per_second"))

    def curve(self, scalar: str) -> list[float]:
        """Return a scalar's values in the last phase, one for each summary.

        Raises:
          InputError: the run's summaries are missing, or have no such scalar.
        """
        summaries = RunFolder(self.folder).summaries
        values_by_tag = collections.defaultdict(list)
        for path in sorted(summaries.glob("events*")):
            for event in tf.compat.v1.train.summary_iterator(str(path)):
                for value in event.summary.value:
                    if value.tag.endswith(f"/{scalar}"):
                        values_by_tag[value.tag].append(float(tf.make_ndarray(value.tensor)))
        if not values_by_tag:
            raise InputError(f"{summaries}: the run's curves are missing; remove {self.folder}, and train again")
        return list(values_by_tag.values())[-1]

    def check_recipe(self) -> None:
        """Check that a run which was begun in this folder has the same recipe.

        Raises:
          InputError: flags differ, and the message names them; or the flagfile is missing.
        """
        if not self.done_file.exists() and not RunFolder(self.folder).has_begun:
            return
        if not self.flagfile.exists():
            raise InputError(
                f"{self.flagfile}: no such file, so the flags that {self.folder} was trained with are unknown; name a "
                "new --output_dir"
            )
        differing = []
        for name, value in read_flagfile_values(self.flagfile).items():
            value_now = str(getattr(self.recipe, name, None))
            if name not in _MOVABLE_FOLDERS and _compared(value) != _compared(value_now):
                differing.append(f"--{name}={value}")
        if differing:
            raise InputError(
                f"{self.folder} was trained with another recipe ({' '.join(differing)}); give the same flags as then, "
                "or name a new --output_dir"
            )

    def keep_flags(self) -> None:
        """Write the flagfile, which training reads, unless training is complete.

        Raises:
          InputError: see `check_recipe`.
        """
        self.check_recipe()
        if not self.is_done:
            with atomic.replacing(self.flagfile) as temporary:
                text = flagfile_text(self.recipe, f"python -m {self.module} --flagfile={self.flagfile}")
                temporary.write_text(text, "utf-8")


def _compared(value: str) -> str:
    """Replace the path of VGG19's weights, whose file may be moved, by the name of these weights."""
    return "imagenet" if value.endswith((".h5", ".keras")) else value


def train(runs: Sequence[Run], at_once: int) -> None:
    """Train the runs that are not complete, or resume them.

    Args:
      runs: runs, in the order in which they begin.
      at_once: number of runs side by side, each on its share of the cores.

    Raises:
      InputError: a run has another recipe, or one failed; those beside it are trained to their end.
      KeyboardInterrupt: this process was asked to stop; all runs saved a checkpoint.
    """
    for run in runs:
        run.keep_flags()
    waiting = [run for run in runs if not run.is_done]
    supervisor = Supervisor(waiting, max(min(at_once, len(waiting)), 1))
    with signals.stop_requests() as stop_signal:
        supervisor.train(stop_signal)
        if supervisor.was_stopped:
            raise KeyboardInterrupt
    if supervisor.failures:
        failures = ", ".join(supervisor.failures)
        raise InputError(f"training {failures}; when that is fixed, the same command resumes")


class Supervisor:
    """A supervisor of training processes, which run in a fixed number of slots.

    Attributes:
      failures: descriptions of the runs that failed.
      was_stopped: whether the processes were asked to stop.
    """

    def __init__(self, runs: Sequence[Run], num_slots: int):
        self.failures: list[str] = []
        self.was_stopped = False
        self._waiting = collections.deque(runs)
        self._num_slots = num_slots
        self._num_threads = max((os.cpu_count() or 1) // num_slots, 1)
        self._running: dict[int, _RunningProcess] = {}  # by slot

    def train(self, stop_signal: Callable[[], int]) -> None:
        """Train until no run is left; after a failure or a request to stop, no other run begins.

        Args:
          stop_signal: function that returns the signal that asked this process to stop, or 0. The training processes
            get the same signal; they save a checkpoint and end.
        """
        try:
            while self._waiting or self._running:
                self._fill_slots()
                time.sleep(_POLL_EVERY_SECS)
                if stop_signal() and not self.was_stopped:
                    self._stop(stop_signal())
                self._remove_ended()
        finally:  # after an error here, no process may stay behind
            for running in self._running.values():
                running.process.kill()

    def _fill_slots(self) -> None:
        for slot in range(self._num_slots):
            if self._waiting and slot not in self._running:
                run = self._waiting.popleft()
                self._running[slot] = _RunningProcess(run, self._start(run, slot))

    def _start(self, run: Run, slot: int) -> subprocess.Popen:
        environment = dict(os.environ)
        if self._num_slots > 1:
            environment["TF_NUM_INTRAOP_THREADS"] = str(self._num_threads)
            environment["TF_NUM_INTEROP_THREADS"] = str(self._num_threads)
            environment["TQDM_POSITION"] = str(slot)  # each progress bar has its own line
        command = [sys.executable, "-m", run.module, f"--flagfile={run.flagfile}"]
        # In a session of its own, it gets a Ctrl-C at the terminal from this process only.
        process = subprocess.Popen(command, start_new_session=True, env=environment)
        message = f"\nTraining {run.folder.name}, with the flags in {run.flagfile}, in process {process.pid}."
        print(message, file=sys.stderr, flush=True)
        return process

    def _stop(self, signal_number: int) -> None:
        self.was_stopped = True
        self._waiting.clear()
        for running in self._running.values():
            running.process.send_signal(signal_number)

    def _remove_ended(self) -> None:
        for slot, (run, process) in list(self._running.items()):
            status = process.poll()
            if status is None:
                continue
            del self._running[slot]
            if status:
                self.failures.append(_failure(run, status))
                self._waiting.clear()
            else:
                atomic.write_json(run.done_file, {"num_threads": self._num_threads})


class _RunningProcess(NamedTuple):
    run: Run
    process: subprocess.Popen


def _failure(run: Run, status: int) -> str:
    if status == -signal.SIGKILL:
        return f"{run.folder.name} was killed, perhaps as memory ran out (--num_processes=1 takes less)"
    return f"{run.folder.name} ended with status {status}"
