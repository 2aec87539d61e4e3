"""Figure 8: CartoonGAN beside CNNMRF and Deep Analogy, which take one style picture.

    python -m experiments.compare_single_image --photos_dir=photos --cartoons_dir=frames --output_dir=reproduction

Each of the two methods draws every photo twice: with the cartoon most like it in content (image 1), and with a random
one (image 2). About 20 minutes at --scale=cpu on 2 cores with bfloat16 instructions; half of that is the training of
CartoonGAN, unless it is complete already. Results are in OUTPUT_DIR/compare_single_image: figure.jpg, report.md (times,
claims, table) and evaluation.json.
"""

import dataclasses
import sys
from typing import TYPE_CHECKING, Protocol

from cartoongan_tf.base import program
from cartoongan_tf.base.options import option, require
from experiments.config import SCALES, ExperimentConfig

if TYPE_CHECKING:
    import numpy as np

    from cartoongan_tf.evaluation.rows import Row
    from experiments.claims import Claim
    from experiments.kept_drawings import Drawings
    from experiments.lab import Lab


class _StyleMethod(Protocol):
    """A method that draws a photo in the style of one picture."""

    def draw(self, photo: "np.ndarray", style: "np.ndarray", num_steps: int) -> "np.ndarray": ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class SingleImageConfig(ExperimentConfig):
    num_photos: int = option("Number of held-out photos to cartoonize, spread over all of them.", 3, at_least=2)
    long_side: int = option("Longer side of these photos, in pixels.", 256, at_least=1)

    def __post_init__(self):
        super().__post_init__()
        crop_px = SCALES[self.scale].crop_px
        require(self, "long_side", self.long_side >= crop_px, f"must be at least {crop_px}, preferably twice that")


def main(argv=None) -> int:
    return program.run(SingleImageConfig, lambda config, _: _compare(config), __doc__, argv)


def _compare(config: SingleImageConfig) -> None:
    program.start_tensorflow()
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from experiments import claims
    from experiments.lab import Lab

    lab = Lab.open(config, long_side=config.long_side, max_photos=config.num_photos)
    run = lab.cartoongan()
    lab.train([run])
    styles = _style_pictures(lab)
    drawings = _make_drawings(lab, styles)
    methods = {name: kept.draw for name, kept in drawings.items()}
    rows = lab.measure(methods | {"CartoonGAN": Cartoonizer.load(run.generator)})
    for name, kept in drawings.items():
        rows[name] = lab.with_drawing_time(rows[name], kept)
    claims.write(
        "experiments.compare_single_image",
        config,
        lab.folder / "compare_single_image",
        lab.report(rows),
        _figure(lab, styles, rows),
        paper_claims(rows),
        [*(f"{name}: {kept.secs_per_picture:.0f} s a picture.  " for name, kept in drawings.items()), ""],
    )


def _style_pictures(lab: "Lab") -> "dict[str, list[np.ndarray]]":
    """Choose the style pictures of all photos: the most similar cartoons, and random ones."""
    from experiments.style_images import StyleImages

    config = lab.config
    with lab.computing():
        cartoons = StyleImages.read(lab.cartoon_files.training, lab.long_side, config.vgg19_weights, config.seed)
    photos = lab.photos.pixels
    return {
        "image 1": [cartoons.most_alike(photo) for photo in photos],
        "image 2": [cartoons.random(number) for number in range(len(photos))],
    }


def _make_drawings(lab: "Lab", styles: "dict[str, list[np.ndarray]]") -> "dict[str, Drawings]":
    """Draw all photos by each method with each choice of style pictures."""
    from experiments.baselines.cnnmrf import CNNMRF
    from experiments.baselines.deep_analogy import DeepAnalogy

    config = lab.config
    with lab.computing():
        methods: dict[str, _StyleMethod] = {
            "CNNMRF": CNNMRF.load(config.vgg19_weights, config.seed),
            "Deep Analogy": DeepAnalogy.load(config.vgg19_weights, config.seed),
        }
    drawings = {}
    for name, method in methods.items():
        for choice, style_pictures in styles.items():
            folder = f"{name}-{choice}".lower().replace(" ", "-")
            drawings[f"{name} ({choice})"] = _draw_photos(lab, method, style_pictures, folder)
    return drawings


def _draw_photos(lab: "Lab", method: _StyleMethod, style_pictures: "list[np.ndarray]", folder: str) -> "Drawings":
    from experiments.kept_drawings import Drawings

    photos = lab.photos.pixels
    return Drawings.make(
        lab.folder / "drawings" / folder,
        photos,
        draw=lambda number: method.draw(photos[number], style_pictures[number], lab.scale.slow_steps),
        shaped_by=lambda number: (style_pictures[number], *lab.shapes_drawings),
    )


def _figure(lab: "Lab", styles: "dict[str, list[np.ndarray]]", rows: "dict[str, Row]") -> "np.ndarray":
    from experiments import figures

    lines = []
    for number, photo in enumerate(lab.photos.pixels):
        style_pictures = [pictures[number] for pictures in styles.values()]
        drawings = [row.drawings[number] for row in rows.values()]
        lines.append([photo, *style_pictures, *drawings])
    return figures.figure(["input photo", *styles, *rows], lines)


def paper_claims(rows: "dict[str, Row]") -> "list[Claim]":
    """Return the claims about CartoonGAN, the last row, against each of the other methods."""
    from experiments.claims import compare

    *others, cartoongan = rows.values()
    claims = []
    for other in others:
        text = f"4.2: CartoonGAN is nearer to the cartoons than {other.name}"
        claims.append(compare(text, cartoongan, other, "kid_to_cartoons", "less"))
    for other in others:
        text = f"4.2: {other.name} has artifacts: less of the content"
        claims.append(compare(text, other, cartoongan, "content_distance", "more"))
    return claims


if __name__ == "__main__":
    sys.exit(main())
