"""What is in a data folder, measured: examples spread over the training set, as numbers and on a sheet."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from cartoongan_tf.media import sheets
from data_pipeline import records
from data_pipeline.edge_smoothing import Smoothing, edge_pixels, edge_region
from data_pipeline.picture_statistics import Measured, measure_picture, measure_smoothing
from data_pipeline.records import RecordIndex, Records

_MINIMUM_TILE_PX, _SHEET_PX = 160, 2400


class Example(NamedTuple):
    """A record: where its picture came from, and its parts, uint8 RGB [S, S, 3] each.

    Attributes:
      source: path of the picture, below the folder that was given.
      side_px: of the square in that picture.
      parts: (photo,) or (cartoon, smoothed).
    """

    source: str
    side_px: int
    parts: tuple[np.ndarray, ...]


def measure(opened: Records, dataset: dict, num_measured: int) -> dict[str, Measured]:
    """Measure training records.

    Args:
      opened: of `records.open_records`.
      dataset: of `records.read_dataset_file`, of the same folder.
      num_measured: of each kind, at most; 0: all.

    Returns:
      "photos" and "cartoons".

    Raises:
      InputError: a record is damaged.
    """
    examples = {"photos": photos(opened, num_measured), "cartoons": cartoons(opened, num_measured)}
    return {kind: _measure(dataset[kind], examples[kind], opened.smoothing) for kind in examples}


def photos(opened: Records, count: int) -> Iterator[Example]:
    """Photos spread over the set: `count` or fewer, all for 0."""
    return _examples(opened.photos, lambda data: (records.parse_photo(data, opened.image_size),), count)


def cartoons(opened: Records, count: int) -> Iterator[Example]:
    """Cartoons and their smoothed twins, as `photos`."""
    return _examples(opened.cartoons, lambda data: records.parse_cartoon(data, opened.image_size), count)


def _examples(index: RecordIndex, parse: Callable, count: int) -> Iterator[Example]:
    for number in index.evenly_spaced(count or len(index)):
        data = index.read(number)
        source, box = records.parse_origin(data)
        yield Example(source, box.side, tuple(part.numpy() for part in parse(data)))


def _measure(described: dict, examples: Iterator[Example], smoothing: Smoothing) -> Measured:
    rows = []
    for _, side_px, parts in examples:
        rows.append({"side_px": side_px} | measure_picture(parts[0], smoothing)._asdict())
        if len(parts) == 2:
            rows[-1] |= measure_smoothing(*parts, smoothing)._asdict()
    return Measured(
        num_examples=described["train"]["examples"],
        num_pictures=described["train"]["pictures"],
        num_skipped=described["num_skipped"],
        statistics={name: np.array([row[name] for row in rows]) for name in rows[0]},
    )


def draw_sheet(opened: Records, num_examples: int) -> np.ndarray:
    """Photos, and cartoons with their edges and their smoothed twins, spread over the sets: uint8 RGB [H, W, 3]."""
    enlarged = -(-_MINIMUM_TILE_PX // opened.image_size)  # by whole pixels, so that they can be told apart
    tile_px = opened.image_size * enlarged + 2
    rows = {
        "Photos": [(source, parts) for source, _, parts in photos(opened, num_examples)],
        "Cartoons | their edges, and the region around them | smoothed": [
            (source, (cartoon, mark_edges(cartoon, opened.smoothing), smoothed))
            for source, _, (cartoon, smoothed) in cartoons(opened, num_examples)
        ],
    }
    return sheets.sections(
        [(title, sheets.contact_sheet(groups, tile_px, _SHEET_PX)) for title, groups in rows.items()]
    )


def mark_edges(cartoon: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    """A cartoon, uint8 RGB [H, W, 3], dimmed, with its edge region in red and its edge pixels in white."""
    marked = cartoon // 2
    marked[edge_region(cartoon, smoothing), 0] = 200
    marked[edge_pixels(cartoon, smoothing)] = 255
    return marked
