"""Checks that an exported version answers as Keras does, in the session that a server runs it in.

A check that fails raises InputError, which keeps the version from being published.
"""

import concurrent.futures
import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow.python.framework import op_def_registry
from tensorflow_serving.apis import predict_pb2

from cartoongan_tf.base import progress
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models import pixels
from export import parity
from export.parity import Parity
from export.reference import Reference
from export.serving import comparison
from export.serving.facts import DEFAULT, ENCODED
from export.serving.session import ServingSession

NUM_THREADS = 8
_MAX_DIFFERENCE = 1  # grey levels
_MAX_COLOR_DIFFERENCE = 3  # OpenCV, whose colours `cartoonize` keeps, rounds them
_SIZES_PX = ((61, 83), (64, 96), (9, 5), (1, 2))  # odd ones, ones that need padding, and the smallest
_BAD_BYTES = (b"", b"not a picture", b"GIF89a cut short")


@dataclasses.dataclass(frozen=True)
class ServingProof:
    """The results of all checks.

    Attributes:
      largest_difference: largest difference from Keras in any picture, in grey levels.
      num_pictures: number of pictures compared.
      parity: parity with Keras on photos.
      num_warmup_requests: number of warm-up requests that were answered.
      num_threads: number of threads that asked at once, and got the same bytes as a single one.
      operators: names of the operators that the version needs.
    """

    largest_difference: int
    num_pictures: int
    parity: Parity
    num_warmup_requests: int
    num_threads: int
    operators: list[str]

    def __str__(self) -> str:
        return (
            f"In a server's session {self.num_pictures} pictures, as pixels and as JPEG, PNG, GIF and BMP files, "
            f"differ from Keras by at most {self.largest_difference} of 255 grey levels. It answered all of its "
            f"{self.num_warmup_requests} warm-up requests. {self.num_threads} threads got the same bytes as one."
        )


def check_version(
    session: ServingSession,
    warmup: Sequence[predict_pb2.PredictRequest],
    reference: Reference,
    name: str,
) -> ServingProof:
    """Check a version that `saved_model.write_version` wrote.

    Args:
      session: the version, loaded as a server loads it.
      warmup: the version's warm-up requests.
      reference: the generator that the version was written from, and photos to measure parity on.
      name: name of the version in errors.

    Raises:
      InputError: the version differs from Keras by more than a grey level, needs operators that a server does not
        have, accepts damaged pictures, answers several clients at once differently, or lacks a warm-up request.
      tf.errors.OpError: the version cannot answer a request.
    """
    _check_operators(session.graph_def, name)
    generator = reference.generator
    made = [comparison.make_picture(seed, height, width) for seed, (height, width) in enumerate(_SIZES_PX)]
    with progress.stage("comparing the SavedModel's cartoons of photos with those of Keras"):
        photos, cartoons_of_photos = reference.drawn_photos()
        cartoons = [session.predict(DEFAULT, image=picture[np.newaxis])["cartoon"][0] for picture in (*made, *photos)]
        references = [*(comparison.draw(generator, picture) for picture in made), *cartoons_of_photos]
        differences = list(map(comparison.difference, cartoons, references))
    with progress.stage("comparing the SavedModel's cartoons of picture files with those of Keras"):
        differences += comparison.of_encoded(session, generator, made)
        differences += comparison.of_styled(session, generator, made[0])
    largest = max(differences)
    if largest > _MAX_DIFFERENCE:
        raise InputError(f"{name}: differs from Keras by {largest} grey levels; nothing was written")
    with progress.stage("asking the SavedModel for colours, with bytes that are no pictures, and with many clients"):
        _check_colors(session, made[0], name)
        _check_bad_bytes(session, made[0], name)
        _check_threads(session, made, name)
        _check_warmup(session, warmup, name)
    return ServingProof(
        largest_difference=largest,
        num_pictures=len(differences),
        parity=_compare(cartoons[len(made) :], references[len(made) :]),
        num_warmup_requests=len(warmup),
        num_threads=NUM_THREADS,
        operators=sorted(_operators(session.graph_def)),
    )


def foreign_operators(graph_def: tf.compat.v1.GraphDef) -> set[str]:
    """Return the operators of a graph and its functions that a stock server does not have.

    A server has TensorFlow's own operators, except those that call back into Python.
    """
    return {name for name in _operators(graph_def) if op_def_registry.get(name) is None or "Py" in name}


def _operators(graph_def: tf.compat.v1.GraphDef) -> set[str]:
    """Return all operators of a graph and its functions; calls of functions are not operators."""
    functions = graph_def.library.function
    names = {node.op for node in graph_def.node}
    names |= {node.op for function in functions for node in function.node_def}
    return names - {function.signature.name for function in functions}


def _check_operators(graph_def: tf.compat.v1.GraphDef, name: str) -> None:
    foreign = foreign_operators(graph_def)
    if foreign:
        raise InputError(f"{name}: needs operators that a server does not have: {', '.join(sorted(foreign))}")


def _compare(cartoons: list[np.ndarray], references: list[np.ndarray]) -> Parity:
    """Compare pictures, uint8 RGB [H, W, 3] each."""
    return parity.compare(list(map(_to_float_batch, cartoons)), list(map(_to_float_batch, references)))


def _to_float_batch(picture: np.ndarray) -> np.ndarray:
    return np.asarray(pixels.to_float(picture[np.newaxis]))


def _check_colors(session: ServingSession, photo: np.ndarray, name: str) -> None:
    difference = comparison.of_colors(session, photo)
    if difference > _MAX_COLOR_DIFFERENCE:
        raise InputError(f"{name}: keep_colors differs from that of `cartoonize` by {difference} grey levels")


def _check_bad_bytes(session: ServingSession, photo: np.ndarray, name: str) -> None:
    """Check that bytes which are no picture fail their request, or in `each`, themselves alone."""
    for content in _BAD_BYTES:
        try:
            session.predict(ENCODED, image_bytes=[content])
        except tf.errors.InvalidArgumentError:
            continue
        raise InputError(f"{name}: gave a cartoon for the bytes {content!r}")
    good = comparison.encode(Image.fromarray(photo), "PNG")
    answer = comparison.ask_each(session, [good, *_BAD_BYTES])
    statuses = list(map(bool, answer["status"]))
    drawn = list(map(bool, answer["cartoon_bytes"]))
    if statuses != [False, True, True, True] or drawn != [True, False, False, False]:
        raise InputError(f"{name}: does not tell the pictures that it draws from those that it does not")


def _check_threads(session: ServingSession, photos: list[np.ndarray], name: str) -> None:
    files = [comparison.encode(Image.fromarray(photo), "PNG") for photo in photos] * (NUM_THREADS // len(photos))

    def ask(content):
        return session.predict(ENCODED, image_bytes=[content])["cartoon_bytes"][0]

    one_by_one = [ask(content) for content in files]
    with concurrent.futures.ThreadPoolExecutor(NUM_THREADS) as threads:
        at_once = list(threads.map(ask, files))
    if at_once != one_by_one:
        raise InputError(f"{name}: answers {NUM_THREADS} clients at once differently from a single one")


def _check_warmup(session: ServingSession, warmup: Sequence[predict_pb2.PredictRequest], name: str) -> None:
    missing = set(session.signatures) - {request.model_spec.signature_name for request in warmup}
    if missing:
        raise InputError(f"{name}: no warm-up request for {', '.join(sorted(missing))}")
    for request in warmup:
        session.answer(request)
