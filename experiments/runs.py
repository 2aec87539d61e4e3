"""The runs of an experiment: networks trained in processes of their own, side by side on a CPU, each in its folder."""

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from cartoongan_tf.base import atomic, signals
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import flagfile_text, read_flagfile_values
from cartoongan_tf.training.checkpoints import all_checkpoints
from cartoongan_tf.training.config import TrainConfig
from data_pipeline import records
from experiments.baselines.cyclegan_config import TrainCycleGANConfig

_PLACES = ("data_dir", "run_dir")  # a folder can be moved
_LOOKS_EVERY_SECS = 0.2


class Run(NamedTuple):
    """One network, trained or to be trained.

    Attributes:
      module: the program that trains it.
      recipe: its flags.
      flagfile: where they are kept.
    """

    module: str
    recipe: TrainConfig | TrainCycleGANConfig
    flagfile: Path

    @property
    def folder(self) -> Path:
        """Of the run."""
        return Path(self.recipe.run_dir)

    @property
    def generator(self) -> Path:
        """Its file."""
        return self.folder / "generator.keras"

    @property
    def done(self) -> Path:
        """A file that is written when it is trained: JSON, {"num_threads": it had}."""
        return self.folder / "done"

    @property
    def is_done(self) -> bool:
        return self.done.exists() and self.generator.exists()

    @property
    def num_threads(self) -> int:
        """It had, side by side with others."""
        return json.loads(self.done.read_text("utf-8"))["num_threads"]

    @property
    def num_epochs(self) -> int:
        """Of its last phase."""
        recipe = self.recipe
        return recipe.epochs if isinstance(recipe, TrainCycleGANConfig) else recipe.adversarial_epochs

    @property
    def secs_per_epoch(self) -> float:
        """Of its last phase, by the median speed between two summaries."""
        num_photos = len(records.open_records(self.recipe.data_dir).photos)
        return num_photos / statistics.median(self.curve("images_per_second"))

    def curve(self, scalar: str) -> list[float]:
        """A scalar's values in the last phase, one for each summary.

        Raises:
          InputError: the run's summaries are not there, or have no such scalar.
        """
        found: dict[str, list[float]] = {}
        for path in sorted((self.folder / "summaries").glob("events*")):
            for event in tf.compat.v1.train.summary_iterator(str(path)):
                for value in event.summary.value:
                    if value.tag.endswith(f"/{scalar}"):
                        found.setdefault(value.tag, []).append(float(tf.make_ndarray(value.tensor)))
        if not found:
            raise InputError(
                f"{self.folder / 'summaries'}: the run's curves are not there; remove {self.folder}, and train anew"
            )
        return list(found.values())[-1]

    def check(self) -> None:
        """Raise InputError if what was begun in its folder has another recipe; what differs is named."""
        if not self.done.exists() and not all_checkpoints(self.folder / "checkpoints"):
            return
        if not self.flagfile.exists():
            raise InputError(
                f"{self.flagfile}: no such file, and it says how {self.folder} was trained; name a new --output_dir"
            )
        before = read_flagfile_values(self.flagfile)
        differing = [
            f"--{name}={value}"
            for name, value in before.items()
            if name not in _PLACES and _compared(value) != _compared(str(getattr(self.recipe, name, None)))
        ]
        if differing:
            raise InputError(
                f"{self.folder} was trained with another recipe ({' '.join(differing)}); give the flags of then, "
                "or name a new --output_dir"
            )

    def prepare(self) -> None:
        """Keep its flags.

        Raises:
          InputError: as `check` does.
        """
        self.check()
        if not self.is_done:
            with atomic.replacing(self.flagfile) as temporary:
                text = flagfile_text(self.recipe, f"python -m {self.module} --flagfile={self.flagfile}")
                temporary.write_text(text, "utf-8")


def _compared(value: str) -> str:
    """All weights of VGG19 but random ones are taken for the same, as their file can be moved."""
    return "imagenet" if value.endswith((".h5", ".keras")) else value


def train(runs: Sequence[Run], at_once: int) -> None:
    """Train those that are not done, or go on with them; asked to stop, they save, and so do we stop.

    Args:
      runs: in the order in which they begin.
      at_once: so many run side by side, each on its share of the cores.

    Raises:
      InputError: a run has another recipe, or one failed; those beside it are trained to their end.
    """
    for run in runs:
        run.prepare()
    waiting = [run for run in runs if not run.is_done]
    running, failed, at_once = {}, [], max(min(at_once, len(waiting)), 1)
    with signals.stop_requests() as stop_signal, _killed_at_an_error(running):
        is_told = False
        while waiting or running:
            for place in range(at_once):
                if waiting and place not in running:
                    running[place] = _begin(waiting.pop(0), place, at_once)
            time.sleep(_LOOKS_EVERY_SECS)
            if stop_signal() and not is_told:
                is_told = True
                for _, process in running.values():
                    process.send_signal(stop_signal())
            for place, (run, process) in list(running.items()):
                if process.poll() is not None:
                    del running[place]
                    failed += _end(run, process.returncode, at_once)
            if is_told or failed:
                waiting.clear()
        if is_told:
            raise KeyboardInterrupt
    if failed:
        raise InputError(f"training {', '.join(failed)}; with that mended, the same command goes on")


def _begin(run: Run, place: int, at_once: int) -> tuple[Run, subprocess.Popen]:
    environment = dict(os.environ)
    if at_once > 1:
        num_threads = str(_threads(at_once))
        environment |= {"TF_NUM_INTRAOP_THREADS": num_threads, "TF_NUM_INTEROP_THREADS": num_threads}
        environment["TQDM_POSITION"] = str(place)  # a line for each one's bar
    command = [sys.executable, "-m", run.module, f"--flagfile={run.flagfile}"]
    # A session of its own: a Ctrl-C at the terminal comes by us alone.
    process = subprocess.Popen(command, start_new_session=True, env=environment)
    said = f"\nTraining {run.folder.name}, with the flags in {run.flagfile}, in process {process.pid}."
    print(said, file=sys.stderr, flush=True)
    return run, process


def _threads(at_once: int) -> int:
    return max((os.cpu_count() or 1) // at_once, 1)


def _end(run: Run, status: int, at_once: int) -> list[str]:
    """What is to be said of it."""
    if status == -signal.SIGKILL:
        return [f"{run.folder.name} was killed, perhaps as memory ran out (--num_processes=1 takes less)"]
    if status:
        return [f"{run.folder.name} ended with status {status}"]
    atomic.write_json(run.done, {"num_threads": _threads(at_once)})
    return []


@contextlib.contextmanager
def _killed_at_an_error(running: dict[int, tuple[Run, subprocess.Popen]]) -> Iterator[None]:
    try:
        yield
    finally:
        for _, process in running.values():
            process.kill()
