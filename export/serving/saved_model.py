"""A generator as a SavedModel that TensorFlow Serving runs."""

import os
from pathlib import Path

import keras
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from export.serving.facts import DEFAULT, ENCODED, MAX_PIXELS, MAX_VERSION, STYLED
from export.serving.requests import predict_request, write_warmup
from export.serving.signatures import signatures


def version_dir(base_dir: str | os.PathLike, version: int = 0) -> Path:
    """The folder for a version of a served model.

    Args:
      base_dir: TensorFlow Serving's base path of the model; versions are folders 1, 2 ... in it.
      version: from 1 up; 0: the one after those that are there.

    Raises:
      InputError: that version is there already.
    """
    base_dir = Path(base_dir)
    names = [path.name for path in base_dir.iterdir()] if base_dir.is_dir() else []
    there = [int(name) for name in names if name.isdecimal() and int(name) < MAX_VERSION]
    version = version or max(there, default=0) + 1
    if str(version) in names:
        raise InputError(
            f"{base_dir / str(version)}: there already, and a server may be serving it; leave out --model_version for "
            "the next number"
        )
    return base_dir / str(version)


def write_version(
    generator: keras.Model,
    folder: str | os.PathLike,
    model_name: str,
    photo: np.ndarray,
    max_pixels: int = MAX_PIXELS,
) -> None:
    """Write a SavedModel with all signatures, and the requests that a server warms it up with.

    Args:
      generator: of `build_generator`.
      folder: to write; made anew.
      model_name: as the server calls it.
      photo: for the warm-up; uint8 RGB [H, W, 3].
      max_pixels: see `signatures`.
    """
    # Only untracked endpoints both run in the C++ server and hold every weight once: tf.saved_model.save of a Keras 3
    # model loses its variables there, and a tracked model is written twice.
    archive = keras.export.ExportArchive()
    for name, signature in signatures(generator, max_pixels).items():
        archive.add_endpoint(name, signature.function, input_signature=signature.inputs)
    archive.write_out(os.fspath(folder), verbose=False)
    inputs = warmup_inputs(photo)
    write_warmup(folder, [predict_request(model_name, name, values) for name, values in inputs.items()])


def warmup_inputs(photo: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """What each signature is asked to warm up, by its name: one photo, uint8 RGB [H, W, 3]."""
    image_bytes = np.array([pictures.encode(pictures.Picture([photo]), ".jpg")], object)
    taste = {"strength": np.array([0.8], np.float32), "long_side": np.array([max(photo.shape) // 2], np.int32)}
    return {
        DEFAULT: {"image": photo[np.newaxis]},
        ENCODED: {"image_bytes": image_bytes},
        STYLED: {"image_bytes": image_bytes, **taste},
    }
