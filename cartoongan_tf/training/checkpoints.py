"""The checkpoints of a training run: save and restore all that a step changes."""

import errno
import glob
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models.generator_file import load_generator, save_generator

_ITERATIONS = "/_iterations/"  # of an optimizer's count of steps, in a checkpoint
_KEPT = "kept"  # folder of the checkpoints that stay for good
NOT_FINITE_ADVICE = (
    "The last checkpoint, if there is one, is good: lower the learning rates, and give the same command again."
)


class RunCheckpoints:
    """The checkpoints of one training run: everything that a step changes, and the number of steps done.

    Each is written under a temporary name and renamed when it is whole.
    """

    def __init__(
        self, folder: str | os.PathLike, trackables: Mapping[str, Any], max_to_keep: int, keep_every_steps: int = 0
    ):
        """
        Args:
          folder: where the checkpoints lie; made at the first `save`.
          trackables: models and built optimizers, by name.
          max_to_keep: older checkpoints are deleted.
          keep_every_steps: but those of multiples of this are kept for good, in the folder "kept"; 0: none.
        """
        self._models = {name: object for name, object in trackables.items() if isinstance(object, keras.Model)}
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self._checkpoint = tf.train.Checkpoint(step=self._step, **trackables)
        self._folder, self._kept = Path(folder), Path(folder) / _KEPT
        self._max_to_keep, self._keep_every_steps = max_to_keep, keep_every_steps

    def restore(self) -> int:
        """Restore the newest checkpoint that is whole, if there is one; damaged ones are said on standard error.

        Returns:
          the number of steps done; 0 without a checkpoint.

        Raises:
          InputError: all checkpoints are damaged, or one belongs to networks of another shape.
        """
        found = all_checkpoints(self._folder)[::-1]
        for path in found:
            if damage := _damage(path):
                print(f"{path}: damaged ({damage}); trying the one before", file=sys.stderr)
                continue
            _read(self._checkpoint, path)
            return int(self._step.numpy())
        if found:
            raise InputError(f"{found[0]}: damaged, and so are all other checkpoints; name a new --run_dir")
        return 0

    def require_finite(self, step: int) -> None:
        """Raise InputError if a weight is not finite: a step's loss only tells of the weights before it."""
        for name, model in self._models.items():
            for weights in model.trainable_variables:
                if not np.isfinite(weights.numpy()).all():
                    raise InputError(
                        f"the {name}'s {weights.path} is not finite after step {step} of the run. {NOT_FINITE_ADVICE}"
                    )

    def save(self, step: int) -> None:
        """Write a checkpoint after `step` steps.

        Raises:
          OSError: it cannot be written; the ones before are whole.
        """
        self._step.assign(step)
        self._write(self._folder / f"step-{step}")
        if self._keep_every_steps and step % self._keep_every_steps == 0:
            self._write(self._kept / f"step-{step}")
        for path in found_checkpoints(self._folder)[: -self._max_to_keep]:
            _remove(path)

    def _write(self, path: Path) -> None:
        try:
            self._checkpoint.write(str(path))
        except tf.errors.OpError as error:
            for unfinished in path.parent.glob(f"{path.name}_temp*"):
                shutil.rmtree(unfinished, ignore_errors=True)
            reason = error.message.rpartition("; ")[2].partition(" [Op:")[0]  # of "{operation} path; reason [Op:name]"
            raise OSError(errno.EIO, reason, str(path.parent)) from error


def found_checkpoints(folder: str | os.PathLike) -> list[str]:
    """The checkpoints in a folder as TensorFlow names them, without suffix, oldest first.

    Their index is written last and removed first. No file of TensorFlow's that lists them is needed.
    """
    return sorted((str(path.with_suffix("")) for path in Path(folder).glob("step-*.index")), key=_step_of)


def all_checkpoints(folder: str | os.PathLike) -> list[str]:
    """The same with those that are kept for good."""
    found = found_checkpoints(folder) + found_checkpoints(Path(folder) / _KEPT)
    return sorted(found, key=lambda path: (_step_of(path), path))


def find_newest_whole(folder: str | os.PathLike) -> tuple[int, str] | None:
    """Find the checkpoint that `restore` takes: its number of steps, and its path; None: there is none."""
    path = next((path for path in all_checkpoints(folder)[::-1] if not _damage(path)), None)
    return path and (_step_of(path), path)


def read_optimizer_steps(path: str) -> dict[str, int]:
    """Read how many steps each optimizer in a checkpoint has taken, by its name there."""
    reader = tf.train.load_checkpoint(path)
    names = [name for name in reader.get_variable_to_shape_map() if _ITERATIONS in name]
    return {name.partition(_ITERATIONS)[0]: int(reader.get_tensor(name)) for name in names}


def write_generators(run_dir: str | os.PathLike, folder: str | os.PathLike) -> dict[int, Path]:
    """Write the generator of each checkpoint of a run, the averaged one with --ema_decay, as step-N.keras.

    Args:
      run_dir: of the run; its generator.keras tells the architecture.
      folder: where to write them.

    Returns:
      the files by their steps, in order.

    Raises:
      InputError: there is no run, no checkpoint in it, or one is damaged or of another architecture.
    """
    generator = load_generator(Path(run_dir) / "generator.keras")
    found = {_step_of(path): path for path in all_checkpoints(Path(run_dir) / "checkpoints")}
    if not found:
        raise InputError(f"--run_dir={run_dir}: no checkpoint in {Path(run_dir) / 'checkpoints'}; train it first")
    written = {}
    for step, path in found.items():
        if damage := _damage(path):
            raise InputError(f"{path}: damaged ({damage}); move it away")
        names = tf.train.load_checkpoint(path).get_variable_to_shape_map()
        name = "averaged_generator" if any(name.startswith("averaged_generator/") for name in names) else "generator"
        _read(tf.train.Checkpoint(**{name: generator}), path)
        written[step] = Path(folder) / f"step-{step}.keras"
        save_generator(generator, written[step])
    return written


def _read(checkpoint: tf.train.Checkpoint, path: str) -> None:
    """Read all that it tracks out of a file, which may hold more."""
    try:
        checkpoint.read(path).assert_existing_objects_matched().expect_partial()
    except (AssertionError, ValueError, tf.errors.OpError) as error:
        raise InputError(
            f"{path}: cannot be restored into these networks ({error}). Train with the flags of "
            "RUN_DIR/run.flags, or name a new --run_dir."
        ) from error


def _step_of(path: str) -> int:
    return int(path.rpartition("-")[2])


def _remove(path: str) -> None:
    for file in (f"{path}.index", *glob.glob(f"{glob.escape(path)}.data-*")):
        Path(file).unlink(missing_ok=True)


def _damage(path: str) -> str:
    """Why a checkpoint cannot be read from end to end; "" if it can."""
    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, RuntimeError, ValueError, IndexError) as error:  # by where the file is damaged
        return str(error).partition("\n")[0]
    return ""
