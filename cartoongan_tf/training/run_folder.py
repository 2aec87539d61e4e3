"""The folder of a training run: its recipe, the generator to use, and samples to look at."""

import contextlib
import dataclasses
import datetime
import os
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from cartoongan_tf import __version__
from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import flagfile_text, read_flagfile_values
from cartoongan_tf.media import pictures
from cartoongan_tf.models.architectures import GENERATOR_SIZES
from cartoongan_tf.models.generator_file import save_generator
from cartoongan_tf.training import scalars
from cartoongan_tf.training.checkpoints import all_checkpoints
from cartoongan_tf.training.config import FIXED_FLAGS, TrainConfig
from cartoongan_tf.training.samples import sample_sheet


class RunFolder:
    """The folder of a run.

    Attributes:
      path: path of the folder itself.
      flags, record, schedule, generator, warnings: paths of files in it.
      samples, summaries, checkpoints: paths of folders in it; TensorFlow writes the files in the last two.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.flags = self.path / "run.flags"
        self.record = self.path / "run.json"
        self.schedule = self.path / "schedule.json"
        self.generator = self.path / "generator.keras"
        self.warnings = self.path / "warnings.txt"
        self.samples = self.path / "samples"
        self.summaries = self.path / "summaries"
        self.checkpoints = self.path / "checkpoints"

    @property
    def has_begun(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return bool(all_checkpoints(self.checkpoints))

    def in_present_terms(self, config: TrainConfig) -> TrainConfig:
        """Return the recipe with --generator=narrow if the run began when that generator was called light."""
        if config.generator != "light" or not self._is_narrow():
            return config
        print(
            f"{self.path} began with the light generator of an earlier version, --generator=narrow now; it resumes "
            "with that.",
            file=sys.stderr,
        )
        width, num_blocks = config.generator_width, config.generator_num_blocks
        if (width, num_blocks) == GENERATOR_SIZES["light"]:
            width, num_blocks = 0, 0  # the architecture's own
        return dataclasses.replace(config, generator="narrow", generator_width=width, generator_num_blocks=num_blocks)

    def _is_narrow(self) -> bool:
        """Return whether the run's generator has the first layer of the narrow one, which the light one lacks."""
        if not self.has_begun or not zipfile.is_zipfile(self.generator):
            return False
        with zipfile.ZipFile(self.generator) as file:
            return b'"flat_conv"' in file.read("config.json")

    def check_can_resume(self, config: TrainConfig) -> None:
        """Refuse to resume a run with other networks or phases. Before its first checkpoint, everything may change.

        Raises:
          InputError: an option differs that a run cannot change; the message names it.
        """
        if not self.has_begun or not self.flags.exists():
            return
        before = read_flagfile_values(self.flags)
        if before.get("generator") == "light" and self._is_narrow():
            before["generator"] = "narrow"
        for name in FIXED_FLAGS:
            if before.get(name) not in (None, str(getattr(config, name))):
                raise InputError(
                    f"--{name}={getattr(config, name)}: the run in {self.path} was begun with --{name}={before[name]}; "
                    "resume it with that, or name a new --run_dir"
                )

    @property
    def existing_place(self) -> Path:
        """The folder itself, or the nearest one around it that exists."""
        return atomic.nearest_existing(self.path)

    def check_writable(self) -> None:
        """Raise InputError if the run could not be written."""
        place = self.existing_place
        if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
            raise InputError(f"--run_dir={self.path}: {place} is not a folder that can be written to; name another")

    def write_flags(self, config: TrainConfig) -> None:
        """Write the run's recipe, a flagfile that repeats or resumes it."""
        comment = (
            f"Repeat or resume this run:\n  python -m cartoongan_tf.train --flagfile={self.flags}\n"
            f"Written by cartoongan-tf {__version__}."
        )
        with atomic.replacing(self.flags) as temporary:
            temporary.write_text(flagfile_text(config, comment), "utf-8")

    def write_results(self, generator: keras.Model, versions: Sequence[np.ndarray], step: int) -> None:
        """Write the generator to use, and a sheet of samples as a file and as a summary.

        Args:
          generator: the generator after `step` steps.
          versions: sample photos, the cartoons made of them, and the like, see `sample_sheet`.
          step: number of steps of the run that are done.
        """
        save_generator(generator, self.generator)
        sheet = sample_sheet(versions)
        pictures.write_picture(self.samples / f"step_{step:07}.jpg", sheet)
        with scalars.surviving_a_full_disk(step):
            tf.summary.image("samples", sheet[np.newaxis], step=step)
            tf.summary.flush()

    def warn(self, text: str) -> None:
        """Print a warning on standard error, above the progress bar, and append it to warnings.txt."""
        tqdm.write(f"WARNING: {text}", file=sys.stderr)
        with contextlib.suppress(OSError), open(self.warnings, "a", encoding="utf-8") as file:
            file.write(f"{datetime.datetime.now():%Y-%m-%d %H:%M} {text}\n")
