"""Figure 8: CartoonGAN beside CNNMRF and Deep Analogy, which take one style picture.

    python -m experiments.compare_single_image --photos_dir=photos --cartoons_dir=frames --output_dir=reproduction

Each of the two methods draws every photo twice: with the cartoon most like it in content (image 1), and with one drawn
by lot (image 2). About 20 minutes at --scale=cpu on 2 cores with bfloat16 instructions, half of them to train
CartoonGAN, where that is not done yet. Results are in OUTPUT_DIR/compare_single_image: figure.jpg, report.md (times,
claims, table) and evaluation.json.
"""

import dataclasses
import sys
from typing import TYPE_CHECKING

from cartoongan_tf.base import program
from cartoongan_tf.base.options import option, require
from experiments.config import SCALES, ExperimentConfig

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.evaluator import Row
    from experiments.claims import Claim
    from experiments.kept_drawings import Drawings
    from experiments.lab import Lab


@dataclasses.dataclass(frozen=True, kw_only=True)
class SingleImageConfig(ExperimentConfig):
    num_photos: int = option("Held-out photos to draw, spread over all of them.", 3, at_least=2)
    long_side: int = option("Their longer side, in pixels.", 256, at_least=1)

    def __post_init__(self):
        super().__post_init__()
        least = SCALES[self.scale].crop_px  # of which squares are measured
        require(self, "long_side", self.long_side >= least, f"must be at least {least}, and better twice that")


def main(argv=None) -> int:
    return program.run(SingleImageConfig, lambda config, _: _compare(config), __doc__, argv)


def _compare(config: SingleImageConfig) -> None:
    program.start_tensorflow()
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from experiments import claims, figures
    from experiments.lab import Lab
    from experiments.style_images import StyleImages

    lab = Lab(config, long_side=config.long_side, max_photos=config.num_photos)
    run = lab.cartoongan()
    lab.train([run])
    with lab.computing():
        cartoons = StyleImages(lab.cartoon_files.training, config.long_side, config.vgg19_weights, config.seed)
    photos = lab.photos.pixels
    styles = {"image 1": [cartoons.most_alike(photo) for photo in photos]}
    styles["image 2"] = [cartoons.by_lot(number) for number in range(len(photos))]
    slow = _drawn(lab, styles)
    ways = {name: drawings.way() for name, drawings in slow.items()} | {"CartoonGAN": Cartoonizer.load(run.generator)}
    rows = {name: lab.timed(row, slow.get(name)) for name, row in lab.measure(ways).items()}
    lines = [
        [photo, *(cartoons[number] for cartoons in styles.values()), *(row.drawings[number] for row in rows.values())]
        for number, photo in enumerate(photos)
    ]
    figure = figures.figure(["input photo", *styles, *rows], lines)
    folder = lab.folder / "compare_single_image"
    times = [f"{name}: {drawings.secs_per_picture:.0f} s a picture.  " for name, drawings in slow.items()]
    claims.write(
        "experiments.compare_single_image", config, folder, lab.report(rows), figure, _claims(rows), [*times, ""]
    )


def _drawn(lab: "Lab", styles: dict[str, list]) -> "dict[str, Drawings]":
    from experiments.baselines.cnnmrf import CNNMRF
    from experiments.baselines.deep_analogy import DeepAnalogy
    from experiments.kept_drawings import Drawings

    config, photos, num_steps = lab.config, lab.photos.pixels, lab.scale.slow_steps
    with lab.computing():
        methods = {"CNNMRF": CNNMRF, "Deep Analogy": DeepAnalogy}
        methods = {name: method(config.vgg19_weights, config.seed) for name, method in methods.items()}

    def draw(method, pictures):
        return lambda number: method.draw(photos[number], pictures[number], num_steps)

    folder = lab.folder / "drawings"
    return {
        f"{name} ({which})": Drawings(
            folder / f"{name}-{which}".lower().replace(" ", "-"),
            photos,
            draw(method, pictures),
            lambda number, pictures=pictures: (pictures[number], *lab.shapes_drawings),
        )
        for name, method in methods.items()
        for which, pictures in styles.items()
    }


def _claims(rows: "dict[str, Row]") -> "list[Claim]":
    from experiments.claims import compare

    *others, cartoongan = rows.values()
    nearer = [
        compare(
            f"4.2: CartoonGAN is nearer to the cartoons than {other.name}", cartoongan, other, "kid_to_cartoons", "less"
        )
        for other in others
    ]
    return nearer + [
        compare(f"4.2: {other.name} has artifacts: less of the content", other, cartoongan, "content_distance", "more")
        for other in others
    ]


if __name__ == "__main__":
    sys.exit(main())
