"""Figure 9: CartoonGAN without its initialization, with l2 content, without the edge loss, and complete.

    python -m experiments.ablation --photos_dir=photos --cartoons_dir=frames --output_dir=reproduction

All four have the same seed, data and number of adversarial steps. The second uses l2 in the initialization, too. About
35 minutes at --scale=cpu on 2 cores with bfloat16 instructions. At that scale the edge loss has a tenth of the paper's
weight (configs/photo_start.flags explains why), and the light generator begins as the photo and hardly needs
initialization: use --generator=paper to see the effect of initialization on the paper's generator. Results are in
OUTPUT_DIR/ablation: figure.jpg (with close-ups), report.md (claims and table) and evaluation.json.
"""

import statistics
import sys
from typing import TYPE_CHECKING

from cartoongan_tf.base import program
from cartoongan_tf.training.config import TrainConfig
from experiments.config import ExperimentConfig

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.rows import Row
    from experiments.claims import Claim
    from experiments.runs import Run

# For a feature's difference d the gradient of l1 is 1, and that of l2 is 2 |d|. The content distances of drawings at
# --scale=cpu are 98 to 112. With this typical d, l2 is weighted to pull as strongly. The paper gives no weight for l2.
_TYPICAL_DIFFERENCE = 100.0


def main(argv=None) -> int:
    return program.run(ExperimentConfig, lambda config, _: _ablation(config), __doc__, argv)


def _ablation(config: ExperimentConfig) -> None:
    program.start_tensorflow()
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from experiments import claims, figures
    from experiments.lab import Lab

    lab = Lab.open(config)
    l2_weight = lab.recipe.content_weight / (2 * _TYPICAL_DIFFERENCE)
    runs = {
        "without initialization": lab.cartoongan("without-initialization", initialization_epochs=0),
        "l2 content": lab.cartoongan("l2-content", content_loss="l2", content_weight=l2_weight),
        "without edge loss": lab.cartoongan("without-edge-loss", edge_loss_weight=0.0),
        "CartoonGAN": lab.cartoongan(),
    }
    lab.train(runs.values())
    rows = lab.measure({name: Cartoonizer.load(run.generator) for name, run in runs.items()})
    claims.write(
        "experiments.ablation",
        config,
        lab.folder / "ablation",
        lab.report(rows),
        figures.of_rows(lab.photos.pixels, rows, close_ups=True),
        paper_claims(rows, lab.recipe),
        _logits_table(runs),
    )


def paper_claims(rows: "dict[str, Row]", recipe: TrainConfig) -> "list[Claim]":
    """Return the claims about each variant; the light generator has none about initialization."""
    from experiments.claims import compare

    without_initialization, l2, without_edges, full = rows.values()
    claims = []
    if recipe.generator == "paper":
        style = "4.3: without initialization the style is far from expectation (9b)"
        content = "3.3: the initialization helps to keep the content"
        claims += [
            compare(style, without_initialization, full, "kid_to_cartoons", "more"),
            compare(content, without_initialization, full, "content_distance", "more"),
        ]
    return [
        *claims,
        compare("4.3: l1 copes with differences of style better than l2 (9c)", l2, full, "kid_to_cartoons", "more"),
        compare("3.2.1: the edge loss gives clear edges (9d)", without_edges, full, "edge_sharpness", "less"),
        compare("3.2.1: the same, by the number of edges", without_edges, full, "edge_density", "less"),
    ]


def _logits_table(runs: "dict[str, Run]") -> list[str]:
    """Return, as Markdown, the discriminators' mean logits at the end of training.

    A discriminator that gives smoothed cartoons the same logits as cartoons has not taught the generator about edges.
    """
    lines = [
        "**The discriminators' logits** in the last quarter of training (1: a cartoon, 0: none)",
        "",
        "|  | cartoons | smoothed cartoons | generated pictures |",
        "| --- | --: | --: | --: |",
    ]
    for name, run in runs.items():
        cells = [name]
        for kind in ("cartoon", "smoothed", "generated"):
            curve = run.curve(f"logits_{kind}")
            last_quarter = curve[-max(len(curve) // 4, 1) :]
            cells.append(f"{statistics.fmean(last_quarter):.3f}")
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


if __name__ == "__main__":
    sys.exit(main())
