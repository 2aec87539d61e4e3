"""The folder of served models: models.config for the server, and a README for whoever calls it."""

import os
import re
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from cartoongan_tf.base.errors import InputError
from export.serving.facts import DECODED_FACTOR

CONFIG, README = "models.config", "README.md"
MOUNTED_AT = "/models"  # where the README's command shows the folder to the server
_TEMPLATE = Path(__file__).with_name("readme.md")


def models(folder: str | os.PathLike) -> list[str]:
    """The names of the models in a folder."""
    versions = (path.parent for path in Path(folder).glob("*/*/saved_model.pb"))
    return sorted({path.parent.name for path in versions if path.name.isdecimal() and path.parent.name[0] != "."})


def config_text(names: list[str]) -> str:
    """The content of models.config, for a server that sees the folder as /models; the server's parser can read it.

    Raises:
      InputError: it cannot, which is a fault of ours.
    """
    config = model_server_config_pb2.ModelServerConfig()
    for name in names:
        config.model_config_list.config.add(name=name, base_path=f"{MOUNTED_AT}/{name}", model_platform="tensorflow")
    text = text_format.MessageToString(config)
    if parse_config(text, CONFIG) != names:
        raise InputError(f"{CONFIG}: a server would not read these models in it: {', '.join(names)}")
    return text


def parse_config(text: str, name: str | os.PathLike) -> list[str]:
    """The names of the models in the text of a models.config, parsed as the server does; `name` is for errors.

    Raises:
      InputError: it cannot be parsed.
    """
    try:
        config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        raise InputError(f"{name}: a server cannot read it ({error}); export anew") from error
    return [model.name for model in config.model_config_list.config]


def readme_text(name: str, names: list[str], max_pixels: int, bytes_per_pixel: float, one_thread_pixels: float) -> str:
    """How to serve and to call the models in a folder.

    Args:
      name: of the model in the examples.
      names: of all models.
      max_pixels: that it draws at once.
      bytes_per_pixel: that a picture takes while it is drawn.
      one_thread_pixels: from which on a server of one thread, on a processor without AVX-512, is slow.
    """
    values = {
        "name": name,
        "names": ", ".join(names),
        "max_pixels": f"{max_pixels:,}",
        "decoded_pixels": f"{DECODED_FACTOR * max_pixels:,}",
        "gigabytes": f"{max_pixels * bytes_per_pixel / 1e9:.1f}",
        "one_thread_megapixels": f"{one_thread_pixels / 1e6:.1f}",
        "megabytes_per_megapixel": f"{bytes_per_pixel:,.0f}",
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], _TEMPLATE.read_text(encoding="utf-8"))
