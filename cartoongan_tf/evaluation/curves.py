"""Curves of measures, with their intervals, drawn by Matplotlib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cartoongan_tf.base import atomic
from cartoongan_tf.evaluation.columns import COLUMNS
from cartoongan_tf.evaluation.distances import Estimate
from cartoongan_tf.evaluation.rows import Row

BETTER = {"less": "Less is better", "more": "More is better", "near": "Best near the cartoons'"}
_RUN_MEASURES = ("kid_to_cartoons", "content_distance", "edge_density", "flatness")


def write_run_curves(steps: Sequence[Row], cartoons: Row, photos: Row, path: Path) -> None:
    """Draw measures over the steps of a run, as PNG.

    Args:
      steps: rows of the run's checkpoints.
      cartoons, photos: rows of the cartoons and the photos themselves, drawn as horizontal lines.
      path: file to write.
    """
    from matplotlib.figure import Figure

    by_step = {row.step: row for row in steps if row.step is not None}
    in_order = dict(sorted(by_step.items()))
    figure = Figure(figsize=(11, 7), layout="constrained")
    for axes, name in zip(figure.subplots(2, 2).flat, _RUN_MEASURES, strict=True):
        plot_estimates(axes, list(in_order), [row.estimates[name] for row in in_order.values()], "the run")
        plot_references(axes, name, cartoons, photos)
        axes.set(xlabel="step", title=f"{name.replace('_', ' ')}: {BETTER[COLUMNS[name].better]}")
        axes.legend()
    write_figure(figure, path)


def plot_estimates(axes: Any, x: Sequence[float], estimates: Sequence[Estimate], label: str) -> None:
    """Plot a measure's values and intervals over `x`, into Matplotlib's axes."""
    axes.plot(x, [estimate.value for estimate in estimates], "o-", label=label)
    axes.fill_between(x, [estimate.low for estimate in estimates], [estimate.high for estimate in estimates], alpha=0.2)


def plot_references(axes: Any, measure: str, cartoons: Row, photos: Row) -> None:
    """Plot the values of the cartoons and the photos themselves, if they have this measure, as horizontal lines."""
    for row, style in ((cartoons, "--"), (photos, ":")):
        if measure in row.estimates:
            axes.axhline(row.estimates[measure].value, color="gray", linestyle=style, label=row.name)


def write_figure(figure: Any, path: Path) -> None:
    """Write Matplotlib's figure as PNG; the file is complete or not there."""
    with atomic.replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
