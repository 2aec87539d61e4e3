"""Edge smoothing against the loop over pixels that other implementations of the paper use, on one core.

    python -m benchmarks.edge_smoothing --cartoons_dir=frames --output=edge_smoothing.md

Both smooth the same middle squares and take turns; times are medians over the rounds, each of a round's own calls
following one another. The loop's time grows with the share of pixels near edges, ours hardly does: so does the ratio.
"""

import dataclasses
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import write_report
from cartoongan_tf.media import folders, pictures
from data_pipeline.edge_smoothing import edge_region, smooth_edges
from data_pipeline.squares import middle_square

CALLS = 20  # of ours in a round: one takes less than a millisecond


@dataclasses.dataclass(frozen=True)
class EdgeSmoothingConfig(Config):
    cartoons_dir: str = option("Folder of cartoons.")
    image_size: int = option("Side of the middle squares that are smoothed, in pixels.", 256, at_least=1)
    num_cartoons: int = option("How many cartoons to smooth, spread over the folder.", 16, at_least=1)
    rounds: int = option("How often.", 5, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


@dataclasses.dataclass
class Measured:
    """One cartoon's figures; times are medians in seconds."""

    name: str
    region_share: float
    loop_secs: float
    our_secs: float
    largest_difference: float  # in grey levels

    @property
    def ratio(self) -> float:
        return self.loop_secs / self.our_secs


def main(argv=None) -> int:
    return program.run(EdgeSmoothingConfig, _edge_smoothing, __doc__, argv)


def smooth_by_loop(cartoon: np.ndarray) -> np.ndarray:
    """The loop: Canny(100, 200), edges widened by 5x5, each pixel near an edge and each channel blurred by itself.

    Args:
      cartoon: uint8 RGB [H, W, 3].

    Returns:
      float64 [H, W, 3], not rounded, so that differences can be measured.
    """
    edges = cv2.Canny(cv2.cvtColor(cartoon, cv2.COLOR_RGB2GRAY), 100, 200)
    dilation = cv2.dilate(edges, np.ones((5, 5), np.uint8))
    column = cv2.getGaussianKernel(5, 0)
    return blur_by_loop(cartoon, dilation != 0, column @ column.T)


def blur_by_loop(cartoon: np.ndarray, region: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Weighted sums around each pixel of a region, one by one.

    Args:
      cartoon: uint8 RGB [H, W, 3], reflected at its borders.
      region: bool [H, W].
      kernel: float [K, K], K odd.

    Returns:
      float64 [H, W, 3]: the cartoon, blurred in the region.
    """
    size = len(kernel)
    pad = size // 2
    padded = np.pad(cartoon, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    blurred = cartoon.astype(np.float64)
    for y, x in zip(*np.where(region), strict=True):
        for channel in range(3):
            around = padded[y : y + size, x : x + size, channel]
            blurred[y, x, channel] = np.sum(np.multiply(around, kernel))
    return blurred


def _edge_smoothing(config: EdgeSmoothingConfig, _) -> None:
    files = folders.list_files(config.cartoons_dir)
    chosen = np.unique(np.linspace(0, len(files) - 1, config.num_cartoons).astype(int))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        measured = [_measure(files[index], config.image_size, config.rounds) for index in chosen]
    finally:
        cv2.setNumThreads(threads)
    if worst := [each.name for each in measured if each.largest_difference > 1]:
        raise InputError(
            f"{worst[0]}: the loop and ours differ by more than one grey level; they are not the same work"
        )
    table = _table(sorted(measured, key=lambda each: each.region_share))
    write_report("benchmarks.edge_smoothing", config, ("numpy", "opencv-python-headless"), table, config.output)


def _measure(path: Path, image_size: int, rounds: int) -> Measured:
    cartoon = middle_square(pictures.read_picture(path), image_size)
    loop_secs, our_secs = [], []
    for _ in range(rounds):
        loop_secs.append(_secs(smooth_by_loop, cartoon))
        our_secs.append(_secs(lambda cartoon: [smooth_edges(cartoon) for _ in range(CALLS)], cartoon) / CALLS)
    difference = np.abs(smooth_by_loop(cartoon) - smooth_edges(cartoon)).max()
    times = statistics.median(loop_secs), statistics.median(our_secs)
    return Measured(path.name, edge_region(cartoon).mean(), *times, difference)


def _secs(work: Callable, cartoon: np.ndarray) -> float:
    start = time.perf_counter()
    work(cartoon)
    return time.perf_counter() - start


def _table(measured: list[Measured]) -> list[str]:
    lines = [
        "| cartoon | near edges | loop ms | ours ms | loop / ours | largest difference, grey levels |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for each in measured:
        lines.append(_row(each.name, each))
    together = Measured(
        "",
        statistics.mean(each.region_share for each in measured),
        sum(each.loop_secs for each in measured),
        sum(each.our_secs for each in measured),
        max(each.largest_difference for each in measured),
    )
    return [*lines, _row(f"all {len(measured)}", together)]


def _row(name: str, each: Measured) -> str:
    times = f"{each.loop_secs * 1e3:.1f} | {each.our_secs * 1e3:.3f} | {each.ratio:.0f}"
    return f"| {name} | {each.region_share:.1%} | {times} | {each.largest_difference:.2f} |"


if __name__ == "__main__":
    sys.exit(main())
