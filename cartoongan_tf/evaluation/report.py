"""Reports of `evaluate`: tables as text, Markdown and JSON, a sheet of drawings, and a run's curves over its steps."""

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cartoongan_tf import __version__
from cartoongan_tf.base import atomic
from cartoongan_tf.base.options import values_of
from cartoongan_tf.evaluation import curves
from cartoongan_tf.evaluation.columns import COLUMNS, DRAWING, NEARNESS, Column
from cartoongan_tf.evaluation.crops import num_disjoint
from cartoongan_tf.evaluation.distances import Estimate
from cartoongan_tf.evaluation.evaluator import Evaluator
from cartoongan_tf.evaluation.rows import Row
from cartoongan_tf.media import folders, pictures, sheets
from cartoongan_tf.media.picture_set import Pictures

_TILE_PX = 320


@dataclasses.dataclass(frozen=True)
class Report:
    """The results of an evaluation.

    Attributes:
      config: flags, as a dataclass.
      photos, cartoons: pictures that the methods were measured on.
      evaluator: evaluator of these pictures.
      rows: rows of the tables; the first is the cartoons', the second the untouched photos'.
    """

    config: Any
    photos: Pictures
    cartoons: Pictures
    evaluator: Evaluator
    rows: list[Row]

    def write(self, folder: Path) -> None:
        """Write the tables, sheet.jpg and, if there are two or more steps of a run, curve.png."""
        self.write_tables(folder)
        pictures.write_picture(folder / "sheet.jpg", self.sheet())
        steps = [row for row in self.rows if row.step is not None]
        if len(steps) > 1:
            cartoons_row, photos_row = self.rows[:2]
            curves.write_run_curves(steps, cartoons_row, photos_row, folder / "curve.png")

    def write_tables(self, folder: Path) -> None:
        """Write evaluation.txt, evaluation.md and evaluation.json."""
        texts = {".txt": self.text(), ".md": self.markdown(), ".json": json.dumps(self.values(), indent=2)}
        for suffix, text in texts.items():
            with atomic.replacing(folder / f"evaluation{suffix}") as temporary:
                temporary.write_text(f"{text}\n", encoding="utf-8")

    def text(self) -> str:
        """Return the report as plain text with aligned columns."""
        parts = [self._head()]
        for title, lines in self._tables().items():
            widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
            parts.append(title)
            for name, *cells in lines:
                aligned = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
                parts[-1] += "\n" + "  ".join([name.ljust(widths[0]), *aligned])
        return "\n\n".join([*parts, self._notes()])

    def markdown(self) -> str:
        """Return the report as Markdown."""
        parts = [self._head()]
        for title, (headings, *rows) in self._tables().items():
            lines = [_markdown_line(headings), _markdown_line(["---"] + ["--:"] * (len(headings) - 1))]
            for name, *cells in rows:
                lines.append(_markdown_line([name.replace("|", "\\|"), *cells]))
            parts.append("\n".join([f"**{title}**", "", *lines]))
        return "\n\n".join([*parts, self._notes()])

    def values(self) -> dict[str, Any]:
        """Return the report for JSON: values without the columns' factors; null for missing ones."""
        return {
            "version": __version__,
            "flags": values_of(self.config),
            "counts": self._counts(),
            "layer": self.evaluator.layer,
            "left_out": self.photos.left_out + self.cartoons.left_out,
            "rows": [_row_values(row) for row in self.rows],
        }

    def sheet(self) -> np.ndarray:
        """Return a sheet of photos, each with its drawings beside it, and some cartoons: uint8 RGB [H, W, 3]."""
        drawn_rows = self._rows_on_sheet()
        photo_groups = []
        for number in chosen(self.photos, self.config.num_on_sheet):
            drawings = [row.drawings[number] for row in drawn_rows]
            photo_groups.append((self.photos.files[number].name, [self.photos.pixels[number], *drawings]))
        cartoon_groups = []
        for number in chosen(self.cartoons, self.config.num_on_sheet):
            cartoon_groups.append((self.cartoons.files[number].name, [self.cartoons.pixels[number]]))
        width_px = (1 + len(drawn_rows)) * _TILE_PX + 2 * sheets.MARGIN_PX
        names = " | ".join(["the photo", *(row.name for row in drawn_rows)])
        photo_sheet = sheets.contact_sheet(photo_groups, _TILE_PX, width_px)
        cartoon_sheet = sheets.contact_sheet(cartoon_groups, _TILE_PX, width_px)
        return sheets.sections([(f"From left to right: {names}", photo_sheet), ("Some of the cartoons", cartoon_sheet)])

    def _rows_on_sheet(self) -> list[Row]:
        """Return the rows with drawings; only the first, middle and last of a run's steps."""
        steps = [row for row in self.rows if row.step is not None]
        shown_steps = [steps[0], steps[len(steps) // 2], steps[-1]] if steps else []
        return [row for row in self.rows if row.drawings and (row.step is None or row in shown_steps)]

    def _counts(self) -> dict[str, dict[str, int]]:
        counts = {}
        for name, pictures_used in {"photos": self.photos, "cartoons": self.cartoons}.items():
            counts[name] = {
                "pictures": len(pictures_used.files),
                "files": pictures_used.num_found,
                "crops": self.evaluator.num_crops[name],
                "disjoint": num_disjoint(pictures_used.pixels, self.config.crop_px),
                "left_out": len(pictures_used.left_out),
            }
        return counts

    def _head(self) -> str:
        lines = []
        for name, counts in self._counts().items():
            skipped = f"; {counts['left_out']} could not be used" if counts["left_out"] else ""
            overlap = f"; only {counts['disjoint']} do not overlap" if counts["crops"] > counts["disjoint"] else ""
            files = f"{counts['pictures']} {name} ({counts['files']} files{skipped})"
            lines.append(f"{counts['crops']} crops of {files}{overlap}.")
        largest = f"at most {self.config.long_side} px" if self.config.long_side else "any size"
        if "psnr_to_teacher" in self._measure_names:
            drew = "" if self.config.cartoons_dir else ", who drew the cartoons"
            lines.append(f"The teacher is {self.config.teacher}{drew}.")
        return "\n".join(
            [
                *lines,
                f"Crops of {self.config.crop_px} px from pictures of {largest}.",
                f"VGG19 {self.evaluator.layer}, weights: {self.config.vgg19_weights}.",
                f"In brackets: 95 % of {self.config.num_resamplings} resamplings of the pictures.",
            ]
        )

    def _tables(self) -> dict[str, list[tuple[str, ...]]]:
        """Return tables by title: the headings, and then a line for each row."""
        names = ["", *(row.name for row in self.rows)]
        times = ["s/megapixel", *(_time_cell(row.secs_per_megapixel) for row in self.rows)]
        tables = {
            "Distances to cartoons and photos": self._columns(NEARNESS),
            "Content kept of the photos, and style of drawing": [*self._columns(DRAWING), times],
        }
        return {title: list(zip(names, *columns, strict=True)) for title, columns in tables.items()}

    def _columns(self, columns: Sequence[Column]) -> list[list[str]]:
        """Return the heading and the cells of each column that some row has."""
        texts = []
        for column in columns:
            if column.name in self._measure_names:
                cells = [cell(row.estimates.get(column.name), column) for row in self.rows]
                texts.append([column.heading, *cells])
        return texts

    @property
    def _measure_names(self) -> set[str]:
        return {name for row in self.rows for name in row.estimates}

    def _notes(self) -> str:
        notes = []
        for better, words in curves.BETTER.items():
            headings = [
                column.heading
                for column in COLUMNS.values()
                if column.better == better and column.name in self._measure_names
            ]
            if headings:
                notes.append(f"{words}: {', '.join(headings)}.")
        if "inception_fid_to_cartoons" in self._measure_names:
            notes.append("The FID uses Keras's weights and enlarged crops: do not compare it with that of papers.")
        return "\n".join(notes)


def chosen(side: Pictures, count: int) -> list[int]:
    """Return the numbers of the pictures on the sheet, spread evenly over all of them."""
    return folders.evenly_spaced(range(len(side.files)), count)[:count]


def cell(estimate: Estimate | None, column: Column) -> str:
    """Format a measure with its interval for the tables."""
    if estimate is None or not math.isfinite(estimate.value):
        return "-"
    value, low, high = (f"{column.factor * number:.{column.digits}f}" for number in estimate)
    return f"{value} [{low}, {high}]" if math.isfinite(estimate.low) else value


def _time_cell(secs: float | None) -> str:
    return "-" if secs is None else f"{secs:.3g}"


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row_values(row: Row) -> dict[str, Any]:
    measures = {name: _estimate_values(estimate) for name, estimate in row.estimates.items()}
    return {"name": row.name, "step": row.step, "secs_per_megapixel": row.secs_per_megapixel, "measures": measures}


def _estimate_values(estimate: Estimate) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in estimate._asdict().items()}
