"""Measures and a contact sheet of a data folder, from examples evenly spaced over its training records."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from cartoongan_tf.media import sheets
from data_pipeline import records
from data_pipeline.edge_smoothing import Smoothing, edge_pixels, edge_region
from data_pipeline.picture_statistics import MeasuredSet, measure_picture, measure_smoothing
from data_pipeline.record_files import RecordIndex
from data_pipeline.records import Records

_MINIMUM_TILE_PX = 160
_SHEET_PX = 2400


class Example(NamedTuple):
    """A record.

    Attributes:
      source: path of the picture below its folder.
      side_px: side of the square that was cut out of it.
      parts: (photo,), (photo, teacher's drawing) or (cartoon, smoothed), uint8 RGB [S, S, 3] each.
      faces: boxes of the faces in a photo, int64 [N, 4], see `records`; None if nobody looked for them.
    """

    source: str
    side_px: int
    parts: tuple[np.ndarray, ...]
    faces: np.ndarray | None = None


def measure(opened: Records, dataset: dict, num_measured: int) -> dict[str, MeasuredSet]:
    """Measure training records.

    Args:
      opened: result of `records.open_records`.
      dataset: result of `records.read_dataset_file` for the same folder.
      num_measured: the most examples of each kind to measure; 0: all.

    Returns:
      The measures of "photos" and, if there are any, of "cartoons".

    Raises:
      InputError: a record is damaged.
    """
    rows = {
        "photos": [_measure_photo(photo, opened.smoothing) for photo in photos(opened, num_measured)],
        "cartoons": [_measure_cartoon(cartoon, opened.smoothing) for cartoon in cartoons(opened, num_measured)],
    }
    return {kind: _measured_set(dataset[kind], rows_of_kind) for kind, rows_of_kind in rows.items() if rows_of_kind}


def photos(opened: Records, count: int) -> Iterator[Example]:
    """Yield evenly spaced photos, with drawings and faces if the records have them: `count` or fewer; 0: all."""

    def parse(data: bytes) -> tuple:
        if opened.teacher:
            return records.parse_drawn_photo(data, opened.image_size)
        return (records.parse_photo(data, opened.image_size),)

    return _examples(opened.photos, parse, count, opened.has_faces)


def cartoons(opened: Records, count: int) -> Iterator[Example]:
    """Yield evenly spaced cartoons with their smoothed copies: `count` or fewer; 0: all."""
    return _examples(opened.cartoons, lambda data: records.parse_cartoon(data, opened.image_size), count)


def _examples(index: RecordIndex, parse: Callable, count: int, has_faces: bool = False) -> Iterator[Example]:
    for number in index.evenly_spaced(count or len(index)):
        data = index.read(number)
        source, square = records.parse_origin(data)
        faces = records.parse_faces(data).numpy() if has_faces else None
        yield Example(source, square.side, tuple(part.numpy() for part in parse(data)), faces)


def _measure(example: Example, smoothing: Smoothing) -> dict[str, Any]:
    return {"side_px": example.side_px} | measure_picture(example.parts[0], smoothing)._asdict()


def _measure_photo(example: Example, smoothing: Smoothing) -> dict[str, Any]:
    of_faces = {} if example.faces is None else {"num_faces": len(example.faces)}
    return _measure(example, smoothing) | of_faces


def _measure_cartoon(example: Example, smoothing: Smoothing) -> dict[str, Any]:
    cartoon, smoothed = example.parts
    return _measure(example, smoothing) | measure_smoothing(cartoon, smoothed, smoothing)._asdict()


def _measured_set(entry: dict, rows: Sequence[dict[str, Any]]) -> MeasuredSet:
    """Return the measures of one kind; `entry`: what dataset.json holds of the kind."""
    return MeasuredSet(
        num_examples=entry["train"]["examples"],
        num_pictures=entry["train"]["pictures"],
        num_skipped=entry["num_skipped"],
        statistics={name: np.array([row[name] for row in rows]) for name in rows[0]},
    )


def draw_sheet(opened: Records, num_examples: int) -> np.ndarray:
    """Draw a contact sheet: uint8 RGB [H, W, 3].

    It shows photos, with frames around the faces that were found, beside their drawings if there was a teacher; and
    cartoons beside their edges and smoothed copies.
    """
    enlargement = math.ceil(_MINIMUM_TILE_PX / opened.image_size)  # a whole number, to keep the pixels visible
    tile_px = opened.image_size * enlargement + 2
    photo_groups = []
    for example in photos(opened, num_examples):
        photo, *drawings = example.parts
        photo_groups.append((example.source, (frame_faces(photo, example.faces), *drawings)))
    cartoon_groups = []
    for example in cartoons(opened, num_examples):
        cartoon, smoothed = example.parts
        cartoon_groups.append((example.source, (cartoon, mark_edges(cartoon, opened.smoothing), smoothed)))
    photo_title = f"Photos | drawn by {opened.teacher}" if opened.teacher else "Photos"
    sections: dict[str, Sequence[tuple[str, Sequence[np.ndarray]]]] = {
        photo_title: photo_groups,
        "Cartoons | their edges, and the region around them | smoothed": cartoon_groups,
    }
    return sheets.sections(
        [(title, sheets.contact_sheet(groups, tile_px, _SHEET_PX)) for title, groups in sections.items() if groups]
    )


def frame_faces(photo: np.ndarray, faces: np.ndarray | None) -> np.ndarray:
    """Draw red frames of a pixel around boxes [N, 4] in a copy of a photo, uint8 RGB [H, W, 3]."""
    framed = photo.copy()
    for top, left, bottom, right in [] if faces is None else faces:
        cv2.rectangle(framed, (int(left), int(top)), (int(right) - 1, int(bottom) - 1), (255, 0, 0))
    return framed


def mark_edges(cartoon: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    """Darken a cartoon, uint8 RGB [H, W, 3], and draw its edge region in red and its edge pixels in white."""
    marked = cartoon // 2
    marked[edge_region(cartoon, smoothing), 0] = 200
    marked[edge_pixels(cartoon, smoothing)] = 255
    return marked
