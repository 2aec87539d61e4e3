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

_ITERATIONS = "/_iterations/"  # part of the name of an optimizer's count of steps in a checkpoint
_KEPT = "kept"  # folder of the checkpoints that are kept for good
NOT_FINITE_ADVICE = (
    "The last checkpoint, if there is one, is good: lower the learning rates, and give the same command again."
)


class RunCheckpoints:
    """The checkpoints of a run, which hold everything that a step changes, and the number of steps done.

    Each one is written under a temporary name and renamed when it is complete.
    """

    def __init__(
        self, folder: str | os.PathLike, trackables: Mapping[str, Any], max_to_keep: int, keep_every_steps: int = 0
    ):
        """
        Args:
          folder: folder of the checkpoints; `save` creates it.
          trackables: models and built optimizers, by name.
          max_to_keep: number of newest checkpoints to keep; older ones are deleted.
          keep_every_steps: number of steps between checkpoints that are kept for good, in the folder "kept"; 0: none.
        """
        self._models = {name: model for name, model in trackables.items() if isinstance(model, keras.Model)}
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self._checkpoint = tf.train.Checkpoint(step=self._step, **trackables)
        self._folder = Path(folder)
        self._max_to_keep = max_to_keep
        self._keep_every_steps = keep_every_steps

    def restore(self) -> int:
        """Restore the newest complete checkpoint, if there is one; report damaged ones on standard error.

        Returns:
          the number of steps done; 0 without a checkpoint.

        Raises:
          InputError: all checkpoints are damaged, or one belongs to networks of another shape.
        """
        paths = all_checkpoints(self._folder)[::-1]
        for path in paths:
            if damage := _damage(path):
                print(f"{path}: damaged ({damage}); trying the one before", file=sys.stderr)
                continue
            _read(self._checkpoint, path)
            return int(self._step.numpy())
        if paths:
            raise InputError(f"{paths[0]}: damaged, and so are all other checkpoints; name a new --run_dir")
        return 0

    def require_finite(self, step: int) -> None:
        """Raise InputError if a weight is not finite. The losses of a step only depend on the weights before it."""
        for name, model in self._models.items():
            for weights in model.trainable_variables:
                if not np.isfinite(weights.numpy()).all():
                    raise InputError(
                        f"the {name}'s {weights.path} is not finite after step {step} of the run. {NOT_FINITE_ADVICE}"
                    )

    def save(self, step: int) -> None:
        """Write a checkpoint after `step` steps.

        Raises:
          OSError: it cannot be written; earlier checkpoints are intact.
        """
        self._step.assign(step)
        self._write(self._folder / f"step-{step}")
        if self._keep_every_steps and step % self._keep_every_steps == 0:
            self._write(self._folder / _KEPT / f"step-{step}")
        for path in recent_checkpoints(self._folder)[: -self._max_to_keep]:
            _remove(path)

    def _write(self, path: Path) -> None:
        try:
            self._checkpoint.write(str(path))
        except tf.errors.OpError as error:
            for unfinished in path.parent.glob(f"{path.name}_temp*"):
                shutil.rmtree(unfinished, ignore_errors=True)
            reason = error.message.rpartition("; ")[2].partition(" [Op:")[0]  # of "{operation} path; reason [Op:name]"
            raise OSError(errno.EIO, reason, str(path.parent)) from error


def recent_checkpoints(folder: str | os.PathLike) -> list[str]:
    """Return the checkpoints in a folder as TensorFlow names them, without suffix, oldest first.

    Those that are kept for good are not among them. A checkpoint's index is written last and removed first, so
    TensorFlow's own list of checkpoints is not needed.
    """
    paths = [str(path.with_suffix("")) for path in Path(folder).glob("step-*.index")]
    return sorted(paths, key=_step_of)


def all_checkpoints(folder: str | os.PathLike) -> list[str]:
    """Return all checkpoints, including those that are kept for good, oldest first."""
    paths = recent_checkpoints(folder) + recent_checkpoints(Path(folder) / _KEPT)
    return sorted(paths, key=lambda path: (_step_of(path), path))


def find_newest_complete(folder: str | os.PathLike) -> tuple[int, str] | None:
    """Return number of steps and path of the checkpoint that `restore` restores; None if there is none."""
    for path in all_checkpoints(folder)[::-1]:
        if not _damage(path):
            return _step_of(path), path
    return None


def read_optimizer_steps(path: str) -> dict[str, int]:
    """Read the number of steps that each optimizer in a checkpoint has taken, by its name there."""
    reader = tf.train.load_checkpoint(path)
    names = [name for name in reader.get_variable_to_shape_map() if _ITERATIONS in name]
    return {name.partition(_ITERATIONS)[0]: int(reader.get_tensor(name)) for name in names}


def write_generators(run_dir: str | os.PathLike, folder: str | os.PathLike) -> dict[int, Path]:
    """Write the generator of each checkpoint of a run, the averaged one with --ema_decay, as step-N.keras.

    Args:
      run_dir: folder of the run; its generator.keras has the architecture.
      folder: folder to write them to.

    Returns:
      the files by their steps, in order.

    Raises:
      InputError: there is no run or no checkpoint in it, or one is damaged or of another architecture.
    """
    generator = load_generator(Path(run_dir) / "generator.keras")
    paths = {_step_of(path): path for path in all_checkpoints(Path(run_dir) / "checkpoints")}
    if not paths:
        raise InputError(f"--run_dir={run_dir}: no checkpoint in {Path(run_dir) / 'checkpoints'}; train it first")
    written = {}
    for step, path in paths.items():
        if damage := _damage(path):
            raise InputError(f"{path}: damaged ({damage}); move it away")
        names = tf.train.load_checkpoint(path).get_variable_to_shape_map()
        name = "averaged_generator" if any(name.startswith("averaged_generator/") for name in names) else "generator"
        _read(tf.train.Checkpoint(**{name: generator}), path)
        written[step] = Path(folder) / f"step-{step}.keras"
        save_generator(generator, written[step])
    return written


def _read(checkpoint: tf.train.Checkpoint, path: str) -> None:
    """Read everything that a checkpoint tracks from a file, which may hold more."""
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
    """Return the reason why a checkpoint cannot be read from end to end; "" if it can."""
    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, RuntimeError, ValueError, IndexError) as error:  # depends on where it is damaged
        return str(error).partition("\n")[0]
    return ""
