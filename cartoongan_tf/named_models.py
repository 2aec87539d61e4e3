"""Several models under their names, as a flag lists them: NAME=MODEL,NAME=MODEL."""

from pathlib import Path

from cartoongan_tf.cartoonizer import Cartoonizer
from cartoongan_tf.errors import InputError


def load_named_models(text: str, flag: str = "model") -> dict[str, Cartoonizer]:
    """Load all models that a flag lists.

    Args:
      text: models as `Cartoonizer.load` takes them, separated by commas; NAME=MODEL names one, others have the name of
        their file, or of their folder, or of the style.
      flag: for the messages.

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
            raise InputError(f"--{flag}={text}: two are called {name}; give them names: NAME=MODEL,NAME=MODEL")
        try:
            models[name] = Cartoonizer.load(path)
        except InputError as error:
            raise InputError(f"--{flag}={each}: {error}") from error
    return models


def _name_of(path: Path) -> str:
    """What tells one model from others: a run's or a version's generator is named by its folder."""
    return path.absolute().parent.name if path.stem == "generator" or path.name.isdecimal() else path.stem
