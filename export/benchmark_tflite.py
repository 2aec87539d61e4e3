"""Latency and memory of .tflite files on this machine, by threads and size, in the interpreter that phones use.

    python -m export.benchmark_tflite --models=exported/tflite/shinkai-fp16.tflite,exported/tflite/shinkai-int8.tflite

Each file is measured in processes of its own: first its peak memory with one picture, then its time. For the time the
files take turns, so that other load on the machine affects all of them alike. Compare the ratios: each is the median
over the rounds of a file's time divided by the first file's time in the same round. A file with a fixed size is
measured only at that size.
"""

import dataclasses
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.timing import TimedProcess, seconds_in_turns, write_report

PACKAGES = ("ai-edge-litert", "numpy")


@dataclasses.dataclass(frozen=True)
class BenchmarkConfig(Config):
    """Settings for the benchmark; values that cannot be used raise InputError."""

    models: str = option("The .tflite files, separated by commas.")
    sizes_px: str = option("Sides of the square pictures: multiples of 4 from 8 up, separated by commas.", "256,512")
    threads: str = option("Numbers of threads, separated by commas.", f"1,{os.cpu_count()}")
    rounds: int = option("Number of times that each file runs at each size.", 5, at_least=1)
    output: str = option("Markdown file to write the table to.", "")

    def __post_init__(self):
        super().__post_init__()
        are_threads = all(0 < number <= 256 for number in self.numbers("threads"))
        require(self, "threads", are_threads, "numbers from 1 to 256 were expected")
        are_sizes = all(8 <= size <= 8192 and size % 4 == 0 for size in self.numbers("sizes_px"))
        require(self, "sizes_px", are_sizes, "multiples of 4 from 8 to 8192 were expected")

    def numbers(self, name: str) -> list[int]:
        """Return the numbers in a flag, each once."""
        texts = [text for text in getattr(self, name).split(",") if text]
        try:
            numbers = [int(text) for text in texts]
        except ValueError:
            numbers = []
        require(self, name, numbers, "numbers separated by commas were expected")
        return list(dict.fromkeys(numbers))


@dataclasses.dataclass(frozen=True)
class Case:
    """A file, with the number of threads and the picture size to run it at."""

    path: Path
    num_threads: int
    size_px: tuple[int, int]

    @property
    def worker_arguments(self) -> tuple:
        """The arguments of a `TimedProcess` that runs the file."""
        return load, self.path, self.num_threads

    def photo(self) -> np.ndarray:
        """Return noise, float32 RGB [1, *size_px, 3]; the content of a picture does not affect the time."""
        return np.random.default_rng(0).random((1, *self.size_px, 3), np.float32) * 2 - 1


def main(argv=None) -> int:
    return program.run(BenchmarkConfig, _benchmark, __doc__, argv)


def _benchmark(config: BenchmarkConfig, _) -> None:
    cases = _cases(config)
    memory = {case: _memory(case) for case in cases}
    times = seconds(cases, config.rounds)
    write_report("export.benchmark_tflite", config, PACKAGES, _table(cases, times, memory), config.output)


def _cases(config: BenchmarkConfig) -> list[Case]:
    square_sizes = [(side, side) for side in config.numbers("sizes_px")]
    cases = []
    for path in [Path(name) for name in config.models.split(",") if name]:
        if not path.is_file():
            raise InputError(f"{path}: no such file; export_model writes OUTPUT_DIR/tflite/NAME-fp16.tflite and others")
        fixed_size = load(path, 1).size
        sizes = [fixed_size] if fixed_size else square_sizes
        for num_threads in config.numbers("threads"):
            cases += [Case(path, num_threads, size) for size in sizes]
    return cases


def load(path: Path, num_threads: int):
    """Load a .tflite file."""
    from cartoongan_tf.inference.tflite_model import TFLiteGenerator

    return TFLiteGenerator.load(path, num_threads)


def _memory(case: Case) -> tuple[int, int]:
    """Return the peak memory in bytes after one picture, and before it."""
    with TimedProcess(*case.worker_arguments) as worker:
        loaded = worker.peak_bytes()
        worker.seconds(case.photo())
        return worker.peak_bytes(), loaded


def seconds(
    cases: list[Case], rounds: int, measure: Callable[..., dict[Case, list[float]]] = seconds_in_turns
) -> dict[Case, list[float]]:
    """Measure the times of all cases; cases of the same size and number of threads take turns.

    Args:
      cases: the cases to measure.
      rounds: number of times that each runs.
      measure: a function like `seconds_in_turns`.
    """
    times: dict[Case, list[float]] = {}
    for num_threads, size_px in dict.fromkeys((case.num_threads, case.size_px) for case in cases):
        group = [case for case in cases if (case.num_threads, case.size_px) == (num_threads, size_px)]
        workers = {case: case.worker_arguments for case in group}
        times |= measure(workers, group[0].photo(), rounds)
    return times


def _table(cases: list[Case], times: dict[Case, list[float]], memory: dict[Case, tuple[int, int]]) -> list[str]:
    lines = [
        "| file | px | threads | median ms | x first file | peak MB | loaded MB |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for case in sorted(cases, key=lambda case: (case.size_px, case.num_threads)):
        first_times = times.get(dataclasses.replace(case, path=cases[0].path))
        peak, loaded = memory[case]
        cells = [
            case.path.name,
            f"{case.size_px[0]} x {case.size_px[1]}",
            str(case.num_threads),
            f"{1e3 * statistics.median(times[case]):.0f}",
            _median_ratio(times[case], first_times) if first_times else "-",
            f"{peak / 1e6:,.0f}",
            f"{loaded / 1e6:,.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _median_ratio(times: list[float], first_times: list[float]) -> str:
    ratios = [time / first_time for time, first_time in zip(times, first_times, strict=True)]
    return f"{statistics.median(ratios):.2f}"


if __name__ == "__main__":
    sys.exit(main())
