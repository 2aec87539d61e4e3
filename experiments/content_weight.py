"""Section 3.2: a larger omega keeps more of the photo. The curves help to choose it.

    python -m experiments.content_weight --photos_dir=photos --cartoons_dir=frames --output_dir=reproduction

There is one run for each weight; everything else is the same. The curves mark the paper's literal 10, and 6.2e-4, the
effective weight in the authors' code. About 35 minutes at --scale=cpu on 2 cores with bfloat16 instructions. Results
are in OUTPUT_DIR/content_weight: curve.png, figure.jpg, report.md and evaluation.json.
"""

import dataclasses
import itertools
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import option
from cartoongan_tf.training.config import TrainConfig
from experiments.config import ExperimentConfig

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.rows import Row
    from experiments.claims import Claim
    from experiments.lab import Lab
    from experiments.runs import Run

_PAPERS_WEIGHT = 10.0
_AUTHORS_WEIGHT = TrainConfig.content_weight
_CURVES = ("content_distance", "kid_to_cartoons", "edge_density", "luminance_similarity")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContentWeightConfig(ExperimentConfig):
    content_weights: str = option(
        "The weights, separated by commas.", f"3e-4,{_AUTHORS_WEIGHT:g},0.01,{_PAPERS_WEIGHT:g}"
    )

    def __post_init__(self):
        super().__post_init__()
        if len(self.values) < 2 or not all(0 <= value < math.inf for value in self.values):
            raise InputError(
                f"--content_weights={self.content_weights}: give two or more different weights, none below 0"
            )

    @property
    def values(self) -> list[float]:
        """The weights in increasing order, rounded as the runs are named; none if one is not a number."""
        try:
            weights = [float(text) for text in self.content_weights.split(",")]
        except ValueError:
            return []
        return sorted({float(f"{weight:g}") for weight in weights})


def main(argv=None) -> int:
    return program.run(ContentWeightConfig, lambda config, _: _content_weight(config), __doc__, argv)


def _content_weight(config: ContentWeightConfig) -> None:
    program.start_tensorflow()
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from experiments import claims, figures
    from experiments.lab import Lab

    lab = Lab.open(config)
    runs = {value: _run(lab, value) for value in config.values}
    lab.train(runs.values())
    rows = lab.measure({_name(value): Cartoonizer.load(run.generator) for value, run in runs.items()})
    folder = lab.folder / "content_weight"
    report = lab.report(rows)
    figure = figures.of_rows(lab.photos.pixels, rows)
    claims.write("experiments.content_weight", config, folder, report, figure, paper_claims(list(rows.values())))
    cartoons_row, photos_row = report.rows[:2]
    rows_by_weight = dict(zip(config.values, rows.values(), strict=True))
    _write_curves(rows_by_weight, cartoons_row, photos_row, folder / "curve.png")
    print(f"The curves are in {folder / 'curve.png'}.")


def _run(lab: "Lab", value: float) -> "Run":
    if value == lab.recipe.content_weight:
        return lab.cartoongan()
    return lab.cartoongan(f"content-weight-{value:g}", content_weight=value)


def _name(value: float) -> str:
    remark = {_PAPERS_WEIGHT: ", the paper's", _AUTHORS_WEIGHT: ", the authors' code's"}
    return f"omega {value:g}{remark.get(value, '')}"


def paper_claims(rows: "list[Row]") -> "list[Claim]":
    """Return a claim for each weight and the next smaller one; rows are in the order of their weights."""
    from experiments.claims import compare

    text = "3.2: a larger omega keeps more of the photo's content"
    return [compare(text, row, before, "content_distance", "less") for before, row in itertools.pairwise(rows)]


def _write_curves(rows_by_weight: "dict[float, Row]", cartoons: "Row", photos: "Row", path: Path) -> None:
    """Draw measures over the weight, with their intervals, as PNG; cartoons and photos are horizontal lines."""
    from matplotlib.figure import Figure

    from cartoongan_tf.evaluation import curves

    weights = list(rows_by_weight)
    figure = Figure(figsize=(11, 7), layout="constrained")
    for axes, measure in zip(figure.subplots(2, 2).flat, _CURVES, strict=True):
        estimates = [row.estimates[measure] for row in rows_by_weight.values()]
        curves.plot_estimates(axes, weights, estimates, "the runs")
        curves.plot_references(axes, measure, cartoons, photos)
        axes.axvline(_AUTHORS_WEIGHT, color="tab:green", linewidth=0.8, label=f"{_AUTHORS_WEIGHT:g}: the authors' code")
        axes.axvline(_PAPERS_WEIGHT, color="tab:red", linewidth=0.8, label=f"{_PAPERS_WEIGHT:g}: the paper")
        axes.set(xlabel="content weight (omega)", title=measure.replace("_", " "))
        _scale_weights(axes, weights)
        axes.legend(fontsize=8)
    curves.write_figure(figure, path)


def _scale_weights(axes: Any, weights: list[float]) -> None:
    """Make the axis of weights logarithmic; linear near 0 if 0 is one of them."""
    if 0 in weights:
        axes.set_xscale("symlog", linthresh=min(weight for weight in weights if weight))
        axes.set_xlim(left=0)
    else:
        axes.set_xscale("log")


if __name__ == "__main__":
    sys.exit(main())
