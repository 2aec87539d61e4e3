"""Measure styles: the distances of their drawings to cartoons, and the content that they keep of the photos.

    python -m cartoongan_tf.evaluate --model=runs/shinkai/generator.keras --photos_dir=held/photos \
        --cartoons_dir=held/frames --output_dir=evaluation

writes a table (evaluation.txt, .md and .json) and a sheet of drawings (sheet.jpg). The table also has rows for the
untouched photos, for two classical filters and for the abstraction, which a style should beat. --run_dir=runs/shinkai
measures all checkpoints of a run, instead of models or as well, and draws their curves (curve.png). --teacher=big.keras
adds the distance to that model's drawings, for one that learned from them; without --cartoons_dir these are the
cartoons, too. Use photos and cartoons that no model was trained on.
"""

import dataclasses
import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.evaluation import classical_filters
from cartoongan_tf.media import folders, palettes
from cartoongan_tf.media.abstraction import DEFAULT, Abstraction, abstract
from data_pipeline.teachers import ABSTRACTION

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.evaluator import Draw, EvaluatorConfig
    from cartoongan_tf.media.picture_set import Pictures

_MOST_CROP_PX = 512  # VGG19 takes 16 crops at once: more than `kernel_limits` are left to slow kernels


@dataclasses.dataclass(frozen=True)
class EvaluateConfig(Config):
    photos_dir: str = option("Folder of photos to cartoonize; its subfolders are searched too.")
    output_dir: str = option("Folder to write to; results of an earlier evaluation are overwritten.")
    cartoons_dir: str = option(
        "Folder of cartoons to compare with, such as frames of the film; if not given: the drawings by --teacher.", ""
    )
    model: str = option(
        "The models, separated by commas: .keras or .tflite files, SavedModel folders, styles; NAME=MODEL names one.",
        "",
    )
    run_dir: str = option("Folder of a run: measure each of its checkpoints; train with --keep_every_steps.", "")
    teacher: str = option(
        f"Model whose drawings all others are compared with, photo by photo, as --model takes it, or {ABSTRACTION}. If "
        "not given: none.",
        "",
    )
    classical: bool = option("Measure the classical filters and the abstraction, too.", True)

    vgg19_weights: str = option(
        "VGG19 for the distances: imagenet (downloaded once, 80 MB), the path of a weights file, or random (for trials "
        "only).",
        "imagenet",
    )
    inception_weights: str = option(
        "Inception v3's weights without top, a file of keras.applications: adds a column similar to FID, for which "
        "at least 2,048 crops are usual.",
        "",
    )
    max_pictures: int = option(
        "Use at most this many photos and this many cartoons, spread over their folders.", 200, at_least=2
    )
    num_crops: int = option("Number of square crops of the photos, and of the cartoons.", 1000, at_least=2)
    crop_px: int = option("Side of the crops in pixels.", 96, at_least=32, at_most=_MOST_CROP_PX)
    long_side: int = option(
        "Shrink larger pictures to this longer side, in pixels, before cartoonizing and measuring; 0: never.",
        512,
        at_least=0,
    )
    num_resamplings: int = option("Number of resamplings of the pictures, for the intervals.", 200, at_least=2)
    num_on_sheet: int = option("Number of photos on the sheet.", 8, at_least=1)
    seed: int = option("Seed of the places of the crops and of the resamplings.", 0, at_least=0)
    abstraction: Abstraction = DEFAULT

    def __post_init__(self):
        super().__post_init__()
        if not self.model and not self.run_dir and not self.classical:
            raise InputError("--model is missing: name a model, or a run by --run_dir")
        if not self.cartoons_dir and not self.teacher:
            raise InputError("--cartoons_dir is missing: name a folder of cartoons, or a --teacher to compare with")
        self.abstraction.check_colors(self.cartoons_dir)
        crop_fits = self.long_side == 0 or self.long_side >= self.crop_px
        require(self, "long_side", crop_fits, f"must be 0, or at least --crop_px={self.crop_px}")


class Method(NamedTuple):
    """A method of drawing to measure.

    Attributes:
      name: name of its row.
      step: step of the run, if it is a checkpoint.
      load: function that returns the method.
    """

    name: str
    step: int | None
    load: "Callable[[], Draw]"


