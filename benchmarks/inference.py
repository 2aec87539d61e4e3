"""Time and memory of a generator in several runtimes, same weights, threads and pictures, in one run.

    python -m benchmarks.inference --model=hayao.keras --output=inference.md

First each method runs each size once in a process of its own, to measure its peak memory. Then all methods must give
the same cartoons. Then they take turns, so that other work of the machine affects all of them. Compare the ratios: each
is the median over the rounds of the method's time divided by that of PyTorch's channels_last in the same round.
"""

import contextlib
import dataclasses
import functools
import operator
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.inference_methods import METHODS, TORCH, MethodProcess, prepare
from cartoongan_tf import styles
from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import fresh_process, take_turns, write_report
from cartoongan_tf.media.image_measures import psnr

MINIMUM_PSNR_DB = 80.0  # rounding alone leaves more than 100
PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "openvino", "onnxruntime", "opencv-python-headless", "torch")


@dataclasses.dataclass(frozen=True)
class InferenceConfig(Config):
    model: str = option("A .keras file, or the name of a style.", "ink")
    output: str = option("A Markdown file to write the table to.", "")
    sizes_px: str = option(
        "Sides of the square pictures: multiples of 4 from 8 up, separated by commas.", "256,512,1024"
    )
    rounds: int = option("Number of rounds, in each of which each method runs once at each size.", 5, at_least=1)
    seed: int = option("Seed of the pictures.", 0, at_least=0)
    threads: int = option("Number of threads; 0: one per CPU.", 0, at_least=0)


class Method(Protocol):
    """A method that is ready to run."""

    def draw(self, photo: np.ndarray) -> np.ndarray: ...


@dataclasses.dataclass(frozen=True)
class Row:
    """The measurements of one method at one size.

    Attributes:
      method, size_px: the method, and the side of the picture.
      psnr_db: PSNR of its cartoon against PyTorch's.
      seconds: median time.
      ratio: median over the rounds of the time, relative to PyTorch's channels_last.
      peak_mb, loaded_mb: peak memory with one cartoon, and before it.
    """

    method: str
    size_px: int
    psnr_db: float
    seconds: float
    ratio: float
    peak_mb: float
    loaded_mb: float


def main(argv=None) -> int:
    return program.run(InferenceConfig, _inference, __doc__, argv)


def _inference(config: InferenceConfig, _) -> None:
    sizes_px = _sizes_px(config.sizes_px)
    num_threads = config.threads or os.cpu_count() or 1
    for extra in ("benchmark", "onnx", "openvino"):
        require_extra(extra, "benchmarks.inference")
    model = styles.find_model(config.model)
    with tempfile.TemporaryDirectory() as folder:
        with fresh_process() as process:
            process.submit(prepare, model, Path(folder)).result()
        rows = measure(Path(folder), sizes_px, config.rounds, config.seed, num_threads)
    write_report("benchmarks.inference", config, PACKAGES, _table(rows), config.output)


def _sizes_px(text: str) -> list[int]:
    try:
        sizes_px = [int(size) for size in text.split(",")]
    except ValueError:
        raise InputError(f"--sizes_px={text}: numbers separated by commas were expected, like 256,512") from None
    for size in sizes_px:
        if size < 8 or size % 4:
            raise InputError(f"--sizes_px={text}: the generator takes multiples of 4 from 8 up, not {size}")
    return sizes_px


def measure(folder: Path, sizes_px: list[int], rounds: int, seed: int, num_threads: int) -> list[Row]:
    """Measure all methods, with the files that `prepare` wrote to the folder.

    Raises:
      InputError: a method gives another cartoon than PyTorch.
    """
    photos = {size: _photo(size, seed) for size in sizes_px}
    memory = {}
    for size, photo in photos.items():
        for method in METHODS:
            memory[method, size] = _memory(method, folder, num_threads, photo)
    with contextlib.ExitStack() as stack:
        processes = {method: stack.enter_context(MethodProcess(method, folder, num_threads)) for method in METHODS}
        rows = []
        for size, photo in photos.items():
            scores = compare(processes, photo)
            calls = {method: functools.partial(process.seconds, photo) for method, process in processes.items()}
            times = take_turns(calls, rounds)
            for method in METHODS:
                ratio = statistics.median(map(operator.truediv, times[method], times[TORCH]))
                seconds = statistics.median(times[method])
                rows.append(Row(method, size, scores[method], seconds, ratio, *memory[method, size]))
    return rows


def _photo(size_px: int, seed: int) -> np.ndarray:
    """Return smooth shading with some noise: float32 RGB [1, size, size, 3] in [-1, 1]."""
    y, x = np.mgrid[0:size_px, 0:size_px] / size_px
    shading = np.stack([x, y, 1.0 - x * y], -1) * 2.0 - 1.0
    noise = np.random.default_rng(seed).normal(0.0, 0.1, shading.shape)
    return (shading + noise).clip(-1.0, 1.0).astype(np.float32)[np.newaxis]


def _memory(method: str, folder: Path, num_threads: int, photo: np.ndarray) -> tuple[float, float]:
    """Return the peak memory in MB with one cartoon, and before it."""
    with MethodProcess(method, folder, num_threads) as process:
        loaded_bytes = process.peak_bytes()
        process.seconds(photo)
        return process.peak_bytes() / 1e6, loaded_bytes / 1e6


def compare(processes: Mapping[str, Method], photo: np.ndarray) -> dict[str, float]:
    """Compare each method's cartoon with PyTorch's; this also warms up all methods at this size.

    Returns:
      PSNR in dB, by method.

    Raises:
      InputError: a method gives another cartoon than PyTorch.
    """
    cartoons = {method: process.draw(photo) for method, process in processes.items()}
    scores = {method: psnr(cartoon, cartoons[TORCH], peak=2.0) for method, cartoon in cartoons.items()}
    worst = min(scores, key=lambda method: scores[method])
    print(f"{photo.shape[1]} px: all cartoons are the same, to {scores[worst]:.0f} dB", flush=True)
    if scores[worst] < MINIMUM_PSNR_DB:
        raise InputError(
            f"at {photo.shape[1]} px {worst} gives another cartoon than PyTorch: PSNR {scores[worst]:.1f} dB, not "
            f"{MINIMUM_PSNR_DB:.0f} dB or more; times of different functions cannot be compared"
        )
    return scores


def _table(rows: list[Row]) -> list[str]:
    lines = ["| method | px | median ms | x channels_last | peak MB | loaded MB | PSNR dB |"]
    lines.append("| --- | --: | --: | --: | --: | --: | --: |")
    for row in rows:
        memory = f"{row.peak_mb:,.0f} | {row.loaded_mb:,.0f}"
        times = f"{1e3 * row.seconds:.1f} | {row.ratio:.2f}"
        lines.append(f"| {row.method} | {row.size_px} | {times} | {memory} | {row.psnr_db:.0f} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
