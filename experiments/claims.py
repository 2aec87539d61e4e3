"""What an experiment found: claims of the paper with what was measured, the table of `evaluate`, the figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cartoongan_tf.base.timing import write_report
from cartoongan_tf.evaluation.distances import Estimate
from cartoongan_tf.evaluation.evaluator import MEASURES, Row, difference
from cartoongan_tf.evaluation.report import Report, cell
from cartoongan_tf.media import pictures

_ENOUGH_PHOTOS = 30
_MEASURES = {measure.name: measure for measure in MEASURES}


class Claim(NamedTuple):
    """What the paper says, and what was seen.

    Attributes:
      text: the claim, with its section.
      measured: in figures.
      verdict: "agrees", "does not agree", or "undecided".
    """

    text: str
    measured: str
    verdict: str


def compare(text: str, row: Row, other: Row, measure: str, expected: str) -> Claim:
    """Hold a claim that a measure of one way is above or below another's against their difference.

    Args:
      text: the claim.
      row, other: of the two ways.
      measure: its name.
      expected: "more", "less" or "other": what the claim expects of `row`, against `other`.

    Returns:
      a claim that agrees, or does not, where the interval of the difference leaves 0 out.
    """
    found = difference(row, other, measure)
    values = [cell(each.estimates[measure], _MEASURES[measure]).partition(" ")[0] for each in (row, other)]
    said = f"{_MEASURES[measure].heading}: {row.name} {values[0]}, {other.name} {values[1]}; difference "
    return Claim(text, said + cell(found, _MEASURES[measure]), _verdict(found, expected))


def _verdict(found: Estimate, expected: str) -> str:
    if expected == "other":
        return "agrees" if found.low > 0 or found.high < 0 else "undecided"
    sign = {"more": 1, "less": -1}[expected]
    low, high = sorted((sign * found.low, sign * found.high))
    return "agrees" if low > 0 else "does not agree" if high < 0 else "undecided"


def write(
    module: str,
    config: Any,
    folder: Path,
    report: Report,
    figure: np.ndarray,
    claims: Sequence[Claim] = (),
    lines: Sequence[str] = (),
) -> None:
    """Write evaluation.txt, .md and .json, figure.jpg, and report.md with all that is to be read; print the latter.

    Args:
      module: of the experiment, as its command names it.
      config: its flags.
      folder: of its results.
      report: the table.
      figure: uint8 RGB [H, W, 3].
      claims: of the paper.
      lines: of Markdown, above the table.
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
        few = f"Of {num_photos} photos, intervals are too narrow: "
        table += [f"{few}of mere noise, 28 % of verdicts are decided on 3 photos, and 9 % on 15, not 5.", ""]
    return table