def main(argv=None) -> int:
    return program.run(EvaluateConfig, _evaluate, __doc__, argv)


def _evaluate(config: EvaluateConfig, _) -> None:
    program.start_tensorflow()
    from cartoongan_tf.evaluation import report
    from cartoongan_tf.evaluation.evaluator import Evaluator, draw_all
    from cartoongan_tf.media.picture_set import Pictures

    photos = _read_pictures(config.photos_dir, config)
    cartoons = _read_pictures(config.cartoons_dir, config) if config.cartoons_dir else None
    draw_abstraction = _abstraction(config, cartoons.pixels if cartoons else [])
    methods = [*classical_methods(config, draw_abstraction), *_models(config)]
    drawings: list[np.ndarray] = []
    if config.teacher:
        drawings, _ = draw_all(load_teacher(config, draw_abstraction), photos.pixels, "with the teacher")
    cartoons = cartoons or Pictures(photos.files, drawings, [], len(photos.files))
    shown = report.chosen(photos, config.num_on_sheet)
    evaluator = Evaluator.build(photos.pixels, cartoons.pixels, _evaluator_config(config), shown, drawings or None)
    methods += _checkpoints(config)
    rows = [evaluator.cartoons_row(), evaluator.photos_row()]
    for method in Bar(methods, desc="measuring", unit="method"):
        rows.append(evaluator.row(method.name, method.load(), method.step))
    result = report.Report(config, photos, cartoons, evaluator, rows)
    result.write(Path(config.output_dir))
    print(result.text())


def _read_pictures(folder: str, config: EvaluateConfig) -> "Pictures":
    from cartoongan_tf.media import picture_set

    return picture_set.read_pictures(folder, config.long_side, config.crop_px, config.max_pictures)


def _evaluator_config(config: EvaluateConfig) -> "EvaluatorConfig":
    from cartoongan_tf.evaluation.evaluator import EvaluatorConfig

    names = [field.name for field in dataclasses.fields(EvaluatorConfig)]
    return EvaluatorConfig(**{name: getattr(config, name) for name in names})


def _abstraction(config: EvaluateConfig, cartoons: Sequence[np.ndarray]) -> "Draw":
    """Return the abstraction of the flags, with the palette of the cartoons if it is drawn with one."""
    palette = None
    if config.abstraction.palette_colors:
        some = folders.evenly_spaced(cartoons, palettes.ENOUGH_PICTURES)
        palette = palettes.find_palette(some, config.abstraction.palette_colors)
    return lambda photo: abstract(photo, config.abstraction, palette)


def classical_methods(config: EvaluateConfig, draw_abstraction: "Draw") -> list[Method]:
    """Return the classical filters, unless the flags exclude them."""
    if not config.classical:
        return []
    return [
        Method("OpenCV's stylization", None, lambda: classical_filters.stylization),
        Method("OpenCV, edges drawn", None, lambda: classical_filters.drawn_edges),
        Method(ABSTRACTION, None, lambda: draw_abstraction),
    ]


def load_teacher(config: EvaluateConfig, draw_abstraction: "Draw") -> "Draw":
    """Load the method that --teacher names.

    Raises:
      InputError: it cannot be loaded.
    """
    if config.teacher == ABSTRACTION:
        return draw_abstraction
    from cartoongan_tf.inference.cartoonizer import Cartoonizer

    try:
        return Cartoonizer.load(config.teacher)
    except InputError as error:
        raise InputError(f"--teacher={config.teacher}: {error}; or give {ABSTRACTION}") from error


def _models(config: EvaluateConfig) -> list[Method]:
    """Load all models now, so that one that cannot be loaded is reported before anything is measured."""
    from cartoongan_tf.inference.named_models import load_named_models

    models = load_named_models(config.model)
    return [Method(name, None, functools.partial(models.__getitem__, name)) for name in models]


def _checkpoints(config: EvaluateConfig) -> list[Method]:
    """Write the generators of a run's checkpoints; each is loaded when it is measured."""
    if not config.run_dir:
        return []
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from cartoongan_tf.training.checkpoints import write_generators

    paths = write_generators(config.run_dir, Path(config.output_dir) / "checkpoints")
    return [Method(f"step {step}", step, functools.partial(Cartoonizer.load, path)) for step, path in paths.items()]


if __name__ == "__main__":
    sys.exit(main())
