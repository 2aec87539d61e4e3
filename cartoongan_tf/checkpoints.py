"""Save and restore: the self-describing generator.keras, and a training run's checkpoints."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cartoongan_tf import atomic
from cartoongan_tf import layers as _layers  # noqa: F401  registers the layers that load_generator meets
from cartoongan_tf.errors import InputError

NOT_FINITE_ADVICE = (
    "The last checkpoint, if there is one, is good: lower the learning rates, and give the same command again."
)


def save_generator(generator: keras.Model, path: str | os.PathLike) -> None:
    """Write a generator's architecture and weights to one .keras file, whole or not at all."""
    with atomic.replacing(path) as temporary:
        generator.save(temporary)


def load_generator(path: str | os.PathLike) -> keras.Model:
    """Read a generator that `save_generator` wrote.

    Raises:
      InputError: the file is missing, damaged, or holds another kind of model.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; training writes it as RUN_DIR/generator.keras at each checkpoint")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: damaged, or not a .keras file")
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # what Keras raises depends on where the file is damaged
        raise InputError(f"{path}: damaged, or not a generator of this project ({error})") from error
    if model.input_shape != (None, None, None, 3) or model.output_shape != (None, None, None, 3):
        raise InputError(
            f"{path}: a Keras model, but not a generator: it maps {model.input_shape} to {model.output_shape}"
        )
    return model


class RunCheckpoints:
    """The checkpoints of one training run: everything that a step changes, and the number of steps done."""

    def __init__(self, folder: str | os.PathLike, trackables: Mapping[str, Any], max_to_keep: int):
        """
        Args:
          folder: where the checkpoints lie; made at the first `save`.
          trackables: models and built optimizers, by name.
          max_to_keep: older checkpoints are deleted.
        """
        self._models = {name: object for name, object in trackables.items() if isinstance(object, keras.Model)}
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
        self._checkpoint = tf.train.Checkpoint(step=self._step, **trackables)
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(folder), max_to_keep, checkpoint_name="step")

    def restore(self) -> int:
        """Restore the newest checkpoint, if there is one; returns the number of steps done (0 without one).

        Raises:
          InputError: the checkpoint is damaged or belongs to networks of another shape.
        """
        newest = self._manager.latest_checkpoint
        if newest is None:
            return 0
        try:
            self._checkpoint.restore(newest).assert_existing_objects_matched()
        except (AssertionError, ValueError, tf.errors.OpError) as error:
            raise InputError(
                f"{newest}: cannot be restored into these networks ({error}). Train with the flags of "
                "RUN_DIR/run.flags, or name a new --run_dir."
            ) from error
        return int(self._step.numpy())

    def require_finite(self, step: int) -> None:
        """Raise InputError if a weight is not finite: a step's loss only tells of the weights before it."""
        for name, model in self._models.items():
            for weights in model.trainable_variables:
                if not np.isfinite(weights.numpy()).all():
                    raise InputError(
                        f"the {name}'s {weights.path} is not finite after step {step} of the run. {NOT_FINITE_ADVICE}"
                    )

    def save(self, step: int) -> None:
        """Write a checkpoint after `step` steps."""
        self._step.assign(step)
        self._manager.save(checkpoint_number=step)
