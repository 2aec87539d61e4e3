"""Section 3.2: a larger omega keeps more of the photo. The curve that tells what to set.

    python -m experiments.content_weight --photos_dir=photos --cartoons_dir=frames --output_dir=reproduction

One run for each weight, with all else the same. Marked are the paper's literal 10 and 6.2e-4, what the
authors' code amounts to. About 35 minutes at --scale=cpu on 2 cores with bfloat16 instructions. Results are in
OUTPUT_DIR/content_weight: curve.png, figure.jpg, report.md and evaluation.json.
"""

import dataclasses
import itertools
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import option
from cartoongan_tf.training.config import TrainConfig
from experiments.config import ExperimentConfig

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.evaluator import Row
    from experiments.claims import Claim
    from experiments.lab import Lab
    from experiments.runs import Run

_PAPERS, _AUTHORS = 10.0, TrainConfig.content_weight
_CURVES = ("content_distance", "kid_to_cartoons", "edge_density", "luminance_similarity")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContentWeightConfig(ExperimentConfig):
    content_weights: str = option("The weights, separated by commas.", f"3e-4,{_AUTHORS:g},0.01,{_PAPERS:g}")

    def __post_init__(self):
        super().__post_init__()
        super().__post_init__()
        if len(self.values) < 2 or not all(0 <= value < math.inf for value in self.values):
            raise InputError(
                f"--content_weights={self.content_weights}: give two or more different weights, none below 0"
            )

    @property
    def values(self) -> list[float]:
        """In their order."""
        try:
            return sorted({float(f"{float(text):g}") for text in self.content_weights.split(",")})  # as runs are named
        except ValueError:
            return []


def main(argv=None) -> int:
    return program.run(ContentWeightConfig, lambda config, _: _content_weight(config), __doc__, argv)


def _content_weight(config: ContentWeightConfig) -> None:
    program.start_tensorflow()
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from experiments import claims, figures
    from experiments.lab import Lab

    lab = Lab(config)
    runs = {value: _run(lab, value) for value in config.values}
    lab.train(runs.values())
    rows = lab.measure({_name(value): Cartoonizer.load(run.generator) for value, run in runs.items()})
    folder, report = lab.folder / "content_weight", lab.report(rows)
    figure = figures.of_rows(lab.photos.pixels, rows)
    claims.write("experiments.content_weight", config, folder, report, figure, _claims(list(rows.values())))
    _draw_curves(dict(zip(config.values, rows.values(), strict=True)), report.rows[:2], folder / "curve.png")
    print(f"The curve is {folder / 'curve.png'}.")


def _run(lab: "Lab", value: float) -> "Run":
    if value == lab.recipe.content_weight:
        return lab.cartoongan()
    return lab.cartoongan(f"content-weight-{value:g}", content_weight=value)


def _name(value: float) -> str:
    remark = {_PAPERS: ", the paper's", _AUTHORS: ", the authors' code's"}
    return f"omega {value:g}{remark.get(value, '')}"


def _claims(rows: "list[Row]") -> "list[Claim]":
    from experiments.claims import compare

    text = "3.2: a larger omega keeps more of the photo's content"
    return [compare(text, row, before, "content_distance", "less") for before, row in itertools.pairwise(rows)]


def _draw_curves(rows: "dict[float, Row]", references: "list[Row]", path: Path) -> None:
    """Measures over omega, with their intervals, as PNG; lines across are the cartoons' and the photos' own."""
    from matplotlib.figure import Figure

    from cartoongan_tf.base import atomic
    from cartoongan_tf.evaluation.report import plot_estimates

    drawing = Figure(figsize=(11, 7), layout="constrained")
    for axes, name in zip(drawing.subplots(2, 2).flat, _CURVES, strict=True):
        plot_estimates(axes, list(rows), [row.estimates[name] for row in rows.values()], "the runs")
        for row, style in zip(references, ("--", ":"), strict=True):
            if name in row.estimates:
                axes.axhline(row.estimates[name].value, color="gray", linestyle=style, label=row.name)
        for value, label, color in ((_AUTHORS, "the authors' code", "tab:green"), (_PAPERS, "the paper", "tab:red")):
            axes.axvline(value, color=color, linewidth=0.8, label=f"{value:g}: {label}")
        axes.set(xlabel="content weight (omega)", title=name.replace("_", " "))
        if 0 in rows:
            axes.set_xscale("symlog", linthresh=min(value for value in rows if value))
            axes.set_xlim(left=0)
        else:
            axes.set_xscale("log")
        axes.legend(fontsize=8)
    with atomic.replacing(path) as temporary:
        drawing.savefig(temporary, format="png", dpi=110)


if __name__ == "__main__":
    sys.exit(main())
