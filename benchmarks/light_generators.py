"""Candidates for the light generator, compared by cost, speed and a short training.

    python -m benchmarks.light_generators --data_dir=data/pepper --photos_dir=held_photos --cartoons_dir=held_cartoons \
        --output_dir=light --vgg19_weights=vgg19.h5

Each candidate of `light_candidates` is trained with the same recipe in a process of its own, and evaluated on held-out
pictures. Then all candidates and the paper's generator take turns as TFLite. The same command resumes after an
interruption. It takes about 7 minutes a candidate on 2 cores.
"""

import dataclasses
import json
import math
import operator
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cartoongan_tf.base import atomic, program
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.timing import fresh_process, seconds_in_turns, write_report
from cartoongan_tf.training.config import TrainConfig

PACKAGES = ("tensorflow", "keras", "ai-edge-litert")
RECIPE: dict[str, Any] = {
    "discriminator_width": 16,
    "batch_size": 4,
    "initialization_loss": "pixels",
    "discriminator_warmup_steps": 150,
    "generator_learning_rate": 1e-4,
    "discriminator_learning_rate": 2e-4,
    "edge_loss_weight": 0.1,
    "content_weight": 1e-3,
    "color_weight": 2.0,
    "ema_decay": 0.99,
    "checkpoint_every_steps": 200,
    "keep_checkpoints": 1,
}
SHOWN = {  # measures of `evaluate` by their headings, and their factors
    "KID to cartoons x1000": ("kid_to_cartoons", 1000),
    "FD to cartoons": ("fd_to_cartoons", 1),
    "content distance": ("content_distance", 1),
    "colour shift": ("color_shift", 1),
}


