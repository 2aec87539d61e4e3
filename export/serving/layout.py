"""The folder of served models: models.config for the server, and a README for its users."""

import os
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from cartoongan_tf.base.errors import InputError
from export import templates
from export.serving.deployment.server import FLAGS, IMAGE, NUM_CPUS, NUM_REQUESTS, Sizing
from export.serving.facts import CONFIG, DECODED_FACTOR, METRICS_PATH, MOUNTED_AT

README = "README.md"
_TEMPLATE = Path(__file__).with_name("readme.md")


def models(folder: str | os.PathLike) -> list[str]:
    """List the models in a folder that have a complete version."""
    names = set()
    for path in Path(folder).glob("*/*/saved_model.pb"):
        version_dir = path.parent
        model_dir = version_dir.parent
        if version_dir.name.isdecimal() and not model_dir.name.startswith("."):
            names.add(model_dir.name)
    return sorted(names)


def config_text(names: list[str]) -> str:
    """Return the content of models.config, for a server that has the folder mounted at /models.

    Raises:
      InputError: the server's parser could not read it, which is a bug.
    """
    config = model_server_config_pb2.ModelServerConfig()
    for name in names:
        config.model_config_list.config.add(name=name, base_path=f"{MOUNTED_AT}/{name}", model_platform="tensorflow")
    text = text_format.MessageToString(config)
    if parse_config(text, CONFIG) != names:
        raise InputError(f"{CONFIG}: a server would not find these models in it: {', '.join(names)}")
    return text


def parse_config(text: str, name: str | os.PathLike) -> list[str]:
    """Return the names of the models in a models.config, parsed as the server does.

    Args:
      text: content of the file.
      name: name of the file in errors.

    Raises:
      InputError: the text cannot be parsed.
    """
    try:
        config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        raise InputError(f"{name}: a server cannot read it ({error}); run the export again") from error
    return [model.name for model in config.model_config_list.config]


def readme_text(
    name: str,
    names: list[str],
    max_pixels: int,
    drawing_size: int,
    bytes_per_pixel: float,
    one_thread_pixels: float,
) -> str:
    """Return a README that explains how to serve and to call the models in a folder.

    Args:
      name: name of the model in the examples.
      names: names of all models.
      max_pixels, drawing_size: as in `FileDrawer`.
      bytes_per_pixel: memory that a picture takes while it is cartoonized.
      one_thread_pixels: picture size from which a server with one thread is slow, on a processor without AVX-512.
    """
    sizing = Sizing(max_pixels, drawing_size, bytes_per_pixel)
    values = {
        "name": name,
        "names": ", ".join(names),
        "cpus": str(NUM_CPUS),
        "decoded_pixels": f"{DECODED_FACTOR * max_pixels:,}",
        "drawing_size": f"{drawing_size} pixels"
        if drawing_size
        else "the picture's own, as far as the limit below goes",
        "flags": " \\\n  ".join(FLAGS),
        "gigabytes": f"{sizing.largest_bytes / 1e9:.1f}",
        "image": IMAGE,
        "max_pixels": f"{max_pixels:,}",
        "megabytes_per_megapixel": f"{bytes_per_pixel:,.0f}",
        "metrics_path": METRICS_PATH,
        "most_gigabytes": f"{sizing.most_bytes / 1e9:.1f}",
        "mounted_at": MOUNTED_AT,
        "num_requests": str(NUM_REQUESTS),
        "one_thread_megapixels": f"{one_thread_pixels / 1e6:.1f}",
        "requested_gigabytes": f"{sizing.requested_bytes / 1e9:.1f}",
        "usual_gigabytes": f"{sizing.usual_bytes / 1e9:.1f}",
    }
    return templates.fill(_TEMPLATE, **values)
