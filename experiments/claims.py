"""Results of an experiment: the paper's claims beside the measurements, the table of `evaluate`, and the figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cartoongan_tf.base.timing import write_report
from cartoongan_tf.evaluation.columns import COLUMNS
from cartoongan_tf.evaluation.distances import Estimate
from cartoongan_tf.evaluation.report import Report, cell
from cartoongan_tf.evaluation.rows import Row, difference
from cartoongan_tf.media import pictures

_ENOUGH_PHOTOS = 30


class Claim(NamedTuple):
    """A claim of the paper beside the measurement.

    Attributes:
      text: claim, with its section.
      measured: measurement, in numbers.
      verdict: "agrees", "does not agree", or "undecided".
    """

    text: str
    measured: str
    verdict: str


def compare(text: str, row: Row, other: Row, measure: str, expected: str) -> Claim:
    """Test the claim that a measure of one method is above or below another's.

    Args:
      text: claim.
      row, other: rows of the two methods.
      measure: name of the measure.
      expected: "more", "less" or "other": the row's expected measure, relative to the other's.

    Returns:
      a claim that is decided if the interval of the difference excludes 0.
    """
    column = COLUMNS[measure]
    row_difference = difference(row, other, measure)
    row_value = cell(row.estimates[measure], column).partition(" ")[0]
    other_value = cell(other.estimates[measure], column).partition(" ")[0]
    values = f"{row.name} {row_value}, {other.name} {other_value}"
    measured = f"{column.heading}: {values}; difference {cell(row_difference, column)}"
    return Claim(text, measured, _verdict(row_difference, expected))


def _verdict(row_difference: Estimate, expected: str) -> str:
    is_more = row_difference.low > 0
    is_less = row_difference.high < 0
    if not is_more and not is_less:
        return "undecided"
    agrees = {"more": is_more, "less": is_less, "other": True}
    return "agrees" if agrees[expected] else "does not agree"


def write(
    module: str,
    config: Any,
    folder: Path,
    report: Report,
    figure: np.ndarray,
    claims: Sequence[Claim] = (),
    lines: Sequence[str] = (),
) -> None:
    """Write evaluation.txt, .md and .json, figure.jpg, and report.md; print the report.

    Args:
      module: name of the experiment, as in its command.
      config: flags of the experiment.
      folder: folder of its results.
      report: report of the evaluation.
      figure: uint8 RGB [H, W, 3].
      claims: claims of the paper.
      lines: lines of Markdown, to stand above the table.
    """
    report.write_tables(folder)
    pictures.write_picture(folder / "figure.jpg", figure)
    text = [*_claims_table(claims, len(report.photos.files)), *lines, *report.markdown().splitlines()]
    write_report(module, config, ("tensorflow", "keras", "numpy"), text, str(folder / "report.md"))
    print(f"The figure is {folder / 'figure.jpg'}.")


def _claims_table(claims: Sequence[Claim], num_photos: int) -> list[str]:
    if not claims:
        return []
    rows = [f"| {claim.text} | {claim.measured} | {claim.verdict} |" for claim in claims]
    table = ["| the paper | measured | |", "| --- | --- | --- |", *rows, ""]
    if num_photos < _ENOUGH_PHOTOS:
        table += [
            f"With {num_photos} photos, intervals are too narrow: from noise alone, 28 % of verdicts are decided on 3 "
            "photos, and 9 % on 15, instead of 5 %.",
            "",
        ]
    return table
