"""The runtime of a SavedModel folder."""

from pathlib import Path
from typing import Any

import numpy as np

from cartoongan_tf.base.errors import InputError, assertion_text, first_line
from cartoongan_tf.inference.runtime import Runtime, device_memory_errors, first_layer_values


class SavedModelRuntime(Runtime):
    """A generator from a SavedModel folder, as the exporter writes it."""

    name = "a SavedModel"

    def __init__(self, folder: Path, model: Any, signature: Any):
        """
        Args:
          folder: folder of the model, for messages.
          model: the loaded SavedModel; kept because a signature does not keep its variables alive.
          signature: its serving_default.
        """
        self._folder = folder
        self._model = model
        self._signature = signature
        self.values_per_pixel = first_layer_values([variable.shape for variable in signature.variables])

    @classmethod
    def load(cls, path: Path) -> "SavedModelRuntime":
        """Load a SavedModel folder, or the newest of the numbered versions in a folder.

        Raises:
          InputError: the folder holds no SavedModel, or none that turns images into cartoons.
        """
        import tensorflow as tf

        folder = _newest_version(path)
        try:
            model = tf.saved_model.load(str(folder))
            signature = model.signatures["serving_default"]
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            raise InputError(f"{folder}: a SavedModel that cannot be used ({first_line(error)})") from error
        inputs = signature.structured_input_signature[1]
        outputs = signature.structured_outputs
        if "image" not in inputs or "cartoon" not in outputs:
            raise InputError(f"{folder}: its serving_default does not take `image` and give `cartoon`; export it again")
        return cls(folder, model, signature)

    def draw(self, image: np.ndarray) -> np.ndarray:
        # One by one: the model's limit on pixels counts all pictures of a call.
        return np.concatenate([self._draw_one(picture[np.newaxis]) for picture in image])

    def _draw_one(self, image: np.ndarray) -> np.ndarray:
        import tensorflow as tf

        try:
            with device_memory_errors():
                return self._signature(image=tf.constant(image))["cartoon"].numpy()
        except tf.errors.InvalidArgumentError as error:
            raise InputError(
                f"{self._folder}: {assertion_text(error.message)}; --long_side does that, and the .keras file has "
                "no limit"
            ) from error


def _newest_version(folder: Path) -> Path:
    """Return the folder itself, or the highest numbered version in the base folder that a server polls."""
    if (folder / "saved_model.pb").is_file():
        return folder
    folders = [path.parent for path in folder.glob("*/saved_model.pb")]
    versions = [path for path in folders if path.name.isdecimal()]
    if not versions:
        raise InputError(f"{folder}: no saved_model.pb in it, nor in a numbered folder below it")
    return max(versions, key=lambda version: int(version.name))
