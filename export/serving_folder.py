"""The folder of served models: models.config for the server, and a README for whoever calls it."""

import os
import re
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from cartoongan_tf import atomic
from cartoongan_tf.errors import InputError
from export.signatures import DECODED_FACTOR

CONFIG, README = "models.config", "README.md"
MOUNTED_AT = "/models"  # where the README's command shows the folder to the server
_TEMPLATE = Path(__file__).with_name("serving_readme.md")


def write_config(folder: str | os.PathLike) -> list[str]:
    """Write models.config: every model in a folder, for a server that sees the folder as /models.

    Returns:
      the models' names.

    Raises:
      InputError: what was written cannot be read by the server's own parser, which is a fault of ours.
    """
    config = model_server_config_pb2.ModelServerConfig()
    for name in _models(Path(folder)):
        config.model_config_list.config.add(name=name, base_path=f"{MOUNTED_AT}/{name}", model_platform="tensorflow")
    path = Path(folder) / CONFIG
    with atomic.replacing(path) as temporary:
        temporary.write_text(text_format.MessageToString(config), encoding="utf-8")
    return read_config(path)


def read_config(path: str | os.PathLike) -> list[str]:
    """The names of the models in a models.config, parsed as the server does.

    Raises:
      InputError: it cannot be parsed.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        raise InputError(f"{path}: a server cannot read it ({error}); export anew") from error
    return [model.name for model in config.model_config_list.config]


def write_readme(folder: str | os.PathLike, name: str, max_pixels: int, bytes_per_pixel: float) -> None:
    """Write how to serve and to call the models in a folder.

    Args:
      folder: of the models.
      name: of the model in the examples.
      max_pixels: that it draws at once.
      bytes_per_pixel: that a picture takes while it is drawn.
    """
    values = {
        "name": name,
        "max_pixels": f"{max_pixels:,}",
        "decoded_pixels": f"{DECODED_FACTOR * max_pixels:,}",
        "gigabytes": f"{max_pixels * bytes_per_pixel / 1e9:.1f}",
        "megabytes_per_megapixel": f"{bytes_per_pixel:,.0f}",
    }
    text = re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], _TEMPLATE.read_text(encoding="utf-8"))
    with atomic.replacing(Path(folder) / README) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _models(folder: Path) -> list[str]:
    versions = (path.parent for path in folder.glob("*/*/saved_model.pb"))
    return sorted(
        {path.parent.name for path in versions if path.name.isdecimal() and not path.parent.name.startswith(".")}
    )
