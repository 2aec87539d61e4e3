"""The training step: its parts, what each switch does to it, and CycleGAN's step against it.

    python -m benchmarks.train_step --output=train_step.md

Everything is run by `step_graph.several_steps`, each in a process of its own, on random pictures in memory; the
processes of a table take turns, so that whatever else the machine does meets all of them. Times are medians over the
rounds; ratios are medians of the rounds' ratios, and they are what to compare. Peak memory (the GPU's, where there is
one) is what a process holds above one that has started TensorFlow and does nothing.

The methods are built from the same networks, with pools of 50 pictures. The paper's figures are its epochs' times
(section 4.2): 1517.69 s, against 2291.77 s of CycleGAN and 3020.31 s of CycleGAN with identity loss.
"""

import contextlib
import dataclasses
import functools
import math
import operator
import statistics
import sys
from collections.abc import Callable
from typing import Literal

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.timing import TimedProcess, fresh_process, take_turns, write_report
from cartoongan_tf.training.config import TrainConfig

GOALS = {"CycleGAN": (0.66, 0.60), "CycleGAN with identity loss": (0.50, 0.45)}  # the paper's ratio, and at most


@dataclasses.dataclass(frozen=True)
class TrainStepConfig(Config):
    tables: str = option("Which ones, separated by commas.", "parts,switches,methods")
    image_size: int = option("Side of the square pictures, in pixels; a multiple of 4 from 32 up.", 128, at_least=32)
    batch_size: int = option("Pictures in a step.", 1, at_least=1, at_most=TrainConfig.pool_size)
    generator: Literal["paper", "light"] = option("Architecture of the generators.", "paper")
    generator_width: int = option(
        "Filters of the generators' first convolution; 0: the architecture's own.", 0, at_least=0
    )
    generator_num_blocks: int = option("Residual blocks of the generators; 0: the architecture's own.", 0, at_least=0)
    discriminator_width: int = option(
        "Filters of the discriminators' first convolution; 32 is the paper's.", 32, at_least=1
    )
    vgg19_weights: str = option("As in training; with random ones its time is the same.", "random")
    rounds: int = option("How often each takes its turn.", 5, at_least=1)
    steps: int = option("Steps in a turn, at least; with --steps_per_call=8 a multiple of 8.", 1, at_least=1)
    output: str = option("A Markdown file to write the tables to.", "")

    def __post_init__(self):
        super().__post_init__()
        require(self, "image_size", self.image_size % 4 == 0, "must be a multiple of 4")
        are_known = set(self.tables.split(",")) <= set(_TABLES)
        require(self, "tables", are_known, f"there are {', '.join(_TABLES)}")
        _recipe(self)  # what else it has against the flags


@dataclasses.dataclass(frozen=True)
class Measured:
    """Of one work: seconds a step in each round, and peak memory."""

    secs: list[float]
    peak_bytes: int

    @property
    def median_secs(self) -> float:
        return statistics.median(self.secs)

    @property
    def cells(self) -> tuple[str, str]:
        return f"{self.median_secs:.3g}", f"{self.peak_bytes / 1e6:,.0f}"


def main(argv=None) -> int:
    return program.run(TrainStepConfig, _train_step, __doc__, argv)


def _train_step(config: TrainStepConfig, _) -> None:
    with fresh_process() as process:
        works = process.submit(steps_per_call_by_work).result()
    with TimedProcess(load, "base", "nothing", _recipe(config)) as worker:
        base_bytes = worker.call(1)
    lines = []
    for table in config.tables.split(","):
        lines += ["", *_TABLES[table](_measure(table, works[table], config, base_bytes))]
    write_report("benchmarks.train_step", config, ("tensorflow", "keras", "numpy"), lines[1:], config.output)


def steps_per_call_by_work() -> dict[str, dict[str, int]]:
    """By table, and by a work's name; called in a process of its own, as it takes TensorFlow to know."""
    program.start_tensorflow()
    from benchmarks.train_step_works import WORKS

    return {table: {name: work.steps_per_call for name, work in works.items()} for table, works in WORKS.items()}


def load(table: str, name: str, recipe: TrainConfig) -> Callable[[int], int]:
    """In a worker's process: make one work ready, as `train_step_works.build` does."""
    program.start_tensorflow()
    from benchmarks.train_step_works import WORKS, build

    return build(WORKS[table][name], recipe)


def _measure(table: str, works: dict[str, int], config: TrainStepConfig, base_bytes: int) -> dict[str, Measured]:
    """All works of a table, {name: steps per call}, in turns."""
    with contextlib.ExitStack() as stack:
        workers, ways = {}, {}
        for name, steps_per_call in works.items():
            worker = workers[name] = stack.enter_context(TimedProcess(load, table, name, _recipe(config)))
            num_steps = math.ceil(config.steps / steps_per_call) * steps_per_call
            ways[name] = functools.partial(_secs_per_step, worker, num_steps)
            print(f"{name}: ready, {(worker.call(0) - base_bytes) / 1e6:,.0f} MB", flush=True)
        secs = take_turns(ways, config.rounds)
        return {name: Measured(secs[name], worker.call(0) - base_bytes) for name, worker in workers.items()}


def _recipe(config: TrainStepConfig) -> TrainConfig:
    """The plain one: nothing switched on, no pool."""
    networks = ("generator", "generator_width", "generator_num_blocks", "discriminator_width", "vgg19_weights")
    values = {name: getattr(config, name) for name in (*networks, "batch_size")}
    return TrainConfig(data_dir="", run_dir="", crop_size=config.image_size, pool_size=0, **values)


def _secs_per_step(worker: TimedProcess, num_steps: int) -> float:
    return worker.seconds(num_steps) / num_steps


def _ratio(measured: Measured, other: Measured) -> float:
    return statistics.median(_ratios(measured, other))


def _ratios(measured: Measured, other: Measured) -> list[float]:
    """Of each round."""
    return list(map(operator.truediv, measured.secs, other.secs))


def _table_against(base: str, title: str, measured: dict[str, Measured]) -> list[str]:
    """One row for each work, with its time over that of the one named `base`."""
    lines = [f"| {title} | median s | x {base} | peak MB |", "| --- | --: | --: | --: |"]
    for name, each in measured.items():
        secs, peak_mb = each.cells
        lines.append(f"| {name} | {secs} | {_ratio(each, measured[base]):.2f} | {peak_mb} |")
    return lines


def _methods_table(measured: dict[str, Measured]) -> list[str]:
    lines = ["| method | median s a step | CartoonGAN's time by it | in all rounds | in the paper | goal | peak MB |"]
    lines.append("| --- | --: | --: | --: | --: | --: | --: |")
    for name, each in measured.items():
        secs, peak_mb = each.cells
        ratio, extent, paper, goal = "", "", "", ""
        if name in GOALS:
            ratios = _ratios(measured["CartoonGAN"], each)
            ratio, extent = f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"
            paper, goal = (f"{value:.2f}" for value in GOALS[name])
        lines.append(f"| {name} | {secs} | {ratio} | {extent} | {paper} | {goal} | {peak_mb} |")
    return lines


_TABLES = {
    "parts": functools.partial(_table_against, "adversarial step", "part"),
    "switches": functools.partial(_table_against, "plain", "adversarial step"),
    "methods": _methods_table,
}

if __name__ == "__main__":
    sys.exit(main())
