"""The styles that come with the package, each a folder of generator.keras, model_card.md and a one-line license.txt."""

import dataclasses
import os
from pathlib import Path

from cartoongan_tf.base.errors import InputError

DEFAULT = "pepper"  # used where no model is named
FOLDER = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Style:
    """A trained generator under a name.

    Attributes:
      name: name for --model.
      generator: path of its .keras file.
      description: the first line of its model card, without Markdown marks.
      license: licence of the weights with the required attribution; written into every export.
    """

    name: str
    generator: Path
    description: str
    license: str


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


def _read_style(folder: Path) -> Style:
    return Style(
        name=folder.name,
        generator=folder / "generator.keras",
        description=_first_line(folder / "model_card.md").strip("# "),
        license=_first_line(folder / "license.txt"),
    )


def _first_line(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0]
