"""Measure how good styles are: how near their drawings are to cartoons, and what they keep of the photos.

    python -m cartoongan_tf.evaluate --model=runs/shinkai/generator.keras --photos_dir=held/photos \
        --cartoons_dir=held/frames --output_dir=evaluation

writes a table (evaluation.txt, .md and .json) and a sheet to look at (sheet.jpg). Beside the models it has the photos
untouched and two classical filters, which a style should do better than. --run_dir=runs/shinkai measures all
checkpoints of a run instead, or as well, and draws their curve (curve.png). Give photos and cartoons that no model was
trained on.
"""

import dataclasses
import sys
from pathlib import Path

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.evaluation import classical_filters

_MOST_CROP_PX = 512  # VGG19 looks at 16 crops at once: more than `kernel_limits` are left to slow kernels


@dataclasses.dataclass(frozen=True)
class EvaluateConfig(Config):
    photos_dir: str = option("Folder of photos to draw; folders in it count too.")
    cartoons_dir: str = option("Folder of cartoons to compare with: frames of the film, say.")
    output_dir: str = option("Folder to write to; what an earlier evaluation wrote there is written over.")
    model: str = option(
        "The models, separated by commas: .keras or .tflite files, SavedModel folders, styles; NAME=MODEL names one.",
        "",
    )
    run_dir: str = option("Folder of a run: measure each of its checkpoints; train with --keep_every_steps.", "")
    classical: bool = option("Measure the classical filters, too.", True)

    vgg19_weights: str = option(
        "VGG19 for the distances: imagenet (fetched once, 80 MB), a weights file's path, or random (trials only).",
        "imagenet",
    )
    inception_weights: str = option(
        "Inception v3's weights without top, a file of keras.applications: adds a column that is near to FID, for "
        "which at least 2,048 crops are usual.",
        "",
    )
    max_pictures: int = option("Take at most so many photos, and cartoons, spread over their folders.", 200, at_least=2)
    num_crops: int = option("Squares to cut from the photos, and as many from the cartoons.", 1000, at_least=2)
    crop_px: int = option("Their side.", 96, at_least=32, at_most=_MOST_CROP_PX)
    long_side: int = option(
        "Draw and measure larger pictures shrunk to this longer side, in pixels; 0: never.", 512, at_least=0
    )
    num_resamplings: int = option("How often pictures are drawn anew, for the intervals.", 200, at_least=2)
    num_on_sheet: int = option("Photos on the sheet.", 8, at_least=1)
    seed: int = option("Of the places of the crops and of the resamplings.", 0, at_least=0)

    def __post_init__(self):
        super().__post_init__()
        if not self.model and not self.run_dir and not self.classical:
            raise InputError("--model is missing: name a model, or a run by --run_dir")
        crop_fits = self.long_side == 0 or self.long_side >= self.crop_px
        require(self, "long_side", crop_fits, f"must be 0, or at least --crop_px={self.crop_px}")


def main(argv=None) -> int:
    return program.run(EvaluateConfig, _evaluate, __doc__, argv)


def _evaluate(config: EvaluateConfig, _) -> None:
    program.start_tensorflow()
    from cartoongan_tf.evaluation import report
    from cartoongan_tf.evaluation.evaluator import Evaluator, EvaluatorConfig
    from cartoongan_tf.media import picture_set

    photos, cartoons = (
        picture_set.read_pictures(folder, config.long_side, config.crop_px, config.max_pictures)
        for folder in (config.photos_dir, config.cartoons_dir)
    )
    ways = [*_classical(config), *_models(config)]
    names = [field.name for field in dataclasses.fields(EvaluatorConfig)]
    settings = EvaluatorConfig(**{name: getattr(config, name) for name in names})
    shown = report.chosen(photos, config.num_on_sheet)
    evaluator = Evaluator(photos.pixels, cartoons.pixels, settings, shown)
    ways += _checkpoints(config, Path(config.output_dir) / "checkpoints")
    rows = [evaluator.cartoons_row(), evaluator.photos_row()]
    for name, step, load in Bar(ways, desc="measuring", unit="way"):
        rows.append(evaluator.row(name, load(), step))
    result = report.Report(config, photos, cartoons, evaluator, rows)
    result.write(Path(config.output_dir))
    print(result.text())


def _classical(config: EvaluateConfig) -> list[tuple]:
    if not config.classical:
        return []
    ways = {"OpenCV's stylization": classical_filters.stylization, "OpenCV, edges drawn": classical_filters.drawn_edges}
    return [(name, None, lambda draw=draw: draw) for name, draw in ways.items()]


def _models(config: EvaluateConfig) -> list[tuple]:
    """Each model's name, no step, and what gives it; all are loaded now, before anything is measured."""
    from cartoongan_tf.inference.named_models import load_named_models

    return [(name, None, lambda model=model: model) for name, model in load_named_models(config.model).items()]


def _checkpoints(config: EvaluateConfig, folder: Path) -> list[tuple]:
    if not config.run_dir:
        return []
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from cartoongan_tf.training.checkpoints import write_generators

    written = write_generators(config.run_dir, folder)
    return [(f"step {step}", step, lambda path=path: Cartoonizer.load(path)) for step, path in written.items()]


if __name__ == "__main__":
    sys.exit(main())
