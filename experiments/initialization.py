"""Figure 4: photos, and the generator's drawings of them after each epoch of the initialization phase.

    python -m experiments.initialization --photos_dir=photos --cartoons_dir=frames --output_dir=reproduction

It compares both values of `train --initialization_loss`: the content loss alone, as in the paper, and pixels. The
generator is the paper's, with averaged weights if the scale's recipe has them. About 15 minutes at --scale=cpu on 2
cores with bfloat16 instructions. Results are in OUTPUT_DIR/initialization: figure.jpg, curve.png (measures by epoch),
report.md and evaluation.json.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cartoongan_tf.base import program
from cartoongan_tf.media.folders import evenly_spaced
from experiments.config import ExperimentConfig

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.rows import Row
    from experiments.claims import Claim
    from experiments.lab import Lab
    from experiments.runs import Run

_STARTS: dict[Literal["content", "pixels"], str] = {"content": "the paper's start", "pixels": "pixel start"}
_CURVES = ("content_distance", "color_shift", "luminance_similarity")
_NUM_SHOWN = 4  # epochs of each start in the figure


def main(argv=None) -> int:
    return program.run(ExperimentConfig, lambda config, _: _initialization(config), __doc__, argv)


def _initialization(config: ExperimentConfig) -> None:
    program.start_tensorflow()
    from experiments import claims, figures
    from experiments.lab import Lab

    lab = Lab.open(config)
    folder = lab.folder / "initialization"
    runs = {loss: lab.initialization(loss) for loss in _STARTS}
    lab.train(runs.values())
    starts = {}
    for loss, name in _STARTS.items():
        starts[name] = _measure_epochs(lab, runs[loss], name, folder / "generators" / loss)
    rows = {row.name: row for epochs in starts.values() for row in epochs.values()}
    shown_rows = {}
    for epochs in starts.values():
        for row in evenly_spaced(list(epochs.values()), _NUM_SHOWN)[:_NUM_SHOWN]:
            shown_rows[row.name] = row
    figure = figures.of_rows(lab.photos.pixels, shown_rows)
    claims.write("experiments.initialization", config, folder, lab.report(rows), figure, paper_claims(starts))
    _write_curves(starts, folder / "curve.png")
    print(f"The curves are in {folder / 'curve.png'}.")


def _measure_epochs(lab: "Lab", run: "Run", name: str, folder: Path) -> "dict[int, Row]":
    """Measure the generator of each epoch, written to the folder: rows by epoch."""
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from cartoongan_tf.training.checkpoints import write_generators

    steps_per_epoch = lab.steps_per_epoch(lab.recipe.batch_size)
    files = {step // steps_per_epoch: path for step, path in write_generators(run.folder, folder).items()}
    rows = lab.measure({f"{name}, epoch {epoch}": Cartoonizer.load(path) for epoch, path in files.items()})
    return dict(zip(files, rows.values(), strict=True))


def paper_claims(starts: "dict[str, dict[int, Row]]") -> "list[Claim]":
    """Return the claims about the paper's start and the pixel start, from their rows by epoch."""
    from experiments.claims import compare

    paper_epochs, pixel_epochs = starts.values()
    paper = list(paper_epochs.values())
    pixels = list(pixel_epochs.values())
    reconstruction = "3.3: the initialization phase comes to reconstruct the content"
    colors = "(not in the paper) the pixel start keeps colours better"
    content = "(not in the paper) and the content as well"
    return [
        compare(reconstruction, paper[-1], paper[0], "content_distance", "less"),
        compare(colors, pixels[-1], paper[-1], "color_shift", "less"),
        compare(content, pixels[-1], paper[-1], "content_distance", "less"),
    ]


def _write_curves(starts: "dict[str, dict[int, Row]]", path: Path) -> None:
    """Draw measures by epoch, with their intervals, as PNG."""
    from matplotlib.figure import Figure

    from cartoongan_tf.evaluation import curves

    figure = Figure(figsize=(13, 4), layout="constrained")
    for axes, measure in zip(figure.subplots(1, len(_CURVES)), _CURVES, strict=True):
        for name, epochs in starts.items():
            curves.plot_estimates(axes, list(epochs), [row.estimates[measure] for row in epochs.values()], name)
        axes.set(xlabel="epoch", title=measure.replace("_", " "))
        axes.legend()
    curves.write_figure(figure, path)


if __name__ == "__main__":
    sys.exit(main())
