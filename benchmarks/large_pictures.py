"""Large pictures in one piece and in bands: time, peak memory of the whole process, and how equal the results are.

    python -m benchmarks.large_pictures --model=hayao.keras --photos_dir=photos --output=large_pictures.md

Each drawing has a process of its own, which holds the model alone. Photos are scaled to each size; what is more than
--largest_whole is drawn in bands alone.
"""

import dataclasses
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from cartoongan_tf.base import memory, program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import fresh_process, write_report
from cartoongan_tf.media import folders
from export.parity import psnr


@dataclasses.dataclass(frozen=True)
class LargePicturesConfig(Config):
    model: str = option("A .keras file.")
    photos_dir: str = option("Folder of photos; five of them are compared at the first size, one at the others.")
    sizes: str = option("Widths and heights, separated by commas.", "1024x1024,1920x1080,3840x2160")
    largest_whole: int = option("Draw pictures of at most so many pixels in one piece too.", 9_000_000, at_least=0)
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(LargePicturesConfig, _large_pictures, __doc__, argv)


def _large_pictures(config: LargePicturesConfig, _) -> None:
    files = folders.list_files(config.photos_dir)
    photos = files[:: max(1, len(files) // 5)][:5]
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
    methods = ["whole", "banded"] if size[0] * size[1] <= config.largest_whole else ["banded"]
    results = {}
    for method in methods:
        with fresh_process() as process:
            results[method] = process.submit(_measure, config.model, path, size, method).result()
    cartoon, seconds, peak = results["banded"]
    whole, ratio, score = ["", ""], "", ""
    if "whole" in results:
        whole = [f"{results['whole'][1]:.1f}", f"{results['whole'][2] / 1e6:,.0f}"]
        ratio, score = f"{seconds / results['whole'][1]:.2f}", f"{psnr(cartoon, results['whole'][0]):.1f}"
    cells = [path.name, f"{size[0]}x{size[1]}", *whole, f"{seconds:.1f}", f"{peak / 1e6:,.0f}", ratio, score]
    return f"| {' | '.join(cells)} |"


def _measure(model: str, path: Path, size: tuple[int, int], method: str) -> tuple[np.ndarray, float, int]:
    """Draw a picture in this process: the cartoon, seconds without loading, and the process's peak memory."""
    program.start_tensorflow()
    from cartoongan_tf import Cartoonizer

    with Image.open(path) as photo:
        picture = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.LANCZOS))
    cartoonizer = Cartoonizer.load(model, method)
    cartoonizer(picture[:16, :16])  # what is built at first belongs to loading
    start = time.perf_counter()
    cartoon = cartoonizer(picture)
    return cartoon, time.perf_counter() - start, memory.peak_bytes()


if __name__ == "__main__":
    sys.exit(main())
