"""Several models under their names, as --model lists them: NAME=MODEL,NAME=MODEL."""

from pathlib import Path

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.cartoonizer import Cartoonizer


def load_named_models(text: str) -> dict[str, Cartoonizer]:
    """Load all models that --model lists.

    Args:
      text: models as `Cartoonizer.load` takes them, separated by commas. NAME=MODEL names one; the others are named as
        their file, their folder, or the style.

    Returns:
      the models by name, in order; empty for "".

    Raises:
      InputError: a model cannot be loaded, or two have the same name.
    """
    models: dict[str, Cartoonizer] = {}
    for name, model in parse_named_models(text, "--model").items():
        try:
            models[name] = Cartoonizer.load(model)
        except InputError as error:
            raise InputError(f"--model={model}: {error}") from error
    return models


def parse_named_models(text: str, flag: str) -> dict[str, str]:
    """Return the models that a flag lists, by their names; see `load_named_models`.

    Raises:
      InputError: two have the same name.
    """
    models: dict[str, str] = {}
    for entry in filter(None, text.split(",")):
        name, equals, model = entry.partition("=")
        if not equals or Path(entry).exists():
            name = _default_name(Path(entry))
            model = entry
        if name in models:
            raise InputError(f"{flag}={text}: two are called {name}; give them names: NAME=MODEL,NAME=MODEL")
        models[name] = model
    return models


def _default_name(path: Path) -> str:
    """Return the name of a model's file; of a run's generator or of a numbered version, the name of its folder."""
    is_named_by_folder = path.stem == "generator" or path.name.isdecimal()
    return path.absolute().parent.name if is_named_by_folder else path.stem
