"""Look at training records before you train on them.

    python -m data_pipeline.inspect_records --data_dir=data/shinkai

Writes a contact sheet, prints measures, and warns of problems that would spoil the training: swapped folders, too few
pictures, no edges, smoothing without effect, and others. The sheet shows photos, with frames around faces and beside a
teacher's drawings if the records have these, and cartoons beside their edges and their smoothed copies. The printed
figures and warnings are also written to inspection.json beside it. Warnings do not change the exit status.
"""

import dataclasses
import os
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cartoongan_tf.base import atomic, program
from cartoongan_tf.base.options import Config, build_config, option
from cartoongan_tf.media import pictures
from data_pipeline.prepare import PreparationConfig

SHEET_NAME = "contact-sheet.jpg"
STATISTICS_NAME = "inspection.json"
_MOST_EXAMPLES = 500  # a larger sheet could not be looked at
_COUNTS = ("examples", "pictures", "measured")


class _Line(NamedTuple):
    """A line of the printed table: its title, and the format of its numbers."""

    title: str
    format: str


_LINES = {  # by the name of the statistic
    "side_px": _Line("side of the square in its picture", ".0f"),
    "num_faces": _Line("faces", ".2f"),
    "brightness": _Line("mean brightness, 0 to 255", ".0f"),
    "contrast": _Line("contrast, grey levels", ".0f"),
    "saturation": _Line("saturation", ".0%"),
    "flat_share": _Line("flat areas", ".0%"),
    "fine_detail": _Line("fine detail", ".2f"),
    "outlines": _Line("dark outlines over light ones, log", ".2f"),
    "least_colour": _Line("chroma of the greyest fifth", ".1f"),
    "edge_share": _Line("pixels on an edge", ".1%"),
    "region_share": _Line("pixels in the edge region", ".0%"),
    "smoothing_change": _Line("change there by smoothing, levels", ".1f"),
    "changed_share": _Line("pixels changed by smoothing", ".0%"),
}


@dataclasses.dataclass(frozen=True)
class InspectConfig(Config):
    """All flags of the program."""

    data_dir: str = option("Data folder of build_tfrecords.")
    output: str = option(f"Picture file for the contact sheet; if not given: {SHEET_NAME} in the data folder.", "")
    num_examples: int = option(
        "Photos, and cartoons, on the sheet, evenly spaced over the records.", 24, at_least=1, at_most=_MOST_EXAMPLES
    )
    num_measured: int = option(
        "Photos, and cartoons, to measure, evenly spaced over the records; 0: all.", 500, at_least=0
    )

    def __post_init__(self):
        super().__post_init__()
        if self.output:
            pictures.check_writable_suffix(self.output)


def main(argv=None) -> int:
    return program.run(InspectConfig, _inspect, __doc__, argv)


def _inspect(config: InspectConfig, _) -> None:
    program.start_tensorflow()
    from data_pipeline import inspection, problems, records

    opened = records.open_records(config.data_dir)
    dataset = records.read_dataset_file(config.data_dir)
    measured = inspection.measure(opened, dataset, config.num_measured)
    preparation = build_config(PreparationConfig, dataset["parameters"])
    warnings = problems.find(measured["photos"], measured.get("cartoons"), preparation)
    drawn_more = None
    if "cartoons" in measured:
        drawn_more = problems.drawn_more(measured["cartoons"], measured["photos"])
    summaries = {kind: measured_set.summary() for kind, measured_set in measured.items()}

    sheet = Path(config.output or os.path.join(config.data_dir, SHEET_NAME))
    pictures.write_picture(sheet, inspection.draw_sheet(opened, config.num_examples))
    statistics = sheet.with_name(STATISTICS_NAME)
    figures = {"drawn_more": drawn_more, "warnings": [warning._asdict() for warning in warnings]}
    atomic.write_json(statistics, summaries | figures)
    _print_figures(summaries, drawn_more)
    _print_warnings([warning.text for warning in warnings])
    print(f"\nLook at them:\n    {sheet}\nThe figures are in:\n    {statistics}")


def _print_figures(summaries: dict[str, dict[str, Any]], drawn_more: float | None) -> None:
    """Print the summaries in columns, one for each kind of pictures."""
    print(_table_row("", summaries))
    for count in _COUNTS:
        print(_table_row(count, [f"{summary[count]:,}" for summary in summaries.values()]))
    for name, line in _LINES.items():
        cells = [_mean(summary, name, line.format) for summary in summaries.values()]
        if any(cells):
            print(_table_row(line.title, cells))
    if drawn_more is not None:
        print(f"The cartoon looks more drawn in {drawn_more:.0%} of random pairs.")
    for kind, summary in summaries.items():
        print(_skipped(kind, summary))


def _mean(summary: dict[str, Any], name: str, number_format: str) -> str:
    """Format the mean of a statistic; photos lack those of smoothing."""
    statistic = summary["statistics"].get(name)
    return format(statistic["mean"], number_format) if statistic else ""


def _skipped(kind: str, summary: dict[str, Any]) -> str:
    if not summary["skipped"]:
        return f"Skipped {kind}: none"
    counts = ", ".join(f"{count} {reason}" for reason, count in summary["skipped"].items())
    return f"Skipped {kind}: {counts} (dataset.json lists them)"


def _table_row(title: str, cells: Iterable[str]) -> str:
    return f"{title:36}" + "".join(f"{cell:>12}" for cell in cells)


def _print_warnings(warnings: Sequence[str]) -> None:
    print(f"\n{len(warnings) or 'No'} warning{'' if len(warnings) == 1 else 's'}")
    wrapper = textwrap.TextWrapper(110, subsequent_indent="   ", break_on_hyphens=False)
    for number, warning in enumerate(warnings, 1):
        print(wrapper.fill(f"{number}. {warning}"))


if __name__ == "__main__":
    sys.exit(main())
