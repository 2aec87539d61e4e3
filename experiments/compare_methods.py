"""Figures 6 and 7: CartoonGAN beside neural style transfer and CycleGAN, with training times (section 4.2).

    python -m experiments.compare_methods --photos_dir=photos --cartoons_dir=frames --output_dir=reproduction

Neural style transfer (Gatys et al.) with the cartoon closest in content to each photo, and with the whole collection;
CycleGAN without and with identity loss; CartoonGAN. All draw the same held-out photos. About 40 minutes at --scale=cpu
on 2 cores with bfloat16 instructions; there CycleGAN is trained for about as long as CartoonGAN, in half its epochs.
Results are in OUTPUT_DIR/compare_methods: figure.jpg (with close-ups), report.md (claims, times, table) and
evaluation.json. Its times are those of the runs; with steps that take turns, `python -m benchmarks.train_step
--tables=methods` measures the ratios.
"""

import functools
import sys
from typing import TYPE_CHECKING

from cartoongan_tf.base import program
from experiments.config import SCALES, ExperimentConfig

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.evaluator import Row
    from experiments.claims import Claim
    from experiments.kept_drawings import Drawings
    from experiments.lab import Lab
    from experiments.runs import Run

_IDENTITY_WEIGHTS = {"CycleGAN": 0.0, "CycleGAN + identity": 0.5}
_PAPERS_SECS = {"CycleGAN": 2291.77, "CycleGAN + identity": 3020.31, "CartoonGAN": 1517.69}  # an epoch, section 4.2


def main(argv=None) -> int:
    return program.run(ExperimentConfig, lambda config, _: _compare(config), __doc__, argv)


def _compare(config: ExperimentConfig) -> None:
    program.start_tensorflow()
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from experiments import claims, figures
    from experiments.lab import Lab

    scale = SCALES[config.scale]
    lab = Lab(config, long_side=scale.slow_long_side, max_photos=scale.slow_max_photos)
    runs = {
        name: lab.cyclegan(name.lower().replace(" + ", "-"), identity_weight=weight)
        for name, weight in _IDENTITY_WEIGHTS.items()
    }
    runs["CartoonGAN"] = lab.cartoongan()
    lab.train(runs.values())
    slow = _style_transfers(lab)
    ways = {name: drawings.way() for name, drawings in slow.items()}
    ways |= {name: Cartoonizer.load(run.generator) for name, run in runs.items()}
    rows = lab.measure(ways)
    rows = {name: lab.timed(row, slow.get(name)) for name, row in rows.items()}
    folder, figure = lab.folder / "compare_methods", figures.of_rows(lab.photos.pixels, rows, close_ups=True)
    times = _times(runs, slow)
    claims.write("experiments.compare_methods", config, folder, lab.report(rows), figure, _claims(rows), times)


def _style_transfers(lab: "Lab") -> "dict[str, Drawings]":
    from experiments.baselines.style_transfer import StyleTransfer
    from experiments.kept_drawings import Drawings
    from experiments.style_images import StyleImages

    config, photos, num_steps = lab.config, lab.photos.pixels, lab.scale.slow_steps
    with lab.computing():
        transfer = StyleTransfer(config.vgg19_weights, config.seed)
        cartoons = StyleImages(lab.cartoon_files.training, lab.long_side, config.vgg19_weights, config.seed)
    alike = [cartoons.most_alike(photo) for photo in photos]
    collection = functools.cache(lambda: transfer.style_of(cartoons.pictures()))

    def draw(number, style):
        return transfer.draw(photos[number], style, num_steps)

    folder, how = lab.folder / "drawings", lab.shapes_drawings
    return {
        "Gatys (image 1)": Drawings(
            folder / "gatys-image",
            photos,
            lambda number: draw(number, transfer.style_of([alike[number]])),
            lambda number: (alike[number], *how),
        ),
        "Gatys (collection)": Drawings(
            folder / "gatys-collection",
            photos,
            lambda number: draw(number, collection()),
            lambda number: ([file.name for file in cartoons.files], *how),
        ),
    }


def _claims(rows: "dict[str, Row]") -> "list[Claim]":
    from experiments.claims import compare

    one, collection, cyclegan, identity, cartoongan = rows.values()
    nearer = [
        compare(f"4.2: CartoonGAN is nearer to the cartoons than {other.name}", cartoongan, other, *_NEARER)
        for other in (one, collection, cyclegan, identity)
    ]
    edges = [
        compare(
            f"4.2: and its edges are clearer than those of {other.name}", cartoongan, other, "edge_sharpness", "more"
        )
        for other in (one, collection, cyclegan, identity)
    ]
    return [
        *nearer,
        *edges,
        compare("4.2: CycleGAN keeps more with identity loss (6d, 6e)", identity, cyclegan, *_LESS_CONTENT),
        compare("4.2: CycleGAN without it loses content, against CartoonGAN", cyclegan, cartoongan, *_MORE_CONTENT),
    ]


_NEARER = ("kid_to_cartoons", "less")
_LESS_CONTENT, _MORE_CONTENT = ("content_distance", "less"), ("content_distance", "more")


def _times(runs: "dict[str, Run]", slow: "dict[str, Drawings]") -> list[str]:
    """As Markdown: what each method takes, in training and for a picture."""
    lines = ["| trained | s an epoch | CartoonGAN's by it | in the paper | epochs | batch | threads |"]
    lines.append("| --- | --: | --: | --: | --: | --: | --: |")
    ours, papers = runs["CartoonGAN"].secs_per_epoch, _PAPERS_SECS["CartoonGAN"]
    for name, run in runs.items():
        ratios = f"{ours / run.secs_per_epoch:.2f} | {papers / _PAPERS_SECS[name]:.2f}"
        how = f"{run.num_epochs} | {run.recipe.batch_size} | {run.num_threads}"
        lines.append(f"| {name} | {run.secs_per_epoch:.0f} | {ratios} | {how} |")
    lines += ["", "The runs did not take turns, and may have met other work; compare times of the same threads.", ""]
    lines += [f"{name}: {drawings.secs_per_picture:.0f} s a picture.  " for name, drawings in slow.items()]
    return [*lines, ""]


if __name__ == "__main__":
    sys.exit(main())
