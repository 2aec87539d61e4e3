"""Checks that an exported version answers as Keras does, in the session that a server runs it in.

A check that fails raises InputError, which keeps the version from being published.
"""

import concurrent.futures
import dataclasses
import io
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow.python.framework import op_def_registry
from tensorflow_serving.apis import predict_pb2

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.blending import blend_with_photo
from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels
from export import parity
from export.parity import Parity
from export.serving.facts import DEFAULT, ENCODED, STYLED
from export.serving.session import ServingSession

NUM_THREADS = 8
_MAX_DIFFERENCE = 1  # grey levels
_SIZES_PX = ((61, 83), (64, 96), (9, 5), (1, 2))  # odd ones, ones that need padding, and the smallest
_EXIF_ORIENTATION_TAG = 0x0112
_EXIF_TURNED_RIGHT = 6  # to be turned by 90 degrees clockwise
_STRENGTH = 0.7
_LONG_SIDE_PX = 40


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
    generator: keras.Model,
    name: str,
    photos: Sequence[np.ndarray],
) -> ServingProof:
    """Check a version that `saved_model.write_version` wrote.

    Args:
      session: the version, loaded as a server loads it.
      warmup: the version's warm-up requests.
      generator: the model that the version was written from.
      name: name of the version in errors.
      photos: photos to measure parity on; uint8 RGB [H, W, 3] each.

    Raises:
      InputError: the version differs from Keras by more than a grey level, needs operators that a server does not
        have, accepts damaged pictures, answers several clients at once differently, or lacks a warm-up request.
      tf.errors.OpError: the version cannot answer a request.
    """
    _check_operators(session.graph_def, name)
    made = [_make_picture(seed, height, width) for seed, (height, width) in enumerate(_SIZES_PX)]
    inputs = [*made, *photos]
    cartoons = [session.predict(DEFAULT, image=picture[np.newaxis])["cartoon"][0] for picture in inputs]
    references = [_draw(generator, picture) for picture in inputs]
    differences = [
        *map(_difference, cartoons, references),
        *_encoded_differences(session, generator, made),
        *_styled_differences(session, generator, made[0]),
    ]
    largest = max(differences)
    if largest > _MAX_DIFFERENCE:
        raise InputError(f"{name}: differs from Keras by {largest} grey levels; nothing was written")
    _check_bad_bytes(session, name)
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


def _encoded_differences(session: ServingSession, generator: keras.Model, photos: list[np.ndarray]) -> list[int]:
    """Ask for files of all four formats, of different sizes, in one request.

    The JPEG is turned by EXIF, and the PNG is half transparent.
    """
    jpeg, with_alpha, gif, bmp = photos
    alpha = np.full_like(with_alpha[..., :1], 128)
    rgba = np.concatenate([with_alpha, alpha], -1)
    paletted = Image.fromarray(gif).quantize(64)
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION_TAG] = _EXIF_TURNED_RIGHT
    files = [
        _encode(Image.fromarray(jpeg), "JPEG", exif=exif),
        _encode(Image.fromarray(rgba), "PNG"),
        _encode(paletted, "GIF"),
        _encode(Image.fromarray(bmp), "BMP"),
    ]
    # JPEG decoders differ by a level, which a generator enlarges. So both sides use TensorFlow's.
    decoded = tf.io.decode_jpeg(files[0], channels=3, dct_method="INTEGER_ACCURATE").numpy()
    expected = [np.rot90(decoded, -1), with_alpha, np.asarray(paletted.convert("RGB")), bmp]
    cartoons = [_decode(content) for content in session.predict(ENCODED, image_bytes=files)["cartoon_bytes"]]
    differences = [_difference(cartoons[1][..., 3:], alpha)]
    for cartoon, photo in zip(cartoons, expected, strict=True):
        differences.append(_difference(cartoon[..., :3], _draw(generator, photo)))
    return differences


def _styled_differences(session: ServingSession, generator: keras.Model, photo: np.ndarray) -> list[int]:
    """Ask for a shrunk photo and for its blend with its cartoon; `cartoonize` computes both from the same pixels."""
    answers = session.predict(
        STYLED,
        image_bytes=[_encode(Image.fromarray(photo), "PNG")] * 2,
        strength=np.array([0.0, _STRENGTH], np.float32),
        long_side=np.array([_LONG_SIDE_PX, _LONG_SIDE_PX], np.int32),
    )
    shrunk, blended = map(_decode, answers["cartoon_bytes"])
    cartoon = _draw(generator, shrunk)
    expected = blend_with_photo(shrunk[np.newaxis], cartoon[np.newaxis], _STRENGTH, with_photo_colors=False)[0]
    return [_difference(shrunk, pictures.shrink(photo, _LONG_SIDE_PX)), _difference(blended, expected)]


def _check_bad_bytes(session: ServingSession, name: str) -> None:
    for content in (b"", b"not a picture", b"GIF89a cut short"):
        try:
            session.predict(ENCODED, image_bytes=[content])
        except tf.errors.InvalidArgumentError:
            continue
        raise InputError(f"{name}: gave a cartoon for the bytes {content!r}")


def _check_threads(session: ServingSession, photos: list[np.ndarray], name: str) -> None:
    files = [_encode(Image.fromarray(photo), "PNG") for photo in photos] * (NUM_THREADS // len(photos))

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


def _make_picture(seed: int, height: int, width: int) -> np.ndarray:
    """Return a picture with smooth shading, sharp outlines and some noise: uint8 RGB [height, width, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    shading = np.stack([x, y, 1.0 - x * y], -1) * 200.0
    is_inside = np.hypot(x - 0.4, y - 0.4) < 0.25
    shapes = np.where(is_inside[..., None], rng.uniform(0, 255, 3), shading)
    return (shapes + rng.normal(0.0, 8.0, shapes.shape)).clip(0, 255).astype(np.uint8)


def _draw(generator: keras.Model, photo: np.ndarray) -> np.ndarray:
    """Return the generator's cartoon of a photo, uint8 RGB [H, W, 3]."""
    with parity.on_cpu():
        return np.asarray(pixels.cartoonize(generator, photo[np.newaxis]))[0]


def _difference(picture: np.ndarray, expected: np.ndarray) -> int:
    """Return the largest difference between two pictures, in grey levels."""
    if picture.shape != expected.shape:
        raise InputError(f"a picture of shape {picture.shape} came back, where {expected.shape} was expected")
    return int(np.abs(picture.astype(int) - expected).max())


def _encode(image: Image.Image, format: str, **options) -> bytes:
    content = io.BytesIO()
    image.save(content, format, **options)
    return content.getvalue()


def _decode(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))
