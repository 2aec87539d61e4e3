"""The styles that come with the package, a folder each: generator.keras, model_card.md and license.txt, one line."""

import dataclasses
import os
from pathlib import Path

from cartoongan_tf.base.errors import InputError

DEFAULT = "pepper"  # what draws where no model is named
_FOLDER = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Style:
    """A trained generator under a name.

    Attributes:
      name: as --model takes it.
      generator: its .keras file.
      description: the first line of its model card, without marks.
      license: of the weights, with whom to name; goes with every export.
    """

    name: str
    generator: Path
    description: str
    license: str


def all_styles() -> dict[str, Style]:
    """The styles by their names, in alphabetical order."""
    folders = sorted(file.parent for file in _FOLDER.glob("*/generator.keras"))
    return {
        folder.name: Style(
            folder.name,
            folder / "generator.keras",
            _first_line(folder / "model_card.md").strip("# "),
            _first_line(folder / "license.txt"),
        )
        for folder in folders
    }


def find_model(model: str | os.PathLike) -> Path:
    """Where a model is: the generator of the style of that name, or else the path itself; ./NAME is always a path.

    Raises:
      InputError: it is neither.
    """
    found = all_styles()
    if str(model) in found:
        return found[str(model)].generator
    if Path(model).exists():
        return Path(model)
    raise InputError(
        f"{model}: no such file, and no style that comes with this ({', '.join(found)}); training writes "
        "RUN_DIR/generator.keras, and cartoonize --list_styles tells of the styles"
    )


def _first_line(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0]
