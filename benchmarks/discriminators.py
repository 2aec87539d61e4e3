"""Steps until a discriminator distinguishes: the paper's patches of pixels against heads on features of VGG19.

    python -m benchmarks.discriminators --data_dir=data/panels --vgg19_weights=vgg19.h5 --output=discriminators.md

All candidates do adversarial steps with the recipe of configs/photo_start.flags but for its warm-up, from the same
generator (which has learned to return the photo), on the same batches, in turns, for the same time. Two sorts of
pictures are apart while the running mean over 10 steps of the difference of their mean logits is above 0.2; with least
squares the targets are 1 for cartoons and 0 for others. "At the end" is the mean difference over the last 50 steps.
"""

import contextlib
import dataclasses
import functools
import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.timing import TimedProcess, fresh_process, take_turns, write_report
from cartoongan_tf.training.config import TrainConfig

GAP = 0.2
WINDOW_STEPS = 10
LOGITS = ("logits_cartoon", "logits_generated", "logits_smoothed")
_LAST_STEPS = 50
_TURN_SECS = 10.0

CANDIDATES: dict[str, dict[str, Any]] = {
    "patch": {},
    "patch, 5 times the rate": {"discriminator_learning_rate": 2e-3},
    "patch, edge weight 1": {"edge_loss_weight": 1.0},
    "features": {"discriminator": "features"},
    "features, 5 times the rate": {"discriminator": "features", "discriminator_learning_rate": 2e-3},
    "features, edge weight 1": {"discriminator": "features", "edge_loss_weight": 1.0},
    "features, random mixing": {"discriminator": "features", "feature_mixing": "random"},
    "features, geometry": {"discriminator": "features", "discriminator_augmentation": "geometry"},
    "features, all": {"discriminator": "features", "discriminator_augmentation": "all"},
}


@dataclasses.dataclass(frozen=True)
class DiscriminatorsConfig(Config):
    data_dir: str = option("Data folder of build_tfrecords.")
    vgg19_weights: str = option("As in training.", "imagenet")
    candidates: str = option("Candidates to compare, separated by semicolons.", "patch;features")
    minutes: float = option("Minutes of training of each candidate.", 5.0, above=0)
    initialization_steps: int = option("Steps in which the generator learns to return the photo.", 200, at_least=1)
    generator_width: int = option("As in training.", 16, at_least=1)
    generator_num_blocks: int = option("As in training.", 8, at_least=1)
    discriminator_width: int = option("As in training; 32 is the paper's.", 32, at_least=1)
    crop_size: int = option("As in training.", 96, at_least=32)
    mixed_precision: Literal["auto", "off", "bfloat16"] = option("As in training.", "auto")
    seed: int = option("As in training.", 0, at_least=0, below=2**31)
    output: str = option("A Markdown file to write the table to.", "")

    def __post_init__(self):
        super().__post_init__()
        require(self, "candidates", set(self.names) <= set(CANDIDATES), f"there are {'; '.join(CANDIDATES)}")

    @property
    def names(self) -> list[str]:
        return self.candidates.split(";")

    def recipe(self, name: str) -> TrainConfig:
        """Return the recipe of a candidate."""
        values: dict[str, Any] = {
            "generator": "narrow",
            "generator_width": self.generator_width,
            "generator_num_blocks": self.generator_num_blocks,
            "discriminator_width": self.discriminator_width,
            "batch_size": 4,
            "crop_size": self.crop_size,
            "initialization_loss": "pixels",
            "initialization_learning_rate": 5e-4,
            "generator_learning_rate": 2e-4,
            "discriminator_learning_rate": 4e-4,
            "edge_loss_weight": 0.1,
            "content_weight": 3e-4,
            "color_weight": 1.0,
            "pool_size": 0,
            "mixed_precision": self.mixed_precision,
            "seed": self.seed,
        }
        return TrainConfig(self.data_dir, "", self.vgg19_weights, **values | CANDIDATES[name])


def main(argv=None) -> int:
    return program.run(DiscriminatorsConfig, _compare, __doc__, argv)


