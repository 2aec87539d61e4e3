"""The file of a generator, generator.keras, which has its architecture and its weights."""

import os
import zipfile
from pathlib import Path

import keras

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models import layers as _layers  # noqa: F401  registers the layers of generator files


def save_generator(generator: keras.Model, path: str | os.PathLike) -> None:
    """Write a generator's architecture and weights to one .keras file, completely or not at all."""
    with atomic.replacing(path) as temporary:
        generator.save(temporary)


def load_generator(path: str | os.PathLike) -> keras.Model:
    """Read a generator that `save_generator` wrote.

    Raises:
      InputError: the file is missing, damaged, or holds another kind of model.
    """
    if Path(path).is_dir():
        raise InputError(f"{path}: a folder, where a .keras file was expected; training writes RUN_DIR/generator.keras")
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; training writes it as RUN_DIR/generator.keras at each checkpoint")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: damaged, or not a .keras file")
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # the type depends on where the file is damaged
        raise InputError(f"{path}: damaged, or not a generator of this project ({error})") from error
    if model.input_shape != (None, None, None, 3) or model.output_shape != (None, None, None, 3):
        raise InputError(
            f"{path}: a Keras model, but not a generator: it maps {model.input_shape} to {model.output_shape}"
        )
    return model
