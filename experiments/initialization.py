"""Figure 4: photos, and what the generator makes of them after each epoch of the initialization phase.

    python -m experiments.initialization --photos_dir=photos --cartoons_dir=frames --output_dir=reproduction

Both starts that `train --initialization_loss` has: the paper's, by the content loss alone, and by pixels; always of the
paper's generator, its weights averaged where the scale's recipe says so. About 15 minutes at --scale=cpu on 2 cores
with bfloat16 instructions. Results are in OUTPUT_DIR/initialization: figure.jpg, curve.png (measures by epoch),
report.md and evaluation.json.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cartoongan_tf.base import program
from experiments.config import ExperimentConfig

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.evaluator import Row
    from experiments.claims import Claim
    from experiments.lab import Lab
    from experiments.runs import Run

_STARTS = {"content": "the paper's start", "pixels": "pixel start"}
_CURVES = ("content_distance", "color_shift", "luminance_similarity")
_SHOWN = 4  # epochs of each start in the figure


def main(argv=None) -> int:
    return program.run(ExperimentConfig, lambda config, _: _initialization(config), __doc__, argv)


def _initialization(config: ExperimentConfig) -> None:
    program.start_tensorflow()
    from experiments import claims, figures
    from experiments.lab import Lab

    lab = Lab(config)
    folder = lab.folder / "initialization"
    runs = {loss: lab.initialization(loss) for loss in _STARTS}
    lab.train(runs.values())
    starts = {name: _epochs(lab, runs[loss], name, folder / "generators" / loss) for loss, name in _STARTS.items()}
    shown = [row for epochs in starts.values() for row in _spread(list(epochs.values()))]
    figure = figures.of_rows(lab.photos.pixels, {row.name: row for row in shown})
    report = lab.report({row.name: row for epochs in starts.values() for row in epochs.values()})
    claims.write("experiments.initialization", config, folder, report, figure, _claims(starts))
    _draw_curves(starts, folder / "curve.png")
    print(f"The curve is {folder / 'curve.png'}.")


def _epochs(lab: "Lab", run: "Run", name: str, folder: Path) -> "dict[int, Row]":
    """By epoch, the generator's drawings measured."""
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from cartoongan_tf.training.checkpoints import write_generators

    steps = lab.steps_per_epoch(lab.recipe.batch_size)
    files = write_generators(run.folder, folder)
    ways = {f"{name}, epoch {step // steps}": Cartoonizer.load(path) for step, path in files.items()}
    return dict(zip((step // steps for step in files), lab.measure(ways).values(), strict=True))


def _spread(rows: list) -> list:
    places = {round(place * (len(rows) - 1) / (_SHOWN - 1)) for place in range(_SHOWN)}
    return [rows[place] for place in sorted(places)]


def _claims(starts: "dict[str, dict[int, Row]]") -> "list[Claim]":
    from experiments.claims import compare

    paper, pixels = (list(epochs.values()) for epochs in starts.values())
    return [
        compare("3.3: the initialization phase comes to reconstruct the content", paper[-1], paper[0], *_LESS_CONTENT),
        compare(
            "(not in the paper) the pixel start keeps colours better", pixels[-1], paper[-1], "color_shift", "less"
        ),
        compare("(not in the paper) and the content as well", pixels[-1], paper[-1], *_LESS_CONTENT),
    ]


_LESS_CONTENT = ("content_distance", "less")


def _draw_curves(starts: "dict[str, dict[int, Row]]", path: Path) -> None:
    """Measures of the drawings by epoch, with their intervals, as PNG."""
    from matplotlib.figure import Figure

    from cartoongan_tf.base import atomic
    from cartoongan_tf.evaluation.report import plot_estimates

    drawing = Figure(figsize=(13, 4), layout="constrained")
    for axes, measure in zip(drawing.subplots(1, len(_CURVES)), _CURVES, strict=True):
        for name, epochs in starts.items():
            plot_estimates(axes, list(epochs), [row.estimates[measure] for row in epochs.values()], name)
        axes.set(xlabel="epoch", title=measure.replace("_", " "))
        axes.legend()
    with atomic.replacing(path) as temporary:
        drawing.savefig(temporary, format="png", dpi=110)


if __name__ == "__main__":
    sys.exit(main())
