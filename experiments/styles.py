"""Figure 5: the same photos in every available style: those bundled, trained here, and imported.

    python -m experiments.styles --photos_dir=photos --cartoons_dir=frames --output_dir=reproduction \
        --model=hayao=hayao.keras,runs/shinkai/generator.keras

The styles are the bundled ones, CartoonGAN if another experiment has trained it in the same --output_dir, and those of
--model. Nothing is trained; it takes three minutes at --scale=cpu. Results are in OUTPUT_DIR/styles: figure.jpg,
report.md and evaluation.json.
"""

import dataclasses
import sys
from typing import TYPE_CHECKING

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import option
from experiments.config import ExperimentConfig

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.rows import Row
    from experiments.claims import Claim


@dataclasses.dataclass(frozen=True, kw_only=True)
class StylesConfig(ExperimentConfig):
    model: str = option(
        "Further styles, separated by commas: .keras or .tflite files, SavedModel folders; NAME=MODEL names one.", ""
    )


def main(argv=None) -> int:
    return program.run(StylesConfig, lambda config, _: _styles(config), __doc__, argv)


def _styles(config: StylesConfig) -> None:
    program.start_tensorflow()
    from cartoongan_tf import styles
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from cartoongan_tf.inference.named_models import load_named_models
    from experiments import claims, figures
    from experiments.lab import Lab

    further = load_named_models(config.model)
    bundled = styles.all_styles()
    if taken := sorted(set(further) & set(bundled)):
        raise InputError(f"--model={config.model}: {taken[0]} is a bundled style; give yours another name: NAME=MODEL")
    lab = Lab.open(config)
    models = {name: Cartoonizer.load(style.generator) for name, style in bundled.items()}
    if trained := lab.trained():
        models["trained here"] = Cartoonizer.load(trained.generator)
    rows = lab.measure(models | further)
    claims.write(
        "experiments.styles",
        config,
        lab.folder / "styles",
        lab.report(rows),
        figures.of_rows(lab.photos.pixels, rows),
        paper_claims(list(rows.values())),
    )


def paper_claims(rows: "list[Row]") -> "list[Claim]":
    """Return the claims that styles differ from one another, by the colours that they give the same photos."""
    from experiments.claims import compare

    text = "4: each style is learned as its own: other colours from the same photos"
    return [compare(text, row, rows[0], "color_shift", "other") for row in rows[1:]]


if __name__ == "__main__":
    sys.exit(main())
