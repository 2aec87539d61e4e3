"""Edge smoothing against the loop over pixels that other implementations of the paper use, on one core.

    python -m benchmarks.edge_smoothing --cartoons_dir=frames --output=edge_smoothing.md

Both smooth the same middle squares and take turns; times are medians over the rounds. The loop's time grows with the
share of pixels near edges, and ours hardly does. So the ratio grows with that share, too.
"""

import dataclasses
import statistics
import sys
from pathlib import Path

import cv2
import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import seconds_of, write_report
from cartoongan_tf.media import folders, pictures
from data_pipeline.edge_smoothing import edge_region, smooth_edges
from data_pipeline.squares import middle_square

CALLS = 20  # of our function in a round: one takes less than a millisecond


@dataclasses.dataclass(frozen=True)
class EdgeSmoothingConfig(Config):
    cartoons_dir: str = option("Folder of cartoons.")
    image_size: int = option("Side of the middle squares that are smoothed, in pixels.", 256, at_least=1)
    num_cartoons: int = option("Number of cartoons to smooth, spread over the folder.", 16, at_least=1)
    rounds: int = option("Number of rounds.", 5, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


@dataclasses.dataclass
class Measured:
    """The measurements of one cartoon.

    Attributes:
      name: name of its file.
      region_share: share of the pixels near edges.
      loop_secs, our_secs: median times in seconds.
      largest_difference: largest difference of the results, in grey levels.
    """

    name: str
    region_share: float
    loop_secs: float
    our_secs: float
    largest_difference: float

    @property
    def ratio(self) -> float:
        return self.loop_secs / self.our_secs


def main(argv=None) -> int:
    return program.run(EdgeSmoothingConfig, _edge_smoothing, __doc__, argv)


def smooth_by_loop(cartoon: np.ndarray) -> np.ndarray:
    """Smooth by the loop: Canny(100, 200), edges widened by 5x5, each pixel near an edge blurred channel by channel.

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
    """Blur each pixel of a region, one by one.

    Args:
      cartoon: uint8 RGB [H, W, 3], reflected at its borders.
      region: bool [H, W].
      kernel: float [K, K], K odd.

    Returns:
      the cartoon, blurred in the region: float64 [H, W, 3].
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
    chosen = folders.evenly_spaced(files, config.num_cartoons)[: config.num_cartoons]
    num_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        measured = [_measure(file, config.image_size, config.rounds) for file in chosen]
    finally:
        cv2.setNumThreads(num_threads)
    for cartoon in measured:
        if cartoon.largest_difference > 1:
            raise InputError(
                f"{cartoon.name}: the loop and ours differ by more than one grey level; they are not the same work"
            )
    measured.sort(key=lambda cartoon: cartoon.region_share)
    write_report(
        "benchmarks.edge_smoothing", config, ("numpy", "opencv-python-headless"), _table(measured), config.output
    )


def _measure(path: Path, image_size: int, rounds: int) -> Measured:
    cartoon = middle_square(pictures.read_picture(path), image_size)

    def smooth_repeatedly():
        for _ in range(CALLS):
            smooth_edges(cartoon)

    loop_secs = []
    our_secs = []
    for _ in range(rounds):
        loop_secs.append(seconds_of(smooth_by_loop, cartoon))
        our_secs.append(seconds_of(smooth_repeatedly) / CALLS)
    return Measured(
        path.name,
        edge_region(cartoon).mean(),
        statistics.median(loop_secs),
        statistics.median(our_secs),
        np.abs(smooth_by_loop(cartoon) - smooth_edges(cartoon)).max(),
    )


def _table(measured: list[Measured]) -> list[str]:
    together = Measured(
        f"all {len(measured)}",
        statistics.mean(cartoon.region_share for cartoon in measured),
        sum(cartoon.loop_secs for cartoon in measured),
        sum(cartoon.our_secs for cartoon in measured),
        max(cartoon.largest_difference for cartoon in measured),
    )
    return [
        "| cartoon | near edges | loop ms | ours ms | loop / ours | largest difference, grey levels |",
        "| --- | --: | --: | --: | --: | --: |",
        *(_row(cartoon) for cartoon in [*measured, together]),
    ]


def _row(cartoon: Measured) -> str:
    times = f"{cartoon.loop_secs * 1e3:.1f} | {cartoon.our_secs * 1e3:.3f} | {cartoon.ratio:.0f}"
    return f"| {cartoon.name} | {cartoon.region_share:.1%} | {times} | {cartoon.largest_difference:.2f} |"


if __name__ == "__main__":
    sys.exit(main())
