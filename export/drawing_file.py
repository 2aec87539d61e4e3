"""The .tflite file beside a .keras file, with which `cartoonize` draws without TensorFlow."""

from pathlib import Path

import keras

from cartoongan_tf import __version__
from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError, first_line
from cartoongan_tf.inference.tflite_facts import find_beside, keras_sha256
from cartoongan_tf.inference.tflite_model import TFLiteGenerator
from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.models.layer_graph import layer_graph, norms
from export import parity, tflite
from export.reference import Reference
from export.tflite_metadata import Metadata

PRECISION = "fp32"
_NUM_PHOTOS = 2
_LONG_SIDE_PX = 128


def write_beside(keras_path: Path) -> Path:
    """Convert a generator to the .tflite file of the same name, compare it with Keras, and write it.

    A file that was made of the same generator stays as it is, unless it lacks the signature for films.

    Args:
      keras_path: a .keras file, as training writes it.

    Returns:
      path of the .tflite file.

    Raises:
      InputError: the .keras file cannot be used or converted or has changed meanwhile, or the result differs from it by
        more than the budget of fp32 files.
      OSError: the file cannot be written.
    """
    generator = load_generator(keras_path)
    if (path := find_beside(keras_path)) and _is_complete(path, generator):
        return path
    sha256 = keras_sha256(keras_path)
    path = keras_path.with_suffix(".tflite")
    texts = Metadata(path.stem, version=f"cartoongan-tf {__version__}", keras_sha256=sha256)
    try:
        content = tflite.convert(generator, PRECISION, texts)
    except Exception as error:  # the type depends on the layer that cannot be converted
        raise InputError(f"{path}: not written: {keras_path} cannot be converted ({first_line(error)})") from error
    reference = Reference(generator, parity.read_photos(max_photos=_NUM_PHOTOS, long_side=_LONG_SIDE_PX))
    psnr_db = reference.compare_tflite(TFLiteGenerator(content, path)).psnr_db
    if not psnr_db >= tflite.FP32_BUDGET_DB:
        raise InputError(
            f"{path}: not written: its cartoons have {psnr_db:.1f} dB of those of {keras_path.name}, below the budget "
            f"of {tflite.FP32_BUDGET_DB:.0f}; {keras_path.name} draws with TensorFlow"
        )
    if keras_sha256(keras_path) != sha256:
        raise InputError(f"{path}: not written: {keras_path} has changed meanwhile; give the same command again")
    with atomic.replacing(path) as temporary:
        temporary.write_bytes(content)
    return path


def _is_complete(path: Path, generator: keras.Model) -> bool:
    """Return whether a .tflite file can draw films of the generator, too; those of earlier versions cannot."""
    return not norms(layer_graph(generator)) or TFLiteGenerator.load(path).no_statistics is not None
