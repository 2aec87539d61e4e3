"""Figures 6 and 7: CartoonGAN beside neural style transfer and CycleGAN, with training times (section 4.2).

    python -m experiments.compare_methods --photos_dir=photos --cartoons_dir=frames --output_dir=reproduction

The methods are neural style transfer (Gatys et al.) with the cartoon closest in content to each photo, and with the
complete collection; CycleGAN without and with identity loss; and CartoonGAN. All draw the same held-out photos. About
40 minutes at --scale=cpu on 2 cores with bfloat16 instructions; at that scale CycleGAN is trained for about as long as
CartoonGAN, in half its epochs. Results are in OUTPUT_DIR/compare_methods: figure.jpg (with close-ups), report.md
(claims, times, table) and evaluation.json. The times are those of the runs; `python -m benchmarks.train_step
--tables=methods` measures the ratios of steps that take turns.
"""

import functools
import sys
from typing import TYPE_CHECKING

from cartoongan_tf.base import program
from experiments.config import SCALES, ExperimentConfig

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.rows import Row
    from experiments.claims import Claim
    from experiments.kept_drawings import Drawings
    from experiments.lab import Lab
    from experiments.runs import Run

_PAPERS_SECS = {"CycleGAN": 2291.77, "CycleGAN + identity": 3020.31, "CartoonGAN": 1517.69}  # an epoch, section 4.2


def main(argv=None) -> int:
    return program.run(ExperimentConfig, lambda config, _: _compare(config), __doc__, argv)


def _compare(config: ExperimentConfig) -> None:
    program.start_tensorflow()
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from experiments import claims, figures
    from experiments.lab import Lab

    scale = SCALES[config.scale]
    lab = Lab.open(config, long_side=scale.slow_long_side, max_photos=scale.slow_max_photos)
    runs = {
        "CycleGAN": lab.cyclegan("cyclegan", identity_weight=0.0),
        "CycleGAN + identity": lab.cyclegan("cyclegan-identity", identity_weight=0.5),
        "CartoonGAN": lab.cartoongan(),
    }
    lab.train(runs.values())
    drawings = _style_transfers(lab)
    methods = {name: kept.draw for name, kept in drawings.items()}
    methods |= {name: Cartoonizer.load(run.generator) for name, run in runs.items()}
    rows = lab.measure(methods)
    for name, kept in drawings.items():
        rows[name] = lab.with_drawing_time(rows[name], kept)
    claims.write(
        "experiments.compare_methods",
        config,
        lab.folder / "compare_methods",
        lab.report(rows),
        figures.of_rows(lab.photos.pixels, rows, close_ups=True),
        paper_claims(rows),
        times_table(runs, drawings),
    )


def _style_transfers(lab: "Lab") -> "dict[str, Drawings]":
    from experiments.baselines.style_transfer import StyleTransfer
    from experiments.kept_drawings import Drawings
    from experiments.style_images import StyleImages

    config = lab.config
    with lab.computing():
        transfer = StyleTransfer.load(config.vgg19_weights, config.seed)
        cartoons = StyleImages.read(lab.cartoon_files.training, lab.long_side, config.vgg19_weights, config.seed)
    photos = lab.photos.pixels
    alike = [cartoons.most_alike(photo) for photo in photos]
    collection_files = [file.name for file in cartoons.files]

    @functools.cache
    def collection_style():  # takes long, and is needed only if a drawing is missing
        return transfer.style_of(cartoons.pictures())

    def draw_like_one(number):
        return transfer.draw(photos[number], transfer.style_of([alike[number]]), lab.scale.slow_steps)

    def draw_like_collection(number):
        return transfer.draw(photos[number], collection_style(), lab.scale.slow_steps)

    return {
        "Gatys (image 1)": Drawings.make(
            lab.folder / "drawings" / "gatys-image",
            photos,
            draw_like_one,
            shaped_by=lambda number: (alike[number], *lab.shapes_drawings),
        ),
        "Gatys (collection)": Drawings.make(
            lab.folder / "drawings" / "gatys-collection",
            photos,
            draw_like_collection,
            shaped_by=lambda number: (collection_files, *lab.shapes_drawings),
        ),
    }


def paper_claims(rows: "dict[str, Row]") -> "list[Claim]":
    """Return the claims about CartoonGAN and CycleGAN, from the rows of all methods in their order."""
    from experiments.claims import compare

    *others, cartoongan = rows.values()
    _, _, cyclegan, identity = others
    claims = []
    for other in others:
        text = f"4.2: CartoonGAN is nearer to the cartoons than {other.name}"
        claims.append(compare(text, cartoongan, other, "kid_to_cartoons", "less"))
    for other in others:
        text = f"4.2: and its edges are clearer than those of {other.name}"
        claims.append(compare(text, cartoongan, other, "edge_sharpness", "more"))
    keeps_more = "4.2: CycleGAN keeps more with identity loss (6d, 6e)"
    loses_content = "4.2: CycleGAN without it loses content, against CartoonGAN"
    return [
        *claims,
        compare(keeps_more, identity, cyclegan, "content_distance", "less"),
        compare(loses_content, cyclegan, cartoongan, "content_distance", "more"),
    ]


def times_table(runs: "dict[str, Run]", drawings: "dict[str, Drawings]") -> list[str]:
    """Return, as Markdown, the time of each method, in training and for a picture."""
    lines = [
        "| trained | s an epoch | CartoonGAN's by it | in the paper | epochs | batch | threads |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for name, run in runs.items():
        ratio = runs["CartoonGAN"].secs_per_epoch / run.secs_per_epoch
        papers_ratio = _PAPERS_SECS["CartoonGAN"] / _PAPERS_SECS[name]
        settings = f"{run.num_epochs} | {run.recipe.batch_size} | {run.num_threads}"
        lines.append(f"| {name} | {run.secs_per_epoch:.0f} | {ratio:.2f} | {papers_ratio:.2f} | {settings} |")
    lines += [
        "",
        "The runs did not take turns, and other programs may have slowed them. Compare times of equal threads.",
        "",
    ]
    lines += [f"{name}: {kept.secs_per_picture:.0f} s a picture.  " for name, kept in drawings.items()]
    return [*lines, ""]


if __name__ == "__main__":
    sys.exit(main())
