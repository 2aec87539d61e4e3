"""Time and memory of drawing with the paper's generator: ours against PyTorch, same weights and pictures, one run.

    python -m benchmarks.inference --weights=hayao.npz --output=inference.md

First each method draws each size once in a process of its own, for its peak memory; then all must draw the same
pictures; then they take turns, so that whatever else the machine does meets all of them. Compare the ratios: each
is the median over the rounds of the method's time by that of PyTorch's channels_last in the same round.
"""

import contextlib
import dataclasses
import functools
import importlib.util
import operator
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.inference_methods import METHODS, TORCH_CHANNELS_LAST, MethodProcess, prepare
from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import fresh_process, take_turns, write_report
from export.parity import psnr

MINIMUM_PSNR_DB = 80.0  # rounding alone leaves more than 100
PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "torch", "numpy")


@dataclasses.dataclass(frozen=True)
class InferenceConfig(Config):
    weights: str = option("The authors' generator, as import_weights reads it; without it random weights.", "")
    output: str = option("A Markdown file to write the table to.", "")
    sizes_px: str = option(
        "Sides of the square pictures: multiples of 4 from 8 up, separated by commas.", "256,512,1024"
    )
    rounds: int = option("How often each method draws each size.", 5, at_least=1)
    seed: int = option("Of the pictures, and of random weights.", 0, at_least=0)
    threads: int = option("Threads to compute with; 0 for one per CPU.", 0, at_least=0)


@dataclasses.dataclass(frozen=True)
class Row:
    """What was measured of one method at one size."""

    method: str
    size_px: int
    psnr_db: float
    seconds: float  # median
    ratio: float  # to PyTorch's channels_last, median of the rounds
    peak_mb: float
    loaded_mb: float  # of the peak, what the method holds before it draws


def main(argv=None) -> int:
    return program.run(InferenceConfig, _inference, __doc__, argv)


def _inference(config: InferenceConfig, _) -> None:
    sizes_px, num_threads = _sizes_px(config.sizes_px), config.threads or os.cpu_count()
    if importlib.util.find_spec("torch") is None:
        raise InputError("PyTorch, which ours is measured against, is missing: pip install '.[benchmark]'")
    with tempfile.TemporaryDirectory() as folder:
        with fresh_process() as process:
            process.submit(prepare, config.weights, config.seed, Path(folder)).result()
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
    """Measure all methods, with what `prepare` wrote to the folder.

    Raises:
      InputError: a method draws another picture than PyTorch does.
    """
    photos = {size: _photo(size, seed) for size in sizes_px}
    memory = {
        (method, size): _memory(method, folder, num_threads, photo)
        for size, photo in photos.items()
        for method in METHODS
    }
    with contextlib.ExitStack() as stack:
        workers = {method: stack.enter_context(MethodProcess(method, folder, num_threads)) for method in METHODS}
        rows = []
        for size, photo in photos.items():
            scores = _compare(workers, photo)
            drawings = {method: functools.partial(worker.seconds, photo) for method, worker in workers.items()}
            times = take_turns(drawings, rounds)
            for method in METHODS:
                ratio = statistics.median(map(operator.truediv, times[method], times[TORCH_CHANNELS_LAST]))
                seconds = statistics.median(times[method])
                rows.append(Row(method, size, scores[method], seconds, ratio, *memory[method, size]))
    return rows


def _photo(size_px: int, seed: int) -> np.ndarray:
    """Smooth shading and some noise: float32 RGB [1, size, size, 3] in [-1, 1]."""
    y, x = np.mgrid[0:size_px, 0:size_px] / size_px
    shading = np.stack([x, y, 1.0 - x * y], -1) * 2.0 - 1.0
    noise = np.random.default_rng(seed).normal(0.0, 0.1, shading.shape)
    return (shading + noise).clip(-1.0, 1.0).astype(np.float32)[np.newaxis]


def _memory(method: str, folder: Path, num_threads: int, photo: np.ndarray) -> tuple[float, float]:
    """Peak memory in MB with one drawing, and before it."""
    with MethodProcess(method, folder, num_threads) as worker:
        loaded = worker.peak_bytes()
        worker.seconds(photo)
        return worker.peak_bytes() / 1e6, loaded / 1e6


def _compare(workers: dict[str, MethodProcess], photo: np.ndarray) -> dict[str, float]:
    """PSNR in dB of each method's cartoon against PyTorch's; a warm-up at this size as well."""
    cartoons = {method: worker.draw(photo) for method, worker in workers.items()}
    scores = {method: psnr(cartoon, cartoons[TORCH_CHANNELS_LAST], peak=2.0) for method, cartoon in cartoons.items()}
    worst = min(scores, key=scores.get)
    print(f"{photo.shape[1]} px: all draw the same, to {scores[worst]:.0f} dB", flush=True)
    if scores[worst] < MINIMUM_PSNR_DB:
        raise InputError(
            f"at {photo.shape[1]} px {worst} draws another picture than PyTorch: PSNR {scores[worst]:.1f} dB, where "
            f"{MINIMUM_PSNR_DB:.0f} dB are wanted; times of different functions are not comparable"
        )
    return scores


def _table(rows: list[Row]) -> list[str]:
    return [
        "| method | px | median s | x channels_last | peak MB | loaded MB | PSNR dB |",
        "| --- | --: | --: | --: | --: | --: | --: |",
        *(
            f"| {row.method} | {row.size_px} | {row.seconds:.3f} | {row.ratio:.2f} | {row.peak_mb:,.0f} | "
            f"{row.loaded_mb:,.0f} | {row.psnr_db:.0f} |"
            for row in rows
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
