"""A rehearsal of training: a few steps of each phase and one checkpoint, timed. Nothing that it writes stays."""

import functools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from cartoongan_tf.base import progress
from cartoongan_tf.training import dry_run_report, loop, scalars
from cartoongan_tf.training.checkpoints import RunCheckpoints
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.dry_run_report import PhaseEstimate
from cartoongan_tf.training.networks import Networks
from cartoongan_tf.training.precision import slowness
from cartoongan_tf.training.run_folder import RunFolder

REHEARSED_SECS, _REHEARSED_STEPS = 10.0, 50  # of each phase, after its first step
_LONG_SECS = 2 * 86400  # from here on it is worth saying what makes training shorter


def rehearse_phases(
    phases: Sequence[loop.Phase],
    feeds: loop.Feeds,
    strategy: tf.distribute.Strategy,
    done: int,
    secs: float,
) -> Iterator[PhaseEstimate]:
    """Try a few steps of each phase that is not over.

    Args:
      phases: of the run, in their order.
      feeds, strategy: see `loop.run`.
      done: steps of the run that are done.
      secs: how long to try each phase; 0: two steps after the first, as workers must do equally many.

    Yields:
      how long a step of the phase takes.
    """
    end = 0
    for phase in phases:
        end += phase.num_steps
        num_steps = min(max(end - done, 0), phase.num_steps)
        if num_steps:
            with progress.stage(f"rehearsing {phase.name}"):
                train = loop.ready_to_train(phase, feeds, strategy, done)
                timed = dry_run_report.time_steps(functools.partial(_run_step, train), secs, _REHEARSED_STEPS)
            yield PhaseEstimate(phase.name, num_steps, timed)


def rehearse_checkpoint(
    config: TrainConfig, networks: Networks, place: Path, write_results: Callable[[RunFolder], None]
) -> float:
    """Write all that a run writes at a checkpoint, in a temporary folder; return the seconds that it takes.

    Args:
      config: of the run.
      networks: that the checkpoint holds.
      place: where to make that folder, on the disk that the run will write to.
      write_results: writes generator and samples into a run's folder.
    """
    with (
        progress.stage("rehearsing a checkpoint"),
        tempfile.TemporaryDirectory(prefix=".rehearsal-", dir=place) as temporary,
    ):
        folder, began = RunFolder(temporary), time.perf_counter()
        with tf.summary.create_file_writer(str(folder.summaries)).as_default():
            scalars.write({"loss": 0.0}, "rehearsal", 0)
            write_results(folder)
        RunCheckpoints(folder.checkpoints, networks.saved(), config.keep_checkpoints).save(0)
        return time.perf_counter() - began


def rehearse_validation(validate: Callable[[], dict[str, float]] | None) -> float:
    """Return the seconds that the losses on held-out batches take, once their graph is built."""
    if validate is None:
        return 0.0
    with progress.stage("rehearsing the losses on held-out pictures"):
        validate()
        began = time.perf_counter()
        validate()
        return time.perf_counter() - began


def advise(config: TrainConfig, secs: float) -> list[str]:
    """Return what makes this training slow here, and which flag mends it, a sentence each.

    Args:
      config: of the run.
      secs: that the training takes.
    """
    found = [slowness(config.mixed_precision)]
    if secs >= _LONG_SECS and not tf.config.list_physical_devices("GPU"):
        if config.generator == "paper":
            found.append("the paper's network needs a GPU; --generator=light has a tenth of its cost")
        if config.crop_size == 0:
            found.append("--crop_size=96 trains on small squares, which take less time by their number of pixels")
    return [sentence for sentence in found if sentence]


def _run_step(train: Callable[[int], dict[str, tf.Tensor]]) -> None:
    """Do one step, to its end."""
    for value in train(1).values():
        value.numpy()
