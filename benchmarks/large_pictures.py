"""Large pictures in one piece and in bands: time, peak memory of the process, and equality of the results.

    python -m benchmarks.large_pictures --model=hayao.keras --photos_dir=photos --output=large_pictures.md

Each cartoon is made in a process of its own, which holds the model alone. Photos are scaled to each size; those larger
than --largest_whole are cartoonized only in bands.
"""

import dataclasses
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from cartoongan_tf.base import memory, program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import fresh_process, write_report
from cartoongan_tf.media import folders
from cartoongan_tf.media.image_measures import psnr

_NUM_PHOTOS = 5


class Measured(NamedTuple):
    """The result of one method on one picture: the cartoon, seconds without loading, and the process's peak memory."""

    cartoon: np.ndarray
    secs: float
    peak_bytes: int


@dataclasses.dataclass(frozen=True)
class LargePicturesConfig(Config):
    model: str = option("A .keras file.")
    photos_dir: str = option("Folder of photos; five of them are compared at the first size, one at the others.")
    sizes: str = option("Widths and heights, separated by commas.", "1024x1024,1920x1080,3840x2160")
    largest_whole: int = option(
        "Cartoonize pictures of at most this many pixels in one piece, too.", 9_000_000, at_least=0
    )
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(LargePicturesConfig, _large_pictures, __doc__, argv)


def _large_pictures(config: LargePicturesConfig, _) -> None:
    files = folders.list_files(config.photos_dir)
    photos = files[:: max(1, len(files) // _NUM_PHOTOS)][:_NUM_PHOTOS]
    table = [
        "| photo | size | in one piece: s | peak MB | in bands: s | peak MB | time, bands to piece | PSNR dB |",
        "| --- | --- | --: | --: | --: | --: | --: | --: |",
    ]
    for index, size in enumerate(_sizes(config.sizes)):
        for path in photos if index == 0 else photos[:1]:
            table.append(_row(config, path, size))
            print(table[-1], flush=True)
    write_report("benchmarks.large_pictures", config, ("tensorflow", "keras", "numpy"), table, config.output)


def _sizes(text: str) -> list[tuple[int, int]]:
    try:
        return [(int(width), int(height)) for width, height in (size.split("x") for size in text.split(","))]
    except ValueError:
        raise InputError(f"--sizes={text}: sizes separated by commas were expected, like 1024x1024,1920x1080") from None


def _row(config: LargePicturesConfig, path: Path, size: tuple[int, int]) -> str:
    width, height = size
    banded = _measure_apart(config.model, path, size, "banded")
    cells = ["", "", f"{banded.secs:.1f}", f"{banded.peak_bytes / 1e6:,.0f}", "", ""]
    if width * height <= config.largest_whole:
        whole = _measure_apart(config.model, path, size, "whole")
        cells[:2] = [f"{whole.secs:.1f}", f"{whole.peak_bytes / 1e6:,.0f}"]
        cells[4:] = [f"{banded.secs / whole.secs:.2f}", f"{psnr(banded.cartoon, whole.cartoon):.1f}"]
    return f"| {path.name} | {width}x{height} | {' | '.join(cells)} |"


def _measure_apart(model: str, path: Path, size: tuple[int, int], method: str) -> Measured:
    with fresh_process() as process:
        return process.submit(_measure, model, path, size, method).result()


def _measure(model: str, path: Path, size: tuple[int, int], method: str) -> Measured:
    """Cartoonize a picture in this process."""
    program.start_tensorflow()
    from cartoongan_tf import Cartoonizer

    with Image.open(path) as photo:
        picture = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.LANCZOS))
    cartoonizer = Cartoonizer.load(model, method, drawing_size=0)
    cartoonizer(picture[:16, :16])  # the first call builds the graph, which counts as loading
    start = time.perf_counter()
    cartoon = cartoonizer(picture)
    return Measured(cartoon, time.perf_counter() - start, memory.peak_bytes())


if __name__ == "__main__":
    sys.exit(main())
