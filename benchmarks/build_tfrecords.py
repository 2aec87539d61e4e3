"""Building records: with one worker and with several, against decoding, resizing and encoding alone.

    python -m benchmarks.build_tfrecords --photos_dir=photos --cartoons_dir=frames --output=building.md

The bare work is OpenCV's imread, resize and imencode on the same pictures, in as many threads, its results thrown
away: one encoding for each picture that the records hold. All take turns; ratios are medians over the rounds.
"""

import dataclasses
import functools
import operator
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import cv2

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.threads import map_ahead
from cartoongan_tf.base.timing import write_report
from cartoongan_tf.media import folders


@dataclasses.dataclass(frozen=True)
class BuildingConfig(Config):
    photos_dir: str = option("Folder of photos.")
    cartoons_dir: str = option("Folder of cartoon frames.")
    image_size: int = option("Side of the square pictures, in pixels.", 256, at_least=1)
    num_workers: int = option("Threads to compare with one.", os.cpu_count() or 1, at_least=1)
    rounds: int = option("How often.", 5, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(BuildingConfig, _building, __doc__, argv)


def _building(config: BuildingConfig, _) -> None:
    program.start_tensorflow()
    several = config.num_workers
    ways = {
        "records, 1 worker": functools.partial(_build, config, 1),
        f"records, {several} workers": functools.partial(_build, config, several),
        "bare work, 1 thread": functools.partial(_bare_work, config, 1),
        f"bare work, {several} threads": functools.partial(_bare_work, config, several),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()  # files come into memory
    for _ in range(config.rounds):
        for name, way in ways.items():
            times[name].append(_timed(way))
    num_pictures = sum(len(folders.list_files(place)) for place in (config.photos_dir, config.cartoons_dir))
    packages = ("tensorflow", "opencv-python-headless", "pillow", "ImageHash")
    write_report("benchmarks.build_tfrecords", config, packages, _table(times, num_pictures), config.output)


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _build(config: BuildingConfig, num_workers: int) -> None:
    from data_pipeline import builder
    from data_pipeline.prepare import PreparationConfig
    from data_pipeline.storage import LocalFolder

    sources = {"photos": LocalFolder(config.photos_dir), "cartoons": LocalFolder(config.cartoons_dir)}
    with tempfile.TemporaryDirectory() as folder:
        preparation = PreparationConfig(image_size=config.image_size)
        builder.build(sources, LocalFolder(folder), preparation, builder.in_threads(num_workers))


def _bare_work(config: BuildingConfig, num_threads: int) -> None:
    files = [(path, 1) for path in folders.list_files(config.photos_dir)]
    files += [(path, 2) for path in folders.list_files(config.cartoons_dir)]
    opencv_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for _ in map_ahead(lambda file: _decode_resize_encode(*file, config.image_size), files, num_threads, 32):
            pass
    finally:
        cv2.setNumThreads(opencv_threads)


def _decode_resize_encode(path: os.PathLike, num_encodings: int, image_size: int) -> None:
    picture = cv2.imread(str(path))
    if picture is None:  # the records leave it out, too
        return
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    small = cv2.resize(square, (image_size, image_size), interpolation=cv2.INTER_AREA)
    for _ in range(num_encodings):
        cv2.imencode(".png", small)


def _table(times: dict[str, list[float]], num_pictures: int) -> list[str]:
    (one, several), (bare_one, bare_several) = list(times.values())[:2], list(times.values())[2:]
    lines = ["| | median s | pictures/s |", "| --- | --: | --: |"]
    for name, values in times.items():
        median = statistics.median(values)
        lines.append(f"| {name} | {median:.3g} | {num_pictures / median:.0f} |")
    ratios = {
        "several workers: times as fast as one": (one, several),
        "one worker: share of the bare work's speed": (bare_one, one),
        "several workers: share of the bare work's speed": (bare_several, several),
    }
    return [*lines, ""] + [
        f"- {name}: {statistics.median(map(operator.truediv, *pair)):.2f}" for name, pair in ratios.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
