"""A generator as a SavedModel that TensorFlow Serving runs."""

import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from cartoongan_tf import atomic, pixels
from cartoongan_tf.errors import InputError
from export import parity

SIGNATURE = "serving_default"


def export_saved_model(generator: keras.Model, base_dir: str | os.PathLike) -> Path:
    """Write the next version of a served model, checked as the server runs it.

    Its signature `serving_default` takes `image`, uint8 RGB [N, H, W, 3] with H and W from 1 up, and gives
    `cartoon`, uint8 RGB of the same size.

    Args:
      generator: of `build_generator`.
      base_dir: TensorFlow Serving's base path of this model; versions are folders 1, 2 ... in it.

    Returns:
      the version's folder. A server that polls the base path never sees it half-written.

    Raises:
      InputError: the exported model draws other pictures than Keras does.
    """
    version_dir = Path(base_dir) / str(_next_version(Path(base_dir)))
    with atomic.replacing(version_dir) as temporary:
        _write(generator, temporary)
        _check(generator, temporary, str(version_dir))
    return version_dir


def _next_version(base_dir: Path) -> int:
    if not base_dir.is_dir():
        return 1
    return max((int(path.name) for path in base_dir.iterdir() if path.name.isdecimal()), default=0) + 1


def _write(generator: keras.Model, folder: Path) -> None:
    # Only an untracked endpoint both runs in the C++ server and holds every weight once: tf.saved_model.save of a
    # Keras 3 model loses its variables there, and a tracked model is written twice.
    archive = keras.export.ExportArchive()
    archive.add_endpoint(
        SIGNATURE,
        lambda image: {"cartoon": pixels.cartoonize(generator, image)},
        input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")],
    )
    archive.write_out(str(folder), verbose=False)


def _check(generator: keras.Model, folder: Path, name: str) -> None:
    """Every grey level within one of Keras's, in the C++ session that a server uses."""
    run = load_in_session(folder)
    for picture in parity.check_pictures():
        with parity.on_cpu():
            expected = np.asarray(pixels.cartoonize(generator, picture[None]))
        difference = np.abs(run(picture[None]).astype(int) - expected.astype(int)).max()
        if difference > 1:
            raise InputError(
                f"{name}: its pictures differ from Keras's by {difference} grey levels; nothing was written"
            )


def load_in_session(folder: str | os.PathLike):
    """Load a SavedModel's `serving_default` as the server does: in a fresh graph and a C++ session.

    tf.saved_model.load is no evidence: it rebuilds variables in Python that the server does not find.

    Returns:
      a function, uint8 RGB [N, H, W, 3] -> the same.
    """
    graph = tf.Graph()
    session = tf.compat.v1.Session(graph=graph, config=tf.compat.v1.ConfigProto(device_count={"GPU": 0}))
    with graph.as_default():
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
    signature = meta_graph.signature_def[SIGNATURE]
    image, cartoon = signature.inputs["image"].name, signature.outputs["cartoon"].name
    return lambda picture: session.run(cartoon, {image: picture})
