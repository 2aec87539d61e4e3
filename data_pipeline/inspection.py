"""Measures and a contact sheet of a data folder, from examples evenly spaced over its training records."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

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
      parts: (photo,) or (cartoon, smoothed), uint8 RGB [S, S, 3] each.
    """

    source: str
    side_px: int
    parts: tuple[np.ndarray, ...]


def measure(opened: Records, dataset: dict, num_measured: int) -> dict[str, MeasuredSet]:
    """Measure training records.

    Args:
      opened: result of `records.open_records`.
      dataset: result of `records.read_dataset_file` for the same folder.
      num_measured: the most examples of each kind to measure; 0: all.

    Returns:
      The measures of "photos" and of "cartoons".

    Raises:
      InputError: a record is damaged.
    """
    return {
        "photos": _measure(dataset["photos"], photos(opened, num_measured), opened.smoothing),
        "cartoons": _measure(dataset["cartoons"], cartoons(opened, num_measured), opened.smoothing),
    }


def photos(opened: Records, count: int) -> Iterator[Example]:
    """Yield evenly spaced photos: `count` or fewer; 0: all."""
    return _examples(opened.photos, lambda data: (records.parse_photo(data, opened.image_size),), count)


def cartoons(opened: Records, count: int) -> Iterator[Example]:
    """Yield evenly spaced cartoons with their smoothed copies: `count` or fewer; 0: all."""
    return _examples(opened.cartoons, lambda data: records.parse_cartoon(data, opened.image_size), count)


def _examples(index: RecordIndex, parse: Callable, count: int) -> Iterator[Example]:
    for number in index.evenly_spaced(count or len(index)):
        data = index.read(number)
        source, square = records.parse_origin(data)
        yield Example(source, square.side, tuple(part.numpy() for part in parse(data)))


def _measure(entry: dict, examples: Iterable[Example], smoothing: Smoothing) -> MeasuredSet:
    """Measure the examples of one kind; `entry`: what dataset.json holds of the kind."""
    rows = []
    for example in examples:
        row = {"side_px": example.side_px} | measure_picture(example.parts[0], smoothing)._asdict()
        if len(example.parts) == 2:
            cartoon, smoothed = example.parts
            row |= measure_smoothing(cartoon, smoothed, smoothing)._asdict()
        rows.append(row)
    return MeasuredSet(
        num_examples=entry["train"]["examples"],
        num_pictures=entry["train"]["pictures"],
        num_skipped=entry["num_skipped"],
        statistics={name: np.array([row[name] for row in rows]) for name in rows[0]},
    )


def draw_sheet(opened: Records, num_examples: int) -> np.ndarray:
    """Draw a contact sheet of photos, and of cartoons with their edges and smoothed copies: uint8 RGB [H, W, 3]."""
    enlargement = math.ceil(_MINIMUM_TILE_PX / opened.image_size)  # a whole number, to keep the pixels visible
    tile_px = opened.image_size * enlargement + 2
    photo_groups = [(photo.source, photo.parts) for photo in photos(opened, num_examples)]
    cartoon_groups = []
    for example in cartoons(opened, num_examples):
        cartoon, smoothed = example.parts
        cartoon_groups.append((example.source, (cartoon, mark_edges(cartoon, opened.smoothing), smoothed)))
    sections: dict[str, Sequence[tuple[str, Sequence[np.ndarray]]]] = {
        "Photos": photo_groups,
        "Cartoons | their edges, and the region around them | smoothed": cartoon_groups,
    }
    return sheets.sections(
        [(title, sheets.contact_sheet(groups, tile_px, _SHEET_PX)) for title, groups in sections.items()]
    )


def mark_edges(cartoon: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    """Darken a cartoon, uint8 RGB [H, W, 3], and draw its edge region in red and its edge pixels in white."""
    marked = cartoon // 2
    marked[edge_region(cartoon, smoothing), 0] = 200
    marked[edge_pixels(cartoon, smoothing)] = 255
    return marked
