"""The training step: its parts, the effect of each switch, and CycleGAN's step in comparison.

    python -m benchmarks.train_step --output=train_step.md

`step_graph.several_steps` runs everything, each work in a process of its own, on random pictures in memory. The
processes of a table take turns, so that other work of the machine affects all of them. Times are medians over the
rounds. Compare the ratios, which are medians of the rounds' ratios. Peak memory (the GPU's, if there is one) is that of
a process minus that of a process which has started TensorFlow and does nothing.

The methods are built from the same networks, with pools of 50 pictures. The paper's times are those of its epochs
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

GOALS = {  # CartoonGAN's time relative to the method's: the paper's ratio, and the goal
    "CycleGAN": (0.66, 0.60),
    "CycleGAN with identity loss": (0.50, 0.45),
}


@dataclasses.dataclass(frozen=True)
class TrainStepConfig(Config):
    tables: str = option("The tables to measure, separated by commas.", "parts,switches,methods")
    image_size: int = option("Side of the square pictures, in pixels; a multiple of 4 from 32 up.", 128, at_least=32)
    batch_size: int = option("Pictures in a step.", 1, at_least=1, at_most=TrainConfig.pool_size)
    generator: Literal["paper", "light", "narrow"] = option("Architecture of the generators.", "paper")
    generator_width: int = option(
        "Filters of the generators' first convolution; 0: the architecture's own.", 0, at_least=0
    )
    generator_num_blocks: int = option("Residual blocks of the generators; 0: the architecture's own.", 0, at_least=0)
    discriminator_width: int = option(
        "Filters of the discriminators' first convolution; 32 is the paper's.", 32, at_least=1
    )
    vgg19_weights: str = option("As in training; random weights take the same time.", "random")
    rounds: int = option("Number of turns of each work.", 5, at_least=1)
    steps: int = option(
        "Least number of steps in a turn; with --steps_per_call=8 it is rounded up to a multiple of 8.", 1, at_least=1
    )
    output: str = option("A Markdown file to write the tables to.", "")

    def __post_init__(self):
        super().__post_init__()
        require(self, "image_size", self.image_size % 4 == 0, "must be a multiple of 4")
        are_known = set(self.tables.split(",")) <= set(_TABLES)
        require(self, "tables", are_known, f"there are {', '.join(_TABLES)}")
        recipe_of(self)  # it checks further flags


@dataclasses.dataclass(frozen=True)
class Measured:
    """The measurements of one work: seconds per step in each round, and peak memory."""

    secs: list[float]
    peak_bytes: int

    @property
    def time_cell(self) -> str:
        return f"{statistics.median(self.secs):.3g}"

    @property
    def memory_cell(self) -> str:
        return f"{self.peak_bytes / 1e6:,.0f}"


def main(argv=None) -> int:
    return program.run(TrainStepConfig, _train_step, __doc__, argv)


def _train_step(config: TrainStepConfig, _) -> None:
    with fresh_process() as process:
        steps_per_call = process.submit(steps_per_call_by_work).result()
    with TimedProcess(load, "base", "nothing", recipe_of(config)) as base:
        base_bytes = base.call(1)
    lines = []
    for table in config.tables.split(","):
        measured = _measure(table, steps_per_call[table], config, base_bytes)
        lines += ["", *_TABLES[table](measured)]
    write_report("benchmarks.train_step", config, ("tensorflow", "keras", "numpy"), lines[1:], config.output)


def steps_per_call_by_work() -> dict[str, dict[str, int]]:
    """Return --steps_per_call by table and work; called in a process of its own, as it starts TensorFlow."""
    program.start_tensorflow()
    from benchmarks.train_step_works import WORKS

    return {table: {name: work.steps_per_call for name, work in works.items()} for table, works in WORKS.items()}


def load(table: str, name: str, recipe: TrainConfig) -> Callable[[int], int]:
    """Build one work, in a process of its own; see `train_step_works.build`."""
    program.start_tensorflow()
    from benchmarks.train_step_works import WORKS, build

    return build(WORKS[table][name], recipe)


def _measure(
    table: str, steps_per_call: dict[str, int], config: TrainStepConfig, base_bytes: int
) -> dict[str, Measured]:
    """Measure all works of a table, in turns.

    Args:
      table: name of the table.
      steps_per_call: --steps_per_call of its works, by name.
      config: flags.
      base_bytes: memory of a process that does nothing.
    """
    with contextlib.ExitStack() as stack:
        processes = {}
        timers = {}
        for name, num_in_call in steps_per_call.items():
            processes[name] = stack.enter_context(TimedProcess(load, table, name, recipe_of(config)))
            num_steps = math.ceil(config.steps / num_in_call) * num_in_call
            timers[name] = functools.partial(_secs_per_step, processes[name], num_steps)
            ready_bytes = processes[name].call(0)
            print(f"{name}: ready, {(ready_bytes - base_bytes) / 1e6:,.0f} MB", flush=True)
        secs = take_turns(timers, config.rounds)
        return {name: Measured(secs[name], process.call(0) - base_bytes) for name, process in processes.items()}


def recipe_of(config: TrainStepConfig) -> TrainConfig:
    """Return the plain recipe: no switch on, no pool."""
    return TrainConfig(
        data_dir="",
        run_dir="",
        vgg19_weights=config.vgg19_weights,
        generator=config.generator,
        generator_width=config.generator_width,
        generator_num_blocks=config.generator_num_blocks,
        discriminator_width=config.discriminator_width,
        batch_size=config.batch_size,
        crop_size=config.image_size,
        pool_size=0,
    )


def _secs_per_step(process: TimedProcess, num_steps: int) -> float:
    return process.seconds(num_steps) / num_steps


def _ratios(measured: Measured, other: Measured) -> list[float]:
    """Return the ratio of the times in each round."""
    return list(map(operator.truediv, measured.secs, other.secs))


def _table_against(base: str, title: str, measured: dict[str, Measured]) -> list[str]:
    """Return a table with a row for each work, with its time relative to that of the one named `base`."""
    lines = [f"| {title} | median s | x {base} | peak MB |", "| --- | --: | --: | --: |"]
    for name, work in measured.items():
        ratio = statistics.median(_ratios(work, measured[base]))
        lines.append(f"| {name} | {work.time_cell} | {ratio:.2f} | {work.memory_cell} |")
    return lines


def _methods_table(measured: dict[str, Measured]) -> list[str]:
    lines = [
        "| method | median s a step | CartoonGAN's time by it | in all rounds | in the paper | goal | peak MB |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for name, work in measured.items():
        comparison = ["", "", "", ""]
        if name in GOALS:
            ratios = _ratios(measured["CartoonGAN"], work)
            papers_ratio, goal = GOALS[name]
            comparison = [
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
                f"{papers_ratio:.2f}",
                f"{goal:.2f}",
            ]
        lines.append(f"| {name} | {work.time_cell} | {' | '.join(comparison)} | {work.memory_cell} |")
    return lines


_TABLES: dict[str, Callable[[dict[str, Measured]], list[str]]] = {
    "parts": functools.partial(_table_against, "adversarial step", "part"),
    "switches": functools.partial(_table_against, "plain", "adversarial step"),
    "methods": _methods_table,
}

if __name__ == "__main__":
    sys.exit(main())
