"""The dry run of a training: a few steps of each phase and one checkpoint, timed. Nothing that it writes stays."""

import functools
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from cartoongan_tf.base import progress
from cartoongan_tf.training import dry_run_report, loop, scalars
from cartoongan_tf.training.checkpoints import RunCheckpoints
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.dry_run_report import PhaseEstimate
from cartoongan_tf.training.feeds import Feeds
from cartoongan_tf.training.networks import Networks
from cartoongan_tf.training.precision import slowness
from cartoongan_tf.training.run_folder import RunFolder
from cartoongan_tf.training.step_graph import several_steps

TIMED_SECS = 10.0  # seconds of each phase to time, after its first step
_MOST_TIMED_STEPS = 50
_LONG_SECS = 2 * 86400  # a training that takes longer gets advice on how to shorten it


def time_phases(
    phases: Sequence[loop.Phase],
    feeds: Feeds,
    strategy: tf.distribute.Strategy,
    done: int,
    secs: float,
) -> Iterator[PhaseEstimate]:
    """Time a few steps of each phase that is not over.

    Args:
      phases: phases of the run, in their order.
      feeds: training batches.
      strategy: strategy that splits each batch over its replicas.
      done: number of steps of the run that are done.
      secs: seconds to run each phase for. 0: two steps after the first, as workers must all do equally many.

    Yields:
      the time of a step of each phase.
    """
    end = 0
    for phase in phases:
        end += phase.num_steps
        num_steps = min(max(end - done, 0), phase.num_steps)
        if num_steps:
            with progress.stage(f"dry run of {phase.name}"):
                train = several_steps(phase.step, feeds.distribute_training(strategy, done), strategy)
                run_step = functools.partial(_run_step, train)
                step_time = dry_run_report.time_steps(run_step, secs, _MOST_TIMED_STEPS)
            yield PhaseEstimate(phase.name, num_steps, step_time)


def time_checkpoint(
    config: TrainConfig, networks: Networks, place: Path, write_results: Callable[[RunFolder], Any]
) -> float:
    """Write everything that belongs to a checkpoint into a temporary folder; return the seconds that it takes.

    Args:
      config: the recipe.
      networks: networks that the checkpoint holds.
      place: existing folder to make the temporary one in, on the disk that the run will write to.
      write_results: function that writes generator and samples into a run's folder.
    """
    with (
        progress.stage("dry run of a checkpoint"),
        tempfile.TemporaryDirectory(prefix=".dry_run-", dir=place) as temporary,
    ):
        folder = RunFolder(temporary)
        began = time.perf_counter()
        with tf.summary.create_file_writer(str(folder.summaries)).as_default():
            scalars.write({"loss": 0.0}, "dry_run", 0)
            write_results(folder)
        RunCheckpoints(folder.checkpoints, networks.saved(), config.keep_checkpoints).save(0)
        return time.perf_counter() - began


def time_validation(validate: Callable[[], dict[str, float]] | None) -> float:
    """Return the seconds of a validation, once its graph is built; 0 if there is none."""
    if validate is None:
        return 0.0
    with progress.stage("dry run of the validation"):
        validate()
        began = time.perf_counter()
        validate()
        return time.perf_counter() - began


def advise(config: TrainConfig, secs: float) -> list[str]:
    """Return reasons why this training is slow here, each with the flag that helps.

    Args:
      config: the recipe.
      secs: seconds that the training takes.
    """
    reasons = [slowness(config.mixed_precision)]
    if secs >= _LONG_SECS and not tf.config.list_physical_devices("GPU"):
        if config.generator == "paper":
            reasons.append("the paper's network needs a GPU; --generator=light has a tenth of its cost")
        if config.crop_size == 0:
            reasons.append("--crop_size=96 trains on small squares, which take less time by their number of pixels")
    return [reason for reason in reasons if reason]


def _run_step(train: Callable[[int], dict[str, tf.Tensor]]) -> None:
    """Run one step, and wait for its scalars."""
    for value in train(1).values():
        value.numpy()
