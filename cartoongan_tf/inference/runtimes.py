"""The runtimes of a trained generator: a Keras file, a SavedModel or a TFLite file.

Every runtime runs pictures in one piece. The Keras file alone gives access to the layers, so that it can also run
large pictures in bands, and films with statistics averaged over time.
"""

from pathlib import Path

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.keras_runtime import KerasRuntime
from cartoongan_tf.inference.runtime import Runtime
from cartoongan_tf.inference.saved_model_runtime import SavedModelRuntime


def load_runtime(path: Path) -> Runtime:
    """Load a model file or folder into the runtime for its kind.

    Raises:
      InputError: the path is no model, or none that can be used.
    """
    if path.is_dir():
        return SavedModelRuntime.load(path)
    if path.suffix == ".tflite":
        from cartoongan_tf.inference.tflite_runtime import TFLiteRuntime  # imports its interpreter

        return TFLiteRuntime.load(path)
    if path.suffix == ".keras":
        return KerasRuntime.load(path)
    raise InputError(
        f"{path}: not a model; give a .keras file (import_weights makes one of a .pth), a .tflite file or a "
        "SavedModel folder"
    )
