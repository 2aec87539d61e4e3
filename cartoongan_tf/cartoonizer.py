"""`Cartoonizer`: one way to use a trained generator, whatever form its file has."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cartoongan_tf import pixels
from cartoongan_tf.errors import InputError


class Cartoonizer:
    """Draws pictures with a trained generator.

    cartoonizer = Cartoonizer.load("generator.keras")
    cartoon = cartoonizer(photo)
    """

    def __init__(self, draw: Callable[[np.ndarray], np.ndarray]):
        """
        Args:
          draw: uint8 RGB [1, H, W, 3], H and W from 1 up -> the same.
        """
        self._draw = draw

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Cartoonizer":
        """Load a generator.

        Args:
          path: a .keras file, a SavedModel folder (or its parent, whose newest version is taken), or a .tflite
            file, as training and the exporter write them.

        Raises:
          InputError: there is nothing at the path, or nothing that can be used.
        """
        path = Path(path)
        if not path.exists():
            raise InputError(f"{path}: no such model; training writes RUN_DIR/generator.keras")
        if path.is_dir():
            return cls(_load_saved_model(path))
        if path.suffix == ".tflite":
            return cls(_load_tflite(path))
        if path.suffix == ".keras":
            return cls(_load_keras(path))
        raise InputError(f"{path}: not a model; give a .keras file, a .tflite file or a SavedModel folder")

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Draw one picture.

        Args:
          picture: uint8 RGB [H, W, 3], H and W from 1 up.

        Returns:
          uint8 RGB [H, W, 3], of the same size.

        Raises:
          ValueError: the array has another shape or dtype.
        """
        picture = np.asarray(picture)
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
            raise ValueError(f"expected uint8 RGB [H, W, 3], got {picture.dtype} {list(picture.shape)}")
        return self._draw(picture[np.newaxis])[0]


def _load_keras(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    import tensorflow as tf

    from cartoongan_tf.checkpoints import load_generator

    generator = load_generator(path)
    signature = [tf.TensorSpec([None, None, None, 3], tf.uint8)]
    draw = tf.function(lambda image: pixels.cartoonize(generator, image), input_signature=signature)
    return lambda image: draw(image).numpy()


def _load_saved_model(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    import tensorflow as tf

    folder = _newest_version(folder)
    try:
        loaded = tf.saved_model.load(str(folder))
        draw = loaded.signatures["serving_default"]
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        raise InputError(f"{folder}: a SavedModel that cannot be used ({error})") from error
    if "image" not in draw.structured_input_signature[1] or "cartoon" not in draw.structured_outputs:
        raise InputError(f"{folder}: its serving_default does not take `image` and give `cartoon`; export it anew")

    def draw_loaded(image: np.ndarray) -> np.ndarray:
        return draw(image=tf.constant(image))["cartoon"].numpy()

    draw_loaded.keep_alive = loaded  # a signature alone does not keep its variables
    return draw_loaded


def _newest_version(folder: Path) -> Path:
    """The folder itself, or the highest numbered version in the base folder that a server polls."""
    if (folder / "saved_model.pb").is_file():
        return folder
    versions = [path.parent for path in folder.glob("*/saved_model.pb") if path.parent.name.isdecimal()]
    if not versions:
        raise InputError(f"{folder}: no saved_model.pb in it, nor in a numbered folder below it")
    return max(versions, key=lambda version: int(version.name))


def _load_tflite(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    from cartoongan_tf.tflite_model import load_tflite

    generate = load_tflite(path.read_bytes(), path)
    return lambda image: np.asarray(pixels.cartoonize(lambda photo: generate(np.asarray(photo)), image))