def _compare(config: DiscriminatorsConfig, _) -> None:
    rounds = math.ceil(60 * config.minutes / _TURN_SECS)
    turn_secs = 60 * config.minutes / rounds
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        start = Path(folder) / "generator.keras"
        with fresh_process() as process:
            process.submit(write_start, config.recipe("patch"), config.initialization_steps, start).result()
        turns = {}
        for name in config.names:
            candidate = stack.enter_context(TimedProcess(load, config.recipe(name), start))
            turns[name] = functools.partial(candidate.call, turn_secs)
        results: dict[str, Any] = take_turns(turns, rounds)
    write_report("benchmarks.discriminators", config, ("tensorflow", "keras"), _table(results), config.output)


def write_start(recipe: TrainConfig, num_steps: int, path: Path) -> None:
    """Train a generator to return the photo, and write it; called in a process of its own."""
    run_step, networks = _build("initialization_step", recipe)
    for _ in range(num_steps):
        run_step()
    networks.generator.save(path)


def load(recipe: TrainConfig, start: Path) -> Callable[[float], tuple[np.ndarray, float]]:
    """Build a candidate in a process of its own, and trace its step.

    Returns:
      a function that trains for so many seconds. It returns the mean logits of `LOGITS` before each step, float
      [steps, 3], and the seconds that it took.
    """
    run_step, networks = _build("adversarial_step", recipe)
    from cartoongan_tf.models.generator_file import load_generator

    networks.start_from(load_generator(start))

    def train(secs: float) -> tuple[np.ndarray, float]:
        begin = time.perf_counter()
        rows = []
        while time.perf_counter() - begin < secs:
            scalars = run_step()
            rows.append([scalars[name].numpy().item() for name in LOGITS])
        return np.array(rows), time.perf_counter() - begin

    return train


def _build(step: str, recipe: TrainConfig):
    """Build a step of `steps` on batches of the records, traced but not run; return it with its networks."""
    program.start_tensorflow()
    import keras
    import tensorflow as tf

    from cartoongan_tf.training import schedule, step_graph, steps
    from cartoongan_tf.training.networks import build_networks
    from data_pipeline import dataset, records

    step_graph.switch_remapper_off()
    keras.utils.set_random_seed(recipe.seed)
    networks = build_networks(recipe, schedule.plan(recipe, steps_per_epoch=10**6), recipe.crop_size)
    opened = records.open_records(recipe.data_dir)
    batches = iter(dataset.build_dataset(opened, recipe.batch_size, recipe.seed, crop_size=recipe.crop_size))
    run = step_graph.several_steps(
        lambda batch: getattr(steps, step)(networks, batch, recipe), batches, tf.distribute.get_strategy()
    )
    run(0)
    return functools.partial(run, 1), networks


def parting(differences: np.ndarray) -> tuple[int, float] | None:
    """Return after how many steps two sorts of pictures parted, and in which share of the steps since they were apart.

    Args:
      differences: differences of their mean logits in each step, float [steps].

    Returns:
      None if they never parted.
    """
    means = np.convolve(differences, np.full(WINDOW_STEPS, 1 / WINDOW_STEPS), "valid")
    is_apart = means > GAP
    if not is_apart.any():
        return None
    first = int(np.argmax(is_apart))
    return first + WINDOW_STEPS, float(is_apart[first:].mean())


def _table(results: dict[str, list[tuple[np.ndarray, float]]]) -> list[str]:
    lines = [
        "| discriminator | steps | s a step | cartoons and generated part after | apart since | at the end | "
        "cartoons and smoothed part after | apart since | at the end |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for name, turns in results.items():
        logits = np.concatenate([rows for rows, _ in turns])
        step_secs = sum(secs for _, secs in turns) / len(logits)
        cells = [name, f"{len(logits):,}", f"{step_secs:.2f}"]
        for other in ("logits_generated", "logits_smoothed"):
            differences = logits[:, 0] - logits[:, LOGITS.index(other)]
            cells += _parting_cells(parting(differences), step_secs)
            cells.append(f"{differences[-_LAST_STEPS:].mean():.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _parting_cells(parted: tuple[int, float] | None, step_secs: float) -> list[str]:
    if parted is None:
        return ["never", ""]
    num_steps, share = parted
    return [f"{num_steps:,} steps, {num_steps * step_secs:.0f} s", f"{share:.0%}"]


if __name__ == "__main__":
    sys.exit(main())
