"""What `evaluate` tells: a table as text, Markdown and JSON, a sheet to look at, and a run's curve over its steps."""

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cartoongan_tf import __version__
from cartoongan_tf.base import atomic
from cartoongan_tf.evaluation.crops import num_disjoint
from cartoongan_tf.evaluation.distances import Estimate
from cartoongan_tf.evaluation.evaluator import DRAWING, MEASURES, NEARNESS, Column, Evaluator, Row
from cartoongan_tf.media import pictures, sheets
from cartoongan_tf.media.picture_set import Pictures

_BETTER = {"less": "Less is better", "more": "More is better", "near": "Best near the cartoons'", "": ""}
_CURVES = ("kid_to_cartoons", "content_distance", "edge_density", "flatness")
_TILE_PX = 320


@dataclasses.dataclass(frozen=True)
class Report:
    """All that was found.

    Attributes:
      config: the flags, a dataclass.
      photos, cartoons: that it was found on.
      evaluator: that found it.
      rows: of the table; the first is the cartoons', the second the untouched photos'.
    """

    config: Any
    photos: Pictures
    cartoons: Pictures
    evaluator: Evaluator
    rows: list[Row]

    def write(self, folder: Path) -> None:
        """Write the tables, sheet.jpg and, if there are two steps of a run or more, curve.png."""
        self.write_tables(folder)
        pictures.write_picture(folder / "sheet.jpg", self.sheet())
        steps = [row for row in self.rows if row.step is not None]
        if len(steps) > 1:
            with atomic.replacing(folder / "curve.png") as temporary:
                draw_curves(steps, self.rows[0], self.rows[1], temporary)

    def write_tables(self, folder: Path) -> None:
        """Write evaluation.txt, .md and .json."""
        texts = {".txt": self.text(), ".md": self.markdown(), ".json": json.dumps(self.values(), indent=2)}
        for suffix, text in texts.items():
            with atomic.replacing(folder / f"evaluation{suffix}") as temporary:
                temporary.write_text(f"{text}\n", encoding="utf-8")

    def text(self) -> str:
        """For a terminal: columns in line."""
        parts = [self._head()]
        for title, lines in self._tables().items():
            widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
            rows = [[name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])] for name, *cells in lines]
            parts.append("\n".join([title, *map("  ".join, rows)]))
        return "\n\n".join([*parts, *self._notes()])

    def markdown(self) -> str:
        """The same in Markdown."""
        parts = [self._head()]
        for title, (headings, *rows) in self._tables().items():
            rows = [[name.replace("|", "\\|"), *cells] for name, *cells in rows]
            lines = [headings, ["---"] + ["--:"] * (len(headings) - 1), *rows]
            parts.append("\n".join([f"**{title}**", "", *(f"| {' | '.join(line)} |" for line in lines)]))
        return "\n\n".join([*parts, *self._notes()])

    def values(self) -> dict[str, Any]:
        """The same for programs: numbers as they are, not multiplied; null where there is none."""
        return {
            "version": __version__,
            "flags": dataclasses.asdict(self.config),
            "counts": self._counts(),
            "layer": self.evaluator.layer,
            "left_out": self.photos.left_out + self.cartoons.left_out,
            "rows": [_row_values(row) for row in self.rows],
        }

    def sheet(self) -> np.ndarray:
        """Photos, each with its drawings beside it, and some of the cartoons: uint8 RGB [H, W, 3]."""
        drawn = self._shown_rows()
        names = " | ".join(["the photo", *(row.name for row in drawn)])
        rows = [
            (self.photos.files[number].name, [self.photos.pixels[number], *(row.drawings[number] for row in drawn)])
            for number in chosen(self.photos, self.config.num_on_sheet)
        ]
        cartoons = [
            (self.cartoons.files[number].name, [self.cartoons.pixels[number]])
            for number in chosen(self.cartoons, self.config.num_on_sheet)
        ]
        width_px = (1 + len(drawn)) * _TILE_PX + 2 * sheets.MARGIN_PX
        titled = {f"From left to right: {names}": rows, "Some of the cartoons": cartoons}
        return sheets.sections(
            [(title, sheets.contact_sheet(groups, _TILE_PX, width_px)) for title, groups in titled.items()]
        )

    def _shown_rows(self) -> list[Row]:
        """Those with drawings; of a run's steps the first, the middle one and the last."""
        steps = [row for row in self.rows if row.step is not None]
        shown = [steps[number] for number in {0, len(steps) // 2, len(steps) - 1}] if steps else []
        return [row for row in self.rows if row.drawings and (row.step is None or row in shown)]

    def _counts(self) -> dict[str, dict[str, int]]:
        sides = {"photos": self.photos, "cartoons": self.cartoons}
        return {
            name: {
                "pictures": len(side.files),
                "files": side.num_found,
                "crops": num_crops,
                "disjoint": num_disjoint(side.pixels, self.config.crop_px),
                "left_out": len(side.left_out),
            }
            for (name, side), num_crops in zip(sides.items(), self.evaluator.num_crops, strict=True)
        }

    def _head(self) -> str:
        lines = []
        for name, counts in self._counts().items():
            room = "" if counts["crops"] <= counts["disjoint"] else f", which overlap: {counts['disjoint']} would not"
            left_out = f"; {counts['left_out']} could not be used" * bool(counts["left_out"])
            of_files = f"{counts['pictures']} {name} (of {counts['files']} files{left_out})"
            lines.append(f"{counts['crops']} crops of {of_files}{room}.")
        sides = f"Crops of {self.config.crop_px} px, out of pictures of at most {self.config.long_side or 'any'} px."
        weights = f"VGG19 {self.evaluator.layer}, weights: {self.config.vgg19_weights}."
        intervals = f"In brackets: 95 % of {self.config.num_resamplings} resamplings of the pictures."
        return "\n".join([*lines, sides, weights, intervals])

    def _tables(self) -> dict[str, list[tuple[str, ...]]]:
        """By title: the headings, and then a line for each row."""
        names = ["", *(row.name for row in self.rows)]
        secs = (row.secs_per_megapixel for row in self.rows)
        times = ["s/megapixel", *("-" if value is None else f"{value:.3g}" for value in secs)]
        tables = {
            "How near to the cartoons": self._columns(NEARNESS),
            "What is kept of the photos, and how it is drawn": [*self._columns(DRAWING), times],
        }
        return {title: list(zip(names, *columns, strict=True)) for title, columns in tables.items()}

    def _columns(self, measures: Sequence[Column]) -> list[list[str]]:
        """The heading and the cells of each measure that some row has."""
        return [
            [measure.heading, *(cell(row.estimates.get(measure.name), measure) for row in self.rows)]
            for measure in measures
            if any(measure.name in row.estimates for row in self.rows)
        ]

    def _notes(self) -> list[str]:
        there = {name for row in self.rows for name in row.estimates}
        notes = []
        for kind, words in _BETTER.items():
            headings = [measure.heading for measure in MEASURES if measure.better == kind and measure.name in there]
            if words and headings:
                notes.append(f"{words}: {', '.join(headings)}.")
        if "inception_fid_to_cartoons" in there:
            notes.append("The FID is of Keras's weights and of enlarged crops: not to be compared with that of papers.")
        return ["\n".join(notes)]


def chosen(side: Pictures, count: int) -> list[int]:
    """The numbers of the pictures on the sheet, spread over all of them."""
    count = min(count, len(side.files))
    return np.linspace(0, len(side.files) - 1, count).round().astype(int).tolist()


def draw_curves(steps: Sequence[Row], cartoons: Row, photos: Row, path: Path) -> None:
    """Draw measures over the steps of a run, with their intervals, as PNG.

    Args:
      steps: the run's rows.
      cartoons, photos: their rows, drawn as lines across.
      path: of the file.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    measures = {measure.name: measure for measure in MEASURES}
    for axes, name in zip(figure.subplots(2, 2).flat, _CURVES, strict=True):
        found = [(row.step, row.estimates[name]) for row in sorted(steps, key=lambda row: row.step)]
        x = [step for step, _ in found]
        plot_estimates(axes, x, [estimate for _, estimate in found], "the run")
        for row, style in ((cartoons, "--"), (photos, ":")):
            if name in row.estimates:
                axes.axhline(row.estimates[name].value, color="gray", linestyle=style, label=row.name)
        axes.set(xlabel="step", title=f"{name.replace('_', ' ')}: {_BETTER[measures[name].better]}")
        axes.legend()
    figure.savefig(path, format="png", dpi=110)


def plot_estimates(axes: Any, x: Sequence[float], estimates: Sequence[Estimate], label: str) -> None:
    """Draw a measure's values over `x`, with their intervals, into Matplotlib's axes."""
    axes.plot(x, [estimate.value for estimate in estimates], "o-", label=label)
    axes.fill_between(x, [each.low for each in estimates], [each.high for each in estimates], alpha=0.2)


def _row_values(row: Row) -> dict[str, Any]:
    measures = {name: _estimate_values(estimate) for name, estimate in row.estimates.items()}
    return {"name": row.name, "step": row.step, "secs_per_megapixel": row.secs_per_megapixel, "measures": measures}


def _estimate_values(estimate: Estimate) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in estimate._asdict().items()}


def cell(estimate: Estimate | None, measure: Column) -> str:
    """A measure with its interval, as the tables have it."""
    if estimate is None or not math.isfinite(estimate.value):
        return "-"
    value, low, high = (f"{measure.factor * number:.{measure.digits}f}" for number in estimate)
    return f"{value} [{low}, {high}]" if math.isfinite(estimate.low) else value
