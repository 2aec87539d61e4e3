"""Building records, with one worker and with several, against decoding, resizing and encoding alone.

    python -m benchmarks.build_tfrecords --photos_dir=photos --cartoons_dir=frames --output=building.md

The bare work is OpenCV's imread, resize and imencode on the same pictures, in as many threads. Its results are thrown
away; there is one encoding for each picture that the records hold. All take turns; ratios are medians over the rounds.
"""

import dataclasses
import functools
import operator
import os
import statistics
import sys
import tempfile
from pathlib import Path

import cv2

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.threads import map_ahead
from cartoongan_tf.base.timing import seconds_of, write_report
from cartoongan_tf.media import folders

_MOST_AHEAD = 32  # pictures


@dataclasses.dataclass(frozen=True)
class BuildingConfig(Config):
    photos_dir: str = option("Folder of photos.")
    cartoons_dir: str = option("Folder of cartoon frames.")
    image_size: int = option("Side of the square pictures, in pixels.", 256, at_least=1)
    num_workers: int = option("Number of threads to compare with one.", os.cpu_count() or 1, at_least=1)
    rounds: int = option("Number of rounds.", 5, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(BuildingConfig, _building, __doc__, argv)


def _building(config: BuildingConfig, _) -> None:
    program.start_tensorflow()
    several = config.num_workers
    methods = {
        "records, 1 worker": functools.partial(_build, config, 1),
        f"records, {several} workers": functools.partial(_build, config, several),
        "bare work, 1 thread": functools.partial(_bare_work, config, 1),
        f"bare work, {several} threads": functools.partial(_bare_work, config, several),
    }
    for method in methods.values():
        method()  # files come into memory
    times: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(config.rounds):
        for name, method in methods.items():
            times[name].append(seconds_of(method))
    num_pictures = len(folders.list_files(config.photos_dir)) + len(folders.list_files(config.cartoons_dir))
    packages = ("tensorflow", "opencv-python-headless", "pillow", "ImageHash")
    write_report("benchmarks.build_tfrecords", config, packages, _table(times, num_pictures), config.output)


def _build(config: BuildingConfig, num_workers: int) -> None:
    from cartoongan_tf.media.storage import LocalFolder
    from data_pipeline import builder
    from data_pipeline.prepare import PreparationConfig

    sources = {"photos": LocalFolder(config.photos_dir), "cartoons": LocalFolder(config.cartoons_dir)}
    with tempfile.TemporaryDirectory() as folder:
        preparation = PreparationConfig(image_size=config.image_size)
        builder.build(sources, LocalFolder(folder), preparation, builder.in_threads(num_workers))


def _bare_work(config: BuildingConfig, num_threads: int) -> None:
    files = [(path, 1) for path in folders.list_files(config.photos_dir)]
    files += [(path, 2) for path in folders.list_files(config.cartoons_dir)]  # with an edge-smoothed copy

    def work(file: tuple[Path, int]) -> None:
        path, num_encodings = file
        _decode_resize_encode(path, num_encodings, config.image_size)

    opencv_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for _ in map_ahead(work, files, num_threads, _MOST_AHEAD):
            pass
    finally:
        cv2.setNumThreads(opencv_threads)


def _decode_resize_encode(path: Path, num_encodings: int, image_size: int) -> None:
    picture = cv2.imread(str(path))
    if picture is None:  # the records skip it, too
        return
    height, width = picture.shape[:2]
    side = min(height, width)
    top = (height - side) // 2
    left = (width - side) // 2
    square = picture[top : top + side, left : left + side]
    small = cv2.resize(square, (image_size, image_size), interpolation=cv2.INTER_AREA)
    for _ in range(num_encodings):
        cv2.imencode(".png", small)


def _table(times: dict[str, list[float]], num_pictures: int) -> list[str]:
    lines = ["| | median s | pictures/s |", "| --- | --: | --: |"]
    for name, secs in times.items():
        median = statistics.median(secs)
        lines.append(f"| {name} | {median:.3g} | {num_pictures / median:.0f} |")
    one, several, bare_one, bare_several = times.values()
    return [
        *lines,
        "",
        f"- several workers: times as fast as one: {_median_ratio(one, several):.2f}",
        f"- one worker: share of the bare work's speed: {_median_ratio(bare_one, one):.2f}",
        f"- several workers: share of the bare work's speed: {_median_ratio(bare_several, several):.2f}",
    ]


def _median_ratio(secs: list[float], other_secs: list[float]) -> float:
    return statistics.median(map(operator.truediv, secs, other_secs))


if __name__ == "__main__":
    sys.exit(main())
