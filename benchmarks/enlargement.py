"""Ways to enlarge a cartoon, beside a cartoon drawn at full size.

    python -m benchmarks.enlargement --model=ink --photos_dir=photos --sheet=enlarged.png

Each photo is shrunk by the factor, drawn, and enlarged again. An edge's width is the reciprocal of its sharpness
(`image_measures.edge_sharpness`). The sheet shows the middle of each photo, pixel by pixel.
"""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import seconds_of, write_report
from cartoongan_tf.media import image_measures, picture_set, pictures, sheets
from cartoongan_tf.media.enlargement import enlarge

_SHEET_PX = 360
_ROUNDS = 3
_GUIDED_RADIUS_PX = 4  # of the small picture
_GUIDED_EPSILON = 0.01**2


@dataclasses.dataclass(frozen=True)
class EnlargementConfig(Config):
    photos_dir: str = option("Folder of photos.")
    model: str = option("The model that draws: a file, or the name of a style.", "ink")
    factor: int = option("Factor by which cartoons are enlarged.", 3, at_least=2, at_most=4)
    num_photos: int = option("The most photos to draw, spread over the folder.", 12, at_least=1)
    sheet: str = option("A picture file to write the middle of each photo to.", "")
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(EnlargementConfig, _compare, __doc__, argv)


def _compare(config: EnlargementConfig, _) -> None:
    program.start_tensorflow()
    from cartoongan_tf import Cartoonizer

    cartoonizer = Cartoonizer.load(config.model, drawing_size=0)
    photos = picture_set.read_pictures(config.photos_dir, 0, config.factor * _SHEET_PX // 2, config.num_photos).pixels
    small = [cartoonizer(pictures.shrink(photo, max(photo.shape) // config.factor)) for photo in photos]
    rows = {"drawn at full size": [cartoonizer(photo) for photo in photos]}
    seconds: dict[str, float] = {}
    for name, method in METHODS.items():
        rows[name] = [method(cartoon, photo) for cartoon, photo in zip(small, photos, strict=True)]
        times = [seconds_of(method, small[0], photos[0]) for _ in range(_ROUNDS)]
        seconds[name] = float(np.median(times)) * 1e6 / photos[0][..., 0].size
    table = ["| | width of edges, px | flat % | s/megapixel |", "| --- | --: | --: | --: |"]
    table.append(f"| the small cartoon | {_measures(small)} | |")
    for name, cartoons in rows.items():
        time = f"{seconds[name]:.3f}" if name in seconds else ""
        table.append(f"| {name} | {_measures(cartoons)} | {time} |")
    if config.sheet:
        shown = [("", [_middle(cartoons[number]) for cartoons in rows.values()]) for number in range(len(photos))]
        pictures.write_picture(config.sheet, sheets.contact_sheet(shown, _SHEET_PX))
    write_report("benchmarks.enlargement", config, ("opencv-python-headless", "av"), table, config.output)


def _measures(cartoons: Sequence[np.ndarray]) -> str:
    width = np.nanmean([1 / image_measures.edge_sharpness(cartoon) for cartoon in cartoons])
    flat = np.mean([image_measures.flatness(cartoon) for cartoon in cartoons])
    return f"{width:.2f} | {100 * flat:.0f}"


def _middle(cartoon: np.ndarray) -> np.ndarray:
    top = max(0, (cartoon.shape[0] - _SHEET_PX) // 2)
    left = max(0, (cartoon.shape[1] - _SHEET_PX) // 2)
    return cartoon[top : top + _SHEET_PX, left : left + _SHEET_PX]


def _resize(interpolation: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda cartoon, photo: cv2.resize(cartoon, photo.shape[1::-1], interpolation=interpolation)


def _sharpened(cartoon: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Enlarge by Lanczos' filter, then add what a blur of one small pixel takes away."""
    large = cv2.resize(cartoon, photo.shape[1::-1], interpolation=cv2.INTER_LANCZOS4)
    blurred = cv2.GaussianBlur(large, (0, 0), photo.shape[0] / cartoon.shape[0])
    return cv2.addWeighted(large, 2, blurred, -1, 0)


def _guided(cartoon: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Enlarge each channel as a local linear function of the photo's brightness (He and Sun 2015)."""
    guide = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., np.newaxis] / 255
    small_guide = cv2.resize(guide, cartoon.shape[1::-1], interpolation=cv2.INTER_AREA)[..., np.newaxis]
    values = cartoon.astype(np.float32) / 255

    def mean(array: np.ndarray) -> np.ndarray:
        side = 2 * _GUIDED_RADIUS_PX + 1
        return cv2.blur(array, (side, side)).reshape(array.shape)

    variance = mean(small_guide**2) - mean(small_guide) ** 2
    slope = (mean(values * small_guide) - mean(values) * mean(small_guide)) / (variance + _GUIDED_EPSILON)
    offset = mean(values) - slope * mean(small_guide)
    large_slope = _resize(cv2.INTER_LINEAR)(mean(slope), photo)
    large_offset = _resize(cv2.INTER_LINEAR)(mean(offset), photo)
    return np.clip(255 * (large_slope * guide + large_offset) + 0.5, 0, 255).astype(np.uint8)


def _edge_directed(cartoon: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Enlarge by FFmpeg's xbr, which interpolates along edges, by the next whole factor."""
    factor = min(4, max(2, round(photo.shape[0] / cartoon.shape[0])))
    graph = av.filter.Graph()
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(cartoon), format="rgb24")
    frame.time_base = Fraction(1, 25)
    source: Any = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    last = source
    for name, options in (("format", "bgr0"), ("xbr", f"n={factor}"), ("format", "rgb24"), ("buffersink", None)):
        node = graph.add(name, options)
        last.link_to(node)
        last = node
    graph.configure()
    source.push(frame)
    return cv2.resize(last.pull().to_ndarray(), photo.shape[1::-1], interpolation=cv2.INTER_AREA)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "cubic": _resize(cv2.INTER_CUBIC),
    "Lanczos": _resize(cv2.INTER_LANCZOS4),
    "Lanczos, sharpened": _sharpened,
    "guided by the photo": _guided,
    "edge-directed (xbr)": _edge_directed,
    "shock filter (ours)": lambda cartoon, photo: enlarge(cartoon, *photo.shape[:2]),
}


if __name__ == "__main__":
    sys.exit(main())
