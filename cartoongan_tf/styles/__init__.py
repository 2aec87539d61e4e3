"""The styles that come with the package, each a folder of generator.keras, model_card.md and a one-line license.txt.

A model card begins with the style's facts, between two lines of three dashes: `drawing_size: 800`.
"""

import dataclasses
import os
from pathlib import Path

from cartoongan_tf.base.errors import InputError

DEFAULT = "ink"  # used where no model is named
FOLDER = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Style:
    """A trained generator under a name.

    Attributes:
      name: name for --model.
      generator: path of its .keras file.
      description: the first line of its model card, without Markdown marks.
      license: licence of the weights with the required attribution; written into every export.
      drawing_size: longer side, in pixels, at which larger pictures are drawn.
    """

    name: str
    generator: Path
    description: str
    license: str
    drawing_size: int


def all_styles() -> dict[str, Style]:
    """Return the styles by name, in alphabetical order."""
    folders = sorted(file.parent for file in FOLDER.glob("*/generator.keras"))
    return {folder.name: _read_style(folder) for folder in folders}


def find_model(model: str | os.PathLike) -> Path:
    """Return the path of a model: the generator of a style, or the path itself.

    Args:
      model: name of a style, or a path; ./NAME is always a path.

    Raises:
      InputError: there is no such style and no such path.
    """
    styles = all_styles()
    if str(model) in styles:
        return styles[str(model)].generator
    if Path(model).exists():
        return Path(model)
    raise InputError(
        f"{model}: no such file, and no style that comes with this ({', '.join(styles)}); training writes "
        "RUN_DIR/generator.keras, and cartoonize --list_styles describes the styles"
    )


def drawing_size(model: str | os.PathLike) -> int:
    """Return the longer side, in pixels, at which a model draws larger pictures: a style's own; 0 for other models."""
    style = all_styles().get(str(model))
    return style.drawing_size if style else 0


def _read_style(folder: Path) -> Style:
    _, facts, text = (folder / "model_card.md").read_text(encoding="utf-8").split("---\n", 2)
    fact = dict(line.split(": ", 1) for line in facts.splitlines())
    return Style(
        name=folder.name,
        generator=folder / "generator.keras",
        description=_first_line(text).strip("# "),
        license=_first_line((folder / "license.txt").read_text(encoding="utf-8")),
        drawing_size=int(fact["drawing_size"]),
    )


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
