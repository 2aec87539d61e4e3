"""The styles that come with the package: each a folder with generator.keras and model_card.md, who made it of what."""

import dataclasses
from pathlib import Path

_FOLDER = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Style:
    """A trained generator under a name.

    Attributes:
      name: as --model takes it.
      generator: its .keras file.
      description: the first line of its model card, without marks.
    """

    name: str
    generator: Path
    description: str


def all_styles() -> dict[str, Style]:
    """The styles by their names, in alphabetical order."""
    files = sorted(_FOLDER.glob("*/generator.keras"))
    return {file.parent.name: Style(file.parent.name, file, _first_line(file.parent)) for file in files}


def _first_line(folder: Path) -> str:
    text = (folder / "model_card.md").read_text(encoding="utf-8")
    return text.partition("\n")[0].strip("# ")
