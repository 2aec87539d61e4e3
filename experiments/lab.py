"""Where an experiment works: its pictures, the networks that it trains, and what they are measured by.

One folder, --output_dir, for all experiments: data/ (records), recipes/ and runs/ (each network that was trained, by
its name), and a folder of results for each experiment. A run that is done is not trained again, whichever experiment
wants it.
"""

import contextlib
import dataclasses
import functools
import math
import os
import statistics
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tqdm import tqdm

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.evaluation.evaluator import Draw, Evaluator, EvaluatorConfig, Row
from cartoongan_tf.evaluation.report import Report
from cartoongan_tf.media.picture_set import Pictures
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.networks import computing_in
from data_pipeline import records
from data_pipeline.records import Records
from experiments import material
from experiments.baselines.cyclegan_config import TrainCycleGANConfig
from experiments.config import SCALES, ExperimentConfig
from experiments.kept_drawings import Drawings
from experiments.runs import Run, train


@dataclasses.dataclass(frozen=True)
class MeasuringConfig:
    """How the rows of a table were measured: flags of `evaluate`."""

    photos_dir: str
    cartoons_dir: str
    vgg19_weights: str
    num_crops: int
    crop_px: int
    long_side: int
    num_resamplings: int
    seed: int


class Lab:
    """An experiment at work."""

    def __init__(self, config: ExperimentConfig, long_side: int = 0, max_photos: int = 0):
        """
        Args:
          config: its flags.
          long_side: of the pictures that are drawn and measured, in pixels; 0: the scale's own.
          max_photos: held-out photos to draw, at most; 0: as many as the scale says.

        Raises:
          InputError: there are too few pictures, or the results would lie among them.
        """
        self.config, self.scale = config, SCALES[config.scale]
        self.folder = Path(config.output_dir).absolute()
        material.check_apart(config.output_dir, {"photos_dir": config.photos_dir, "cartoons_dir": config.cartoons_dir})
        self.photo_files = material.split_photos(config.photos_dir)
        self.cartoon_files = material.split_cartoons(config.cartoons_dir)
        self.long_side = long_side or self.scale.long_side
        max_photos = max_photos or self.scale.max_photos
        self.photos: Pictures = material.read_held_out(self.photo_files, self.long_side, self.scale.crop_px, max_photos)

    @functools.cached_property
    def _records(self) -> Records:
        """Of the pictures that are not held out; built when first asked for."""
        config = self.config
        kinds = {
            "photos": (config.photos_dir, self.photo_files.training),
            "cartoons": (config.cartoons_dir, self.cartoon_files.training),
        }
        try:
            material.build_records(kinds, self._data_dir, self.scale.preparation)
        except InputError as error:
            raise InputError(
                f"--output_dir={config.output_dir}: the records in {self._data_dir} cannot be used or made. If --scale "
                f"or the pictures have changed, name a new --output_dir ({error})"
            ) from error
        return records.open_records(self._data_dir)

    @property
    def _data_dir(self) -> Path:
        return self.folder / "data"

    @functools.cached_property
    def recipe(self) -> TrainConfig:
        """CartoonGAN's at this scale; its run is not named yet."""
        return self._recipe(self.scale.generator if self.config.generator == "by_scale" else self.config.generator)

    def _recipe(self, generator: str) -> TrainConfig:
        config, scale = self.config, self.scale
        recipe = {"generator": generator, **scale.recipe, **scale.own_recipes.get(generator, {})}
        if config.mixed_precision != "by_scale":
            recipe["mixed_precision"] = config.mixed_precision
        given = {"data_dir": str(self._data_dir), "vgg19_weights": config.vgg19_weights, "seed": config.seed}
        return TrainConfig(run_dir=str(self._runs), **given, **recipe)

    @property
    def _runs(self) -> Path:
        return self.folder / "runs"

    def steps_per_epoch(self, batch_size: int) -> int:
        return math.ceil(len(self._records.photos) / batch_size)

    def cartoongan(self, name: str = "cartoongan", **changes: Any) -> Run:
        """A CartoonGAN, to be trained.

        Args:
          name: of the run.
          changes: what differs from the scale's recipe.
        """
        return self._run("cartoongan_tf.train", name, dataclasses.replace(self.recipe, **changes))

    def initialization(self, loss: str) -> Run:
        """The paper's generator, to be trained to reconstruct photos (section 3.3), with a checkpoint after each epoch.

        Args:
          loss: --initialization_loss.
        """
        recipe = self._recipe("paper")
        steps = self.steps_per_epoch(recipe.batch_size)
        changes = {"initialization_loss": loss, "adversarial_epochs": 0, "discriminator_warmup_steps": 0}
        every = {"checkpoint_every_steps": steps, "keep_every_steps": steps, "keep_checkpoints": 1}
        recipe = dataclasses.replace(recipe, **changes, **every)
        return self._run("cartoongan_tf.train", f"initialization-{loss}", recipe)

    def cyclegan(self, name: str, **changes: Any) -> Run:
        """A CycleGAN, to be trained, with CartoonGAN's networks.

        Args:
          name: of the run.
          changes: what differs from the scale's recipe.
        """
        networks = ("generator", "generator_width", "generator_num_blocks", "discriminator_width")
        same = (*networks, "data_dir", "run_dir", "crop_size", "mixed_precision", "checkpoint_every_steps", "seed")
        values = {field: getattr(self.recipe, field) for field in same} | dict(self.scale.cyclegan) | changes
        return self._run("experiments.train_cyclegan", name, TrainCycleGANConfig(**values))

    def _run(self, module: str, name: str, recipe: Any) -> Run:
        recipe = dataclasses.replace(recipe, run_dir=str(self._runs / name))
        return Run(module, recipe, self.folder / "recipes" / f"{name}.flags")

    def train(self, runs: Iterable[Run]) -> None:
        """Train each, or go on, --num_processes side by side; what is done is left as it is.

        Raises:
          InputError: a run of one's name has another recipe, or training failed.
        """
        photos, cartoons = self._records.photos, self._records.cartoons
        print(f"{self._data_dir}: {len(photos)} squares of photos, {len(cartoons)} of cartoons.", file=sys.stderr)
        train(list(runs), self.config.num_processes or _processes_by_machine())

    def trained(self) -> Run | None:
        """The run of the scale's own recipe; None where it is not done.

        Raises:
          InputError: it has another recipe.
        """
        run = self.cartoongan()
        run.check()
        return run if run.is_done else None

    @functools.cached_property
    def evaluator(self) -> Evaluator:
        """By which every way of drawing the held-out photos is measured."""
        how = self._measuring
        settings = EvaluatorConfig(
            how.vgg19_weights,
            num_crops=how.num_crops,
            crop_px=how.crop_px,
            num_resamplings=how.num_resamplings,
            seed=how.seed,
        )
        photos = self.photos.pixels
        return Evaluator(photos, self._cartoons.pixels, settings, shown=range(len(photos)))

    @functools.cached_property
    def _cartoons(self) -> Pictures:
        return material.read_held_out(self.cartoon_files, self.long_side, self.scale.crop_px, 200)

    @functools.cached_property
    def _measuring(self) -> MeasuringConfig:
        config, scale = self.config, self.scale
        return MeasuringConfig(
            config.photos_dir,
            config.cartoons_dir,
            config.vgg19_weights,
            scale.num_crops,
            scale.crop_px,
            self.long_side,
            scale.num_resamplings,
            config.seed,
        )

    def measure(self, ways: Mapping[str, Draw]) -> dict[str, Row]:
        """Draw the held-out photos in each way, and measure the drawings: the rows by the ways' names."""
        return {name: self.evaluator.row(name, draw) for name, draw in tqdm(ways.items(), desc="measuring", unit="way")}

    def computing(self) -> contextlib.AbstractContextManager:
        """Networks that are built in the block compute as the recipe says: in float32 or bfloat16."""
        return computing_in(self.recipe.mixed_precision)

    @property
    def shapes_drawings(self) -> tuple:
        """What of the flags a drawing depends on that is optimised picture by picture."""
        return self.scale.slow_steps, self.config.vgg19_weights, self.config.seed, self.recipe.mixed_precision

    def timed(self, row: Row, drawings: Drawings | None) -> Row:
        """The row with the time that its drawings took, where they were made before."""
        if drawings is None:
            return row
        megapixels = statistics.median(photo.shape[0] * photo.shape[1] / 1e6 for photo in self.photos.pixels)
        return dataclasses.replace(row, secs_per_megapixel=drawings.secs_per_picture / megapixels)

    def report(self, rows: Mapping[str, Row]) -> Report:
        """The table of `evaluate`: the cartoons, the photos, and these rows."""
        all_rows = [self.evaluator.cartoons_row(), self.evaluator.photos_row(), *rows.values()]
        return Report(self._measuring, self.photos, self._cartoons, self.evaluator, all_rows)


def _processes_by_machine() -> int:
    """GPUs take one network after the other."""
    return 1 if tf.config.list_physical_devices("GPU") else os.cpu_count() or 1