@dataclasses.dataclass(frozen=True)
class LightConfig(Config):
    output_dir: str = option("Folder of the runs and of the evaluation.")
    train: bool = option("Train and evaluate the candidates; otherwise they are only timed.", True)
    data_dir: str = option("Folder of training records.", "")
    photos_dir: str = option("Folder of photos to evaluate on.", "")
    cartoons_dir: str = option("Folder of cartoons to evaluate on.", "")
    vgg19_weights: str = option("As in training.", "imagenet")
    candidates: str = option("Candidates to compare, separated by semicolons; all by default.", "")
    crop_size: int = option("As in training.", 96, at_least=1)
    initialization_epochs: int = option("As in training.", 2, at_least=0)
    adversarial_epochs: int = option("As in training.", 3, at_least=1)
    num_crops: int = option("Number of crops to evaluate on.", 500, at_least=1)
    size_px: int = option("Side of the square pictures for timing, in pixels.", 256, at_least=1)
    num_threads: int = option("Number of threads for timing.", 2, at_least=1)
    rounds: int = option("Number of timed pictures of each.", 9, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")

    def __post_init__(self):
        super().__post_init__()
        for name in ("data_dir", "photos_dir", "cartoons_dir"):
            require(self, name, getattr(self, name) or not self.train, "name a folder, or give --notrain")


def main(argv=None) -> int:
    return program.run(LightConfig, _compare, __doc__, argv)


def _compare(config: LightConfig, _) -> None:
    names = config.candidates.split(";") if config.candidates else _all_names()
    folder = Path(config.output_dir)
    for name in names if config.train else ():
        with fresh_process() as process:
            process.submit(train, name, config, folder / _slug(name)).result()
    with fresh_process() as process:
        costs = process.submit(convert, ["paper", *names], folder, config.train).result()
    times = _seconds(["paper", *names], config)
    measured = _evaluate(names, config) if config.train else dict.fromkeys(times, ())
    headings = ["", "parameters", "GMAC", "fp16 MB", "ms", "times as fast", *(SHOWN if config.train else ())]
    lines = [f"| {' | '.join(headings)} |", "| --- |" + " --: |" * (len(headings) - 1)]
    for name, secs in times.items():
        faster = statistics.median(map(operator.truediv, times["paper"], secs))
        cells = [*costs[name], f"{1e3 * statistics.median(secs):.0f}", f"{faster:.1f}", *measured[name]]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    write_report("benchmarks.light_generators", config, PACKAGES, lines, config.output)


def _seconds(names: list[str], config: LightConfig) -> dict[str, list[float]]:
    """Time one picture with each model, in turns: seconds by name."""
    photo = np.random.default_rng(0).random((1, config.size_px, config.size_px, 3), np.float32) * 2 - 1
    folder = Path(config.output_dir)
    loaders = {name: (load, folder / f"{_slug(name)}.tflite", config.num_threads) for name in names}
    return seconds_in_turns(loaders, photo, config.rounds)


def load(path: Path, num_threads: int):
    """Load a .tflite file."""
    from cartoongan_tf.inference.tflite_model import TFLiteGenerator

    return TFLiteGenerator.load(path, num_threads)


def _slug(name: str) -> str:
    return name.replace(", ", "-").replace(" ", "_")


def _all_names() -> list[str]:
    with fresh_process() as process:
        return process.submit(candidate_names).result()


def candidate_names() -> list[str]:
    """Return the names of all candidates; called in a process of its own, as it starts TensorFlow."""
    program.start_tensorflow()
    from benchmarks.light_candidates import CANDIDATES

    return list(CANDIDATES)


def train(name: str, config: LightConfig, run_dir: Path) -> None:
    """Train a candidate, or resume its training."""
    program.start_tensorflow()
    import keras

    import benchmarks.light_candidates  # noqa: F401  adds the architectures
    from cartoongan_tf.training import distribution
    from cartoongan_tf.training.feeds import Feeds
    from cartoongan_tf.training.inputs import Inputs
    from cartoongan_tf.training.run import build_run
    from cartoongan_tf.training.run_folder import RunFolder
    from data_pipeline import dataset, records

    values: dict[str, Any] = {
        "data_dir": config.data_dir,
        "run_dir": str(run_dir),
        "vgg19_weights": config.vgg19_weights,
        "generator": name,
        "crop_size": config.crop_size,
        "initialization_epochs": config.initialization_epochs,
        "initialization_decay_epochs": config.initialization_epochs // 2,
        "adversarial_epochs": config.adversarial_epochs,
        "adversarial_decay_epochs": config.adversarial_epochs // 2,
    }
    recipe = TrainConfig(**values, **RECIPE)
    keras.utils.set_random_seed(recipe.seed)
    opened = records.open_records(config.data_dir)

    def batches(first_batch, num_workers, worker):
        return dataset.build_dataset(
            opened, recipe.batch_size, recipe.seed, first_batch, recipe.crop_size, num_workers, worker
        )

    photos = dataset.read_photos(opened, recipe.num_samples)
    cartoons = dataset.read_cartoons(opened, 24)
    steps = math.ceil(len(opened.photos) / recipe.batch_size)
    data = Inputs(Feeds(batches, recipe.batch_size, None), steps, recipe.crop_size, photos, cartoons, config.data_dir)
    folder = RunFolder(recipe.run_dir)
    folder.check_can_resume(recipe)
    if build_run(recipe, folder, distribution.build_strategy("one"), data).run():
        raise KeyboardInterrupt


def convert(names: list[str], folder: Path, are_trained: bool) -> dict[str, tuple[str, str, str]]:
    """Write each model as TFLite, fp32, beside its run.

    Returns:
      cells of the table by name: parameters, billions of multiplications, and the size of fp16 in MB.
    """
    program.start_tensorflow()
    import benchmarks.light_candidates  # noqa: F401
    from benchmarks.generator_costs import num_multiplications
    from cartoongan_tf.models.generator import build_generator
    from cartoongan_tf.models.generator_file import load_generator
    from export.tflite import convert
    from export.tflite_file import Metadata

    costs = {}
    for name in names:
        generator = build_generator(name)
        if are_trained and name != "paper":
            generator.set_weights(load_generator(folder / _slug(name) / "generator.keras").get_weights())
        files = {precision: convert(generator, precision, Metadata(name)) for precision in ("fp32", "fp16")}
        with atomic.replacing(folder / f"{_slug(name)}.tflite") as temporary:
            temporary.write_bytes(files["fp32"])
        giga = num_multiplications(generator, 256, 256) / 1e9
        costs[name] = (f"{generator.count_params():,}", f"{giga:.2f}", f"{len(files['fp16']) / 1e6:.2f}")
    return costs


def _evaluate(names: list[str], config: LightConfig) -> dict[str, list[str]]:
    """Run `evaluate`; return cells of the table by name, empty ones for the paper's generator, which is not trained."""
    folder = Path(config.output_dir)
    models = ",".join(f"{_slug(name)}={folder / _slug(name) / 'generator.keras'}" for name in names)
    same_flags = ("photos_dir", "cartoons_dir", "vgg19_weights", "num_crops")
    flags = [f"--{name}={getattr(config, name)}" for name in same_flags]
    flags += [f"--model={models}", f"--output_dir={folder / 'evaluation'}"]
    subprocess.run([sys.executable, "-m", "cartoongan_tf.evaluate", *flags], check=True)
    rows = json.loads((folder / "evaluation" / "evaluation.json").read_text())["rows"]
    measures_by_name = {row["name"]: row["measures"] for row in rows}
    cells = {"paper": ["-"] * len(SHOWN)}
    for name in names:
        measures = measures_by_name[_slug(name)]
        cells[name] = [f"{factor * measures[measure]['value']:.1f}" for measure, factor in SHOWN.values()]
    return cells


if __name__ == "__main__":
    sys.exit(main())
