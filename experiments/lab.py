"""The setting of an experiment: its pictures, the networks that it trains, and the measures of their drawings.

All experiments share one folder, --output_dir: data/ (records), recipes/ and runs/ (the trained networks, by name), and
a folder of results for each experiment. A complete run is not trained again, whichever experiment asks for it.
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
from typing import Any, Literal

import tensorflow as tf
from tqdm import tqdm

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.evaluation.evaluator import Draw, Evaluator, EvaluatorConfig
from cartoongan_tf.evaluation.report import Report
from cartoongan_tf.evaluation.rows import Row
from cartoongan_tf.media.picture_set import Pictures
from cartoongan_tf.media.storage import check_apart
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.networks import computing_in
from data_pipeline import records
from data_pipeline.records import Records
from experiments import material, recipes
from experiments.baselines.cyclegan_config import TrainCycleGANConfig
from experiments.config import SCALES, ExperimentConfig, MeasuringConfig, Scale
from experiments.kept_drawings import Drawings
from experiments.runs import Run, train

_MOST_CARTOONS = 200


@dataclasses.dataclass(frozen=True)
class Lab:
    """An experiment's pictures, networks and measures.

    Attributes:
      config: flags of the experiment.
      photo_files, cartoon_files: files to train on and files held out.
      photos: held-out photos to cartoonize and measure.
      long_side: longer side of these photos and of the held-out cartoons, in pixels.
    """

    config: ExperimentConfig
    photo_files: material.Split
    cartoon_files: material.Split
    photos: Pictures
    long_side: int

    @classmethod
    def open(cls, config: ExperimentConfig, long_side: int = 0, max_photos: int = 0) -> "Lab":
        """Split the pictures, and read the held-out photos.

        Args:
          config: flags of the experiment.
          long_side: longer side of the pictures to measure, in pixels; 0: the scale's own.
          max_photos: largest number of held-out photos to cartoonize; 0: the scale's own.

        Raises:
          InputError: there are too few pictures, or --output_dir lies in a folder of pictures.
        """
        scale = SCALES[config.scale]
        check_apart(config.output_dir, {"photos_dir": config.photos_dir, "cartoons_dir": config.cartoons_dir})
        photo_files = material.split_photos(config.photos_dir)
        cartoon_files = material.split_cartoons(config.cartoons_dir)
        long_side = long_side or scale.long_side
        photos = material.read_held_out(photo_files, long_side, scale.crop_px, max_photos or scale.max_photos)
        return cls(config, photo_files, cartoon_files, photos, long_side)

    @property
    def scale(self) -> Scale:
        """The experiment's scale."""
        return SCALES[self.config.scale]

    @property
    def folder(self) -> Path:
        """The folder to write to."""
        return Path(self.config.output_dir).absolute()

    @property
    def _data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def _runs_dir(self) -> Path:
        return self.folder / "runs"

    @functools.cached_property
    def _records(self) -> Records:
        """Records of the pictures that are not held out, built when they are first needed."""
        config = self.config
        files_by_kind = {
            "photos": (config.photos_dir, self.photo_files.training),
            "cartoons": (config.cartoons_dir, self.cartoon_files.training),
        }
        try:
            material.build_records(files_by_kind, self._data_dir, self.scale.preparation)
        except InputError as error:
            raise InputError(
                f"--output_dir={config.output_dir}: the records in {self._data_dir} cannot be used or made. If --scale "
                f"or the pictures have changed, name a new --output_dir ({error})"
            ) from error
        return records.open_records(self._data_dir)

    @functools.cached_property
    def recipe(self) -> TrainConfig:
        """CartoonGAN's recipe at this scale; its run has no name yet."""
        by_scale = self.config.generator == "by_scale"
        return self._recipe(self.scale.generator if by_scale else self.config.generator)

    def _recipe(self, generator: str) -> TrainConfig:
        return recipes.cartoongan(self.config, generator, self._data_dir, self._runs_dir)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Return the number of batches in a pass over the photos."""
        return math.ceil(len(self._records.photos) / batch_size)

    def cartoongan(self, name: str = "cartoongan", **changes: Any) -> Run:
        """Return a CartoonGAN to train.

        Args:
          name: name of the run.
          changes: flags that differ from the scale's recipe.
        """
        return self._run("cartoongan_tf.train", name, dataclasses.replace(self.recipe, **changes))

    def initialization(self, loss: Literal["content", "pixels"]) -> Run:
        """Return the paper's generator, to train on the initialization phase (section 3.3) alone.

        Args:
          loss: --initialization_loss.
        """
        paper_recipe = self._recipe("paper")
        steps_per_epoch = self.steps_per_epoch(paper_recipe.batch_size)
        recipe = recipes.initialization(paper_recipe, loss, steps_per_epoch)
        return self._run("cartoongan_tf.train", f"initialization-{loss}", recipe)

    def cyclegan(self, name: str, **changes: Any) -> Run:
        """Return a CycleGAN with CartoonGAN's networks, to train.

        Args:
          name: name of the run.
          changes: flags that differ from the scale's recipe.
        """
        recipe = recipes.cyclegan(self.recipe, self.scale)
        return self._run("experiments.train_cyclegan", name, dataclasses.replace(recipe, **changes))

    def _run(self, module: str, name: str, recipe: TrainConfig | TrainCycleGANConfig) -> Run:
        recipe = dataclasses.replace(recipe, run_dir=str(self._runs_dir / name))
        return Run(module, recipe, self.folder / "recipes" / f"{name}.flags")

    def train(self, runs: Iterable[Run]) -> None:
        """Train or resume the runs that are not complete, --num_processes side by side.

        Raises:
          InputError: a run of that name has another recipe, or training failed.
        """
        num_photos = len(self._records.photos)
        num_cartoons = len(self._records.cartoons)
        print(f"{self._data_dir}: {num_photos} squares of photos, {num_cartoons} of cartoons.", file=sys.stderr)
        train(list(runs), self.config.num_processes or _default_processes())

    def trained(self) -> Run | None:
        """Return the run of the scale's own recipe; None if it is not complete.

        Raises:
          InputError: the run has another recipe.
        """
        run = self.cartoongan()
        run.check_recipe()
        return run if run.is_done else None

    @functools.cached_property
    def evaluator(self) -> Evaluator:
        """The evaluator that measures all methods on the held-out pictures."""
        names = {field.name for field in dataclasses.fields(EvaluatorConfig)}
        measuring = dataclasses.asdict(self._measuring)
        config = EvaluatorConfig(**{name: value for name, value in measuring.items() if name in names})
        photos = self.photos.pixels
        return Evaluator.build(photos, self._cartoons.pixels, config, shown=range(len(photos)))

    @functools.cached_property
    def _cartoons(self) -> Pictures:
        return material.read_held_out(self.cartoon_files, self.long_side, self.scale.crop_px, _MOST_CARTOONS)

    @functools.cached_property
    def _measuring(self) -> MeasuringConfig:
        return MeasuringConfig(
            photos_dir=self.config.photos_dir,
            cartoons_dir=self.config.cartoons_dir,
            vgg19_weights=self.config.vgg19_weights,
            num_crops=self.scale.num_crops,
            crop_px=self.scale.crop_px,
            long_side=self.long_side,
            num_resamplings=self.scale.num_resamplings,
            seed=self.config.seed,
        )

    def measure(self, methods: Mapping[str, Draw]) -> dict[str, Row]:
        """Cartoonize the held-out photos by each method, and measure the drawings: rows by the methods' names."""
        rows = {}
        for name, draw in tqdm(methods.items(), desc="measuring", unit="method"):
            rows[name] = self.evaluator.row(name, draw)
        return rows

    def computing(self) -> contextlib.AbstractContextManager:
        """Let networks that are built in the block compute as the recipe demands: in float32 or bfloat16."""
        return computing_in(self.recipe.mixed_precision)

    @property
    def shapes_drawings(self) -> tuple:
        """The flags that a drawing depends on, if a method optimises each picture."""
        return self.scale.slow_steps, self.config.vgg19_weights, self.config.seed, self.recipe.mixed_precision

    def with_drawing_time(self, row: Row, drawings: Drawings) -> Row:
        """Return the row of kept drawings, with the time that it took to make them."""
        megapixels = [photo.shape[0] * photo.shape[1] / 1e6 for photo in self.photos.pixels]
        return dataclasses.replace(row, secs_per_megapixel=drawings.secs_per_picture / statistics.median(megapixels))

    def report(self, rows: Mapping[str, Row]) -> Report:
        """Return the report of `evaluate`: the cartoons, the photos, and these rows."""
        all_rows = [self.evaluator.cartoons_row(), self.evaluator.photos_row(), *rows.values()]
        return Report(self._measuring, self.photos, self._cartoons, self.evaluator, all_rows)


def _default_processes() -> int:
    """Return the number of cores, or 1 if there is a GPU, which takes one network at a time."""
    return 1 if tf.config.list_physical_devices("GPU") else os.cpu_count() or 1
