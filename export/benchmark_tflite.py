"""Latency and memory of .tflite files on this machine, by threads and size, in the interpreter that phones use.

    python -m export.benchmark_tflite --models=exported/tflite/shinkai-fp16.tflite,exported/tflite/shinkai-int8.tflite

Each file is measured in processes of its own: first its peak memory with one picture, then its time, all files taking
turns, so that whatever else the machine does meets all of them. Compare the ratios: each is the median over the rounds
of a file's time by that of the first file in the same round. A file of a fixed size is measured at that size alone.
"""

import dataclasses
import operator
import os
import statistics
import sys
from pathlib import Path

import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.timing import Worker, seconds_in_turns, write_report

PACKAGES = ("ai-edge-litert", "numpy")


@dataclasses.dataclass(frozen=True)
class BenchmarkConfig(Config):
    models: str = option("The .tflite files, separated by commas.")
    sizes_px: str = option("Sides of the square pictures: multiples of 4 from 8 up, separated by commas.", "256,512")
    threads: str = option("Threads to compute with, separated by commas.", f"1,{os.cpu_count()}")
    rounds: int = option("How often each file draws each size.", 5, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")

    def __post_init__(self):
        super().__post_init__()
        are_threads = all(0 < number <= 256 for number in self.numbers("threads"))
        require(self, "threads", are_threads, "numbers from 1 to 256 were expected")
        are_sizes = all(8 <= size <= 8192 and size % 4 == 0 for size in self.numbers("sizes_px"))
        require(self, "sizes_px", are_sizes, "multiples of 4 from 8 to 8192 were expected")

    def numbers(self, name: str) -> list[int]:
        """A flag's numbers, each once."""
        try:
            found = list(dict.fromkeys(int(number) for number in getattr(self, name).split(",") if number))
        except ValueError:
            found = []
        require(self, name, found, "numbers separated by commas were expected")
        return found


@dataclasses.dataclass(frozen=True)
class Case:
    """A file at work."""

    path: Path
    num_threads: int
    size_px: tuple[int, int]

    @property
    def way(self) -> tuple:
        """What a `Worker` takes to draw with it."""
        return load, self.path, self.num_threads

    def photo(self) -> np.ndarray:
        """Noise: what is drawn does not matter to the time."""
        return np.random.default_rng(0).random((1, *self.size_px, 3), np.float32) * 2 - 1


def main(argv=None) -> int:
    return program.run(BenchmarkConfig, _benchmark, __doc__, argv)


def _benchmark(config: BenchmarkConfig, _) -> None:
    paths = [Path(name) for name in config.models.split(",") if name]
    sizes = [(size, size) for size in config.numbers("sizes_px")]
    cases = []
    for path in paths:
        fixed_size = _checked(path).size
        for num_threads in config.numbers("threads"):
            cases += [Case(path, num_threads, size) for size in ([fixed_size] if fixed_size else sizes)]
    memory = {case: _memory(case) for case in cases}
    times = seconds(cases, config.rounds)
    write_report("export.benchmark_tflite", config, PACKAGES, _table(cases, times, memory), config.output)


def _checked(path: Path):
    if not path.is_file():
        raise InputError(f"{path}: no such file; export_model writes OUTPUT_DIR/tflite/NAME-fp16.tflite and others")
    return load(path, 1)


def load(path: Path, num_threads: int):
    """A .tflite file, ready to draw."""
    from cartoongan_tf.inference.tflite_model import TFLiteGenerator

    return TFLiteGenerator.load(path, num_threads)


def _memory(case: Case) -> tuple[int, int]:
    """Peak memory in bytes with one picture, and before it."""
    with Worker(*case.way) as worker:
        loaded = worker.peak_bytes()
        worker.seconds(case.photo())
        return worker.peak_bytes(), loaded


def seconds(cases: list[Case], rounds: int) -> dict[Case, list[float]]:
    """Times of each case; those of one size and number of threads take turns."""
    found = {}
    for group in dict.fromkeys((case.num_threads, case.size_px) for case in cases):
        peers = [case for case in cases if (case.num_threads, case.size_px) == group]
        found |= seconds_in_turns({case: case.way for case in peers}, peers[0].photo(), rounds)
    return found


def _table(cases: list[Case], times: dict[Case, list[float]], memory: dict[Case, tuple[int, int]]) -> list[str]:
    lines = [
        "| file | px | threads | median ms | x first file | peak MB | loaded MB |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for case in sorted(cases, key=lambda case: (case.size_px, case.num_threads)):
        first = times.get(dataclasses.replace(case, path=cases[0].path))
        ratio = f"{statistics.median(map(operator.truediv, times[case], first)):.2f}" if first else "-"
        peak, loaded = (f"{num_bytes / 1e6:,.0f}" for num_bytes in memory[case])
        size = f"{case.size_px[0]} x {case.size_px[1]}"
        milliseconds = 1e3 * statistics.median(times[case])
        lines.append(
            f"| {case.path.name} | {size} | {case.num_threads} | {milliseconds:.0f} | {ratio} | {peak} | {loaded} |"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
