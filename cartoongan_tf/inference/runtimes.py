"""The runtimes of a trained generator: a Keras file, a SavedModel or a TFLite file.

Every runtime runs pictures in one piece. A TFLite file needs no TensorFlow, which takes seconds to start, so the one
beside a Keras file is used for all that it can do.
"""

import sys
from pathlib import Path

from tqdm import tqdm

from cartoongan_tf.base import machine, program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.paired_runtime import PairedRuntime
from cartoongan_tf.inference.runtime import Runtime
from cartoongan_tf.inference.tflite_facts import find_beside
from cartoongan_tf.inference.tflite_runtime import TFLiteRuntime


def load_runtime(path: Path) -> Runtime:
    """Load a model file or folder into the runtime for its kind.

    Raises:
      InputError: the path is no model, or none that can be used.
    """
    if path.is_dir():
        program.start_tensorflow()
        from cartoongan_tf.inference.saved_model_runtime import SavedModelRuntime

        return SavedModelRuntime.load(path)
    if path.suffix == ".tflite":
        return TFLiteRuntime.load(path)
    if path.suffix == ".keras":
        return _load_keras_file(path)
    raise InputError(
        f"{path}: not a model; give a .keras file (import_weights makes one of a .pth), a .tflite file or a "
        "SavedModel folder"
    )


def _load_keras_file(path: Path) -> Runtime:
    # TensorFlow alone computes on a GPU, which is worth its start.
    uses_gpu = machine.has_nvidia_gpu() and program.has_tensorflow()
    beside = None if uses_gpu else find_beside(path)
    if beside is None:
        return _load_keras(path)
    runtime = TFLiteRuntime.load(beside)
    if runtime.has_bands:
        return runtime
    # A file from before the signature for films would let films of a generator with norms flicker.
    if runtime.has_statistics:
        return PairedRuntime(runtime, path, _load_keras)
    tqdm.write(f"{beside}: from an earlier version; python -m export.write_tflite renews it", file=sys.stderr)
    return _load_keras(path)


def _load_keras(path: Path) -> Runtime:
    program.start_tensorflow()
    from cartoongan_tf.inference.keras_runtime import KerasRuntime

    return KerasRuntime.load(path)
