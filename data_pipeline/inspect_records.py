"""Look at training records before you train on them.

    python -m data_pipeline.inspect_records --data_dir=data/shinkai

Draws a contact sheet (photos; cartoons beside their edges and their smoothed twins), prints what was measured, and
warns of what would spoil the training: folders swapped, too few pictures, no edges, smoothing without effect, and
others. What is printed is also written as inspection.json beside the sheet. Warnings do not change the exit status.
"""

import dataclasses
import os
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from cartoongan_tf.base import atomic, program
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.media import pictures
from data_pipeline.prepare import PreparationConfig

SHEET_NAME, STATISTICS_NAME = "contact-sheet.jpg", "inspection.json"
_MOST_EXAMPLES = 500  # a sheet of more is no picture that can be looked at
_TITLES = {  # of the statistics, and how they are printed
    "side_px": ("side of the square in its picture", ".0f"),
    "brightness": ("mean brightness, 0 to 255", ".0f"),
    "contrast": ("contrast, grey levels", ".0f"),
    "saturation": ("saturation", ".0%"),
    "flat_share": ("flat areas", ".0%"),
    "fine_detail": ("fine detail", ".2f"),
    "outlines": ("dark outlines over light ones, log", ".2f"),
    "least_colour": ("chroma of the greyest fifth", ".1f"),
    "edge_share": ("pixels on an edge", ".1%"),
    "region_share": ("in the edge region", ".0%"),
    "smoothing_change": ("change there by smoothing, levels", ".1f"),
    "changed_share": ("pixels that smoothing changes", ".0%"),
}


@dataclasses.dataclass(frozen=True)
class InspectConfig(Config):
    data_dir: str = option("Data folder of build_tfrecords.")
    output: str = option(f"Picture file for the contact sheet; left out: {SHEET_NAME} in the data folder.", "")
    num_examples: int = option(
        "Photos, and cartoons, on the sheet, spread over the records.", 24, at_least=1, at_most=_MOST_EXAMPLES
    )
    num_measured: int = option("Photos, and cartoons, to measure, spread over the records; 0: all.", 500, at_least=0)

    def __post_init__(self):
        super().__post_init__()
        if self.output:
            pictures.check_writable_suffix(self.output)


def main(argv=None) -> int:
    return program.run(InspectConfig, _inspect, __doc__, argv)


def _inspect(config: InspectConfig, _) -> None:
    program.start_tensorflow()
    from data_pipeline import inspection, problems, records

    opened, dataset = records.open_records(config.data_dir), records.read_dataset_file(config.data_dir)
    measured = inspection.measure(opened, dataset, config.num_measured)
    found = problems.find(**measured, preparation=PreparationConfig(**dataset["parameters"]))
    drawn_more = problems.drawn_more(**measured)
    sheet = Path(config.output or os.path.join(config.data_dir, SHEET_NAME))
    pictures.write_picture(sheet, inspection.draw_sheet(opened, config.num_examples))
    summaries = {kind: each.summary() for kind, each in measured.items()}
    content = summaries | {"drawn_more": drawn_more, "warnings": [finding._asdict() for finding in found]}
    atomic.write_json(sheet.with_name(STATISTICS_NAME), content)
    _print(summaries, drawn_more)
    _print_warnings([finding.text for finding in found])
    print(f"\nLook at them:\n    {sheet}\nThe figures are in:\n    {sheet.with_name(STATISTICS_NAME)}")


def _print(summaries: dict[str, dict], drawn_more: float) -> None:
    """Two columns of figures: photos and cartoons."""
    print(_row("", summaries))
    for name in ("examples", "pictures", "measured"):
        print(_row(name, [f"{each[name]:,}" for each in summaries.values()]))
    for name, (title, form) in _TITLES.items():
        values = [each["statistics"].get(name) for each in summaries.values()]
        print(_row(title, [format(value["mean"], form) if value else "" for value in values]))
    print(f"The cartoon looks more drawn in {drawn_more:.0%} of random pairs.")
    for kind, each in summaries.items():
        skipped = ", ".join(f"{count} {reason}" for reason, count in each["skipped"].items())
        print(f"Left out of the {kind}: {skipped or 'none'}" + (" (dataset.json names them)" if skipped else ""))


def _row(title: str, cells: Iterable[str]) -> str:
    return f"{title:36}" + "".join(f"{cell:>12}" for cell in cells)


def _print_warnings(warnings: list[str]) -> None:
    print(f"\n{len(warnings) or 'No'} warning{'' if len(warnings) == 1 else 's'}")
    wrapper = textwrap.TextWrapper(110, subsequent_indent="   ", break_on_hyphens=False)
    for number, warning in enumerate(warnings, 1):
        print(wrapper.fill(f"{number}. {warning}"))


if __name__ == "__main__":
    sys.exit(main())
