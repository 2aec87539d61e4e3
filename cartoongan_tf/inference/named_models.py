"""Several models under their names, as --model lists them: NAME=MODEL,NAME=MODEL."""

from pathlib import Path

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.cartoonizer import Cartoonizer


def load_named_models(text: str) -> dict[str, Cartoonizer]:
    """Load all models that --model lists.

    Args:
      text: models as `Cartoonizer.load` takes them, separated by commas; NAME=MODEL names one, others have the name of
        their file, or of their folder, or of the style.

    Returns:
      them by their names, in order; none of "".

    Raises:
      InputError: one cannot be loaded, or two have the same name.
    """
    models = {}
    for each in filter(None, text.split(",")):
        name, equals, path = each.partition("=")
        if not equals or Path(each).exists():
            name, path = _name_of(Path(each)), each
        if name in models:
            raise InputError(f"--model={text}: two are called {name}; give them names: NAME=MODEL,NAME=MODEL")
        try:
            models[name] = Cartoonizer.load(path)
        except InputError as error:
            raise InputError(f"--model={each}: {error}") from error
    return models


def _name_of(path: Path) -> str:
    """What tells one model from others: a run's or a version's generator is named by its folder."""
    return path.absolute().parent.name if path.stem == "generator" or path.name.isdecimal() else path.stem
