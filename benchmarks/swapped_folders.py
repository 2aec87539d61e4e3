"""Reliability of inspect_records' warning that the folders of photos and cartoons are swapped.

    python -m benchmarks.swapped_folders --photos_dir=photos --cartoons_dir=frames --output=swapped_folders.md

Each line is for pictures with one change, such as faded, enlarged, or with a film's grain. The first columns give how
often a measure calls the cartoon of a random pair the drawn one (1: always, 0.5: it cannot distinguish them). The last
two give how often inspect_records warns, for random sets in the right order and for the same sets swapped.
"""

import dataclasses
import sys
from collections.abc import Callable

import cv2
import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.timing import write_report
from cartoongan_tf.media import folders, pictures
from data_pipeline import problems
from data_pipeline.edge_smoothing import Smoothing
from data_pipeline.picture_statistics import MeasuredSet, measure_picture
from data_pipeline.squares import middle_square


def _with_grain(picture: np.ndarray) -> np.ndarray:
    grain = np.random.default_rng(picture.size).normal(0, 6, picture.shape[:2])[..., np.newaxis]
    return (picture + grain).clip(0, 255).round().astype(np.uint8)


def _recompressed(picture: np.ndarray) -> np.ndarray:
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 40])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))


def _enlarged(picture: np.ndarray) -> np.ndarray:
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def _dimmed(picture: np.ndarray) -> np.ndarray:
    return picture // 2


def _faded(picture: np.ndarray) -> np.ndarray:
    """Remove half of the colour."""
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(picture, 0.5, grey, 0.5, 0)


CHANGES = {
    "recompressed": _recompressed,
    "with grain": _with_grain,
    "enlarged twice": _enlarged,
    "dimmed": _dimmed,
    "faded": _faded,
}
MEASURES = {
    "outlines": 1,
    "least_colour": 1,
    "flat_share": 1,
    "fine_detail": -1,
    "saturation": 1,
}  # -1: photos have more


@dataclasses.dataclass(frozen=True)
class SwappedConfig(Config):
    photos_dir: str = option("Folder of photos.")
    cartoons_dir: str = option("Folder of cartoons.")
    sizes: str = option("Sides of the training pictures, in pixels, separated by commas.", "96,256")
    set_size: int = option(
        "Number of photos, and of cartoons, in a random set; both folders need more.", 50, at_least=1
    )
    rounds: int = option("Number of random sets.", 200, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")

    def __post_init__(self):
        super().__post_init__()
        are_sizes = all(size.isdecimal() and int(size) >= 16 for size in self.sizes.split(","))
        require(self, "sizes", are_sizes, "must be numbers from 16 up, separated by commas")


def main(argv=None) -> int:
    return program.run(SwappedConfig, _swapped_folders, __doc__, argv)


def _swapped_folders(config: SwappedConfig, _) -> None:
    photos = _read(config.photos_dir)
    cartoons = _read(config.cartoons_dir)
    names = [*MEASURES, "both first"]
    titles = ["px", *names, "warned, right order", "warned, swapped"]
    lines = [f"| | {' | '.join(titles)} |", "| --- |" + " --: |" * len(titles)]
    for size in map(int, config.sizes.split(",")):
        measured_photos = _measure(photos, size, None)
        measured_cartoons = _measure(cartoons, size, None)
        lines.append(_row("as they are", size, measured_photos, measured_cartoons, config))
        for name, change in CHANGES.items():
            changed_photos = _measure(photos, size, change)
            changed_cartoons = _measure(cartoons, size, change)
            lines.append(_row(f"cartoons {name}", size, measured_photos, changed_cartoons, config))
            lines.append(_row(f"photos {name}", size, changed_photos, measured_cartoons, config))
    write_report("benchmarks.swapped_folders", config, ("numpy", "opencv-python-headless"), lines, config.output)


def _read(folder: str) -> list[np.ndarray]:
    """Read the pictures of a folder; other files are skipped."""
    readable = []
    for path in folders.list_files(folder):
        try:
            readable.append(pictures.read_picture(path))
        except InputError:
            continue
    return readable


def _measure(originals: list[np.ndarray], size: int, change: Callable | None) -> MeasuredSet:
    rows = []
    for picture in originals:
        square = middle_square(picture, size)
        rows.append(measure_picture(change(square) if change else square, Smoothing()))
    statistics = {name: np.array([getattr(row, name) for row in rows]) for name in MEASURES}
    return MeasuredSet(len(rows), len(rows), {}, statistics)


def _row(name: str, size: int, photos: MeasuredSet, cartoons: MeasuredSet, config: SwappedConfig) -> str:
    shares = []
    for measure, sign in MEASURES.items():
        share = problems.share_above(cartoons, photos, measure)
        shares.append(share if sign > 0 else 1 - share)
    shares.append(problems.drawn_more(cartoons, photos))
    rng = np.random.default_rng(0)
    warned_right = []
    warned_swapped = []
    for _ in range(config.rounds):
        some_photos = _some(photos, config.set_size, rng)
        some_cartoons = _some(cartoons, config.set_size, rng)
        warned_right.append(problems.look_swapped(some_photos, some_cartoons))
        warned_swapped.append(problems.look_swapped(some_cartoons, some_photos))
    cells = [f"{share:.2f}" for share in shares]
    cells += [f"{np.mean(warned_right):.1%}", f"{np.mean(warned_swapped):.1%}"]
    return f"| {name} | {size} | {' | '.join(cells)} |"


def _some(measured: MeasuredSet, count: int, rng: np.random.Generator) -> MeasuredSet:
    chosen = rng.choice(measured.num_measured, min(count, measured.num_measured), replace=False)
    return dataclasses.replace(measured, statistics={name: v[chosen] for name, v in measured.statistics.items()})


if __name__ == "__main__":
    sys.exit(main())
