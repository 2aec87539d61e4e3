"""A generator as a SavedModel that TensorFlow Serving runs."""

import os
from pathlib import Path

import keras
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from export.serving.facts import DEFAULT, EACH, ENCODED, JPEG, MAX_PIXELS, MAX_VERSION, STYLED
from export.serving.requests import predict_request, write_warmup
from export.serving.signatures import signatures

_WARMUP_LONG_SIDE_PX = 128  # what a server prepares does not depend on the size


def version_dir(base_dir: str | os.PathLike, version: int = 0) -> Path:
    """Return the folder for a new version of a served model.

    Args:
      base_dir: TensorFlow Serving's base path of the model; versions are folders 1, 2 ... in it.
      version: number of the version, at least 1; 0: the one after the existing versions.

    Raises:
      InputError: that version already exists.
    """
    base_dir = Path(base_dir)
    names = [path.name for path in base_dir.iterdir()] if base_dir.is_dir() else []
    existing = [int(name) for name in names if name.isdecimal() and int(name) < MAX_VERSION]
    version = version or max(existing, default=0) + 1
    if str(version) in names:
        raise InputError(
            f"{base_dir / str(version)}: already exists, and a server may be serving it; remove --model_version to use "
            "the next number"
        )
    return base_dir / str(version)


def write_version(
    generator: keras.Model,
    folder: str | os.PathLike,
    model_name: str,
    photo: np.ndarray,
    max_pixels: int = MAX_PIXELS,
    drawing_size: int = 0,
) -> None:
    """Write a SavedModel with all signatures and warm-up requests.

    Args:
      generator: a model from `build_generator`.
      folder: the folder to create.
      model_name: the model's name on the server.
      photo: photo for the warm-up requests; uint8 RGB [H, W, 3].
      max_pixels, drawing_size: as in `FileDrawer`.
    """
    # Only untracked endpoints run in the C++ server and also store every weight once. tf.saved_model.save of a Keras 3
    # model loses its variables in the server, and a tracked model is written twice.
    archive = keras.export.ExportArchive()
    for name, signature in signatures(generator, max_pixels, drawing_size).items():
        archive.add_endpoint(name, signature.function, input_signature=signature.inputs)
    archive.write_out(os.fspath(folder), verbose=False)
    requests = [predict_request(model_name, name, inputs) for name, inputs in warmup_inputs(photo).items()]
    write_warmup(folder, requests)


def warmup_inputs(photo: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Return the inputs of a warm-up request for each signature, made from one photo, uint8 RGB [H, W, 3]."""
    photo = pictures.shrink(photo, _WARMUP_LONG_SIDE_PX)
    jpeg = pictures.encode(pictures.Picture([photo]), ".jpg")
    image_bytes = np.array([jpeg], object)
    encoded = {"image_bytes": image_bytes}
    long_side = np.array([max(photo.shape) // 2], np.int32)
    styled = {**encoded, "strength": np.array([0.8], np.float32), "long_side": long_side}
    each = {**styled, "keep_colors": np.array([True]), "format": np.array([JPEG], object)}
    return {DEFAULT: {"image": photo[np.newaxis]}, ENCODED: encoded, STYLED: styled, EACH: each}
