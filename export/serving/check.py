"""Proof that an exported version answers as Keras draws: asked in the session that a server runs it in.

Each check raises InputError when it fails, which keeps the version from being published.
"""

import concurrent.futures
import dataclasses
import io
import os
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow.python.framework import op_def_registry

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.blending import blend_with_photo
from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels
from export import parity
from export.parity import Parity
from export.serving.facts import DEFAULT, ENCODED, STYLED
from export.serving.requests import read_warmup
from export.serving.session import ServingSession

NUM_THREADS = 8
_SIZES_PX = ((61, 83), (64, 96), (9, 5), (1, 2))  # odd ones, ones that need padding, and the smallest
_LIES_TURNED_RIGHT = 6  # EXIF orientation: to be turned by 90 degrees clockwise
_STRENGTH, _LONG_SIDE_PX = 0.7, 40


@dataclasses.dataclass(frozen=True)
class ServingProof:
    """What was found.

    Attributes:
      largest_difference: between its pictures and those of Keras, in grey levels.
      num_pictures: that were compared.
      parity: on photos.
      num_warmup_requests: that were answered.
      num_threads: that asked at once and got the same bytes as one.
      operators: that it needs, by name.
    """

    largest_difference: int
    num_pictures: int
    parity: Parity
    num_warmup_requests: int
    num_threads: int
    operators: list[str]


def check_version(
    generator: keras.Model, folder: str | os.PathLike, name: str, photos: Sequence[np.ndarray]
) -> ServingProof:
    """Check a version that `saved_model.write_version` wrote.

    Args:
      generator: that it was written from.
      folder: of the version.
      name: what errors call it.
      photos: to measure parity on; uint8 RGB [H, W, 3] each.

    Raises:
      InputError: it differs from Keras by more than a grey level, needs operators that a server does not have, or
        answers its warm-up requests or several clients at once in another way than it should.
    """
    session = ServingSession(folder)
    operators = _check_operators(session, name)
    made = [_picture(seed, *size) for seed, size in enumerate(_SIZES_PX)]
    differences = [
        *_default_differences(generator, session, [*made, *photos]),
        *_encoded_differences(generator, session, made),
        *_styled_differences(generator, session, made[0]),
    ]
    largest = max(differences)
    if largest > 1:
        raise InputError(f"{name}: its pictures differ from Keras's by {largest} grey levels; nothing was written")
    _check_bad_bytes(session, name)
    _check_threads(session, made, name)
    return ServingProof(
        largest,
        len(differences),
        _photo_parity(generator, session, photos),
        _check_warmup(session, folder, name),
        NUM_THREADS,
        operators,
    )


def foreign_operators(graph_def: tf.compat.v1.GraphDef) -> set[str]:
    """Operators that a stock server does not have, in the nodes of a graph and in those of its functions.

    It has TensorFlow's own, but none that call back into Python.
    """
    return {name for name in _operators(graph_def) if op_def_registry.get(name) is None or "Py" in name}


def _operators(graph_def: tf.compat.v1.GraphDef) -> set[str]:
    """All operators of a graph and of its functions, without calls of these."""
    functions = graph_def.library.function
    in_functions = {node.op for function in functions for node in function.node_def}
    return (in_functions | {node.op for node in graph_def.node}) - {function.signature.name for function in functions}


def _check_operators(session: ServingSession, name: str) -> list[str]:
    if foreign := foreign_operators(session.graph_def):
        raise InputError(f"{name}: needs operators that a server does not have: {', '.join(sorted(foreign))}")
    return sorted(_operators(session.graph_def))


def _photo_parity(generator: keras.Model, session: ServingSession, photos: Sequence[np.ndarray]) -> Parity:
    cartoons = [session.predict(DEFAULT, image=photo[np.newaxis])["cartoon"] for photo in photos]
    references = [_drawn(generator, photo)[np.newaxis] for photo in photos]
    return parity.compare(*([np.asarray(pixels.to_float(p)) for p in drawn] for drawn in (cartoons, references)))


def _default_differences(generator: keras.Model, session: ServingSession, photos: list[np.ndarray]) -> list[int]:
    cartoons = [session.predict(DEFAULT, image=photo[np.newaxis])["cartoon"][0] for photo in photos]
    return [_difference(cartoon, _drawn(generator, photo)) for cartoon, photo in zip(cartoons, photos, strict=True)]


def _encoded_differences(generator: keras.Model, session: ServingSession, photos: list[np.ndarray]) -> list[int]:
    """Files of all four formats, of different sizes, in one request; one lies on its side, one is half transparent."""
    jpeg, with_alpha, gif, bmp = photos
    alpha = np.full_like(with_alpha[..., :1], 128)
    paletted = Image.fromarray(gif).quantize(64)
    lying = Image.Exif()
    lying[0x0112] = _LIES_TURNED_RIGHT
    files = [
        _encoded(Image.fromarray(jpeg), "JPEG", exif=lying),
        _encoded(Image.fromarray(np.concatenate([with_alpha, alpha], -1)), "PNG"),
        _encoded(paletted, "GIF"),
        _encoded(Image.fromarray(bmp), "BMP"),
    ]
    # JPEG decoders differ by a level, which a generator enlarges: both draw what TensorFlow's decodes.
    decoded = tf.io.decode_jpeg(files[0], channels=3, dct_method="INTEGER_ACCURATE").numpy()
    expected = [np.rot90(decoded, -1), with_alpha, np.asarray(paletted.convert("RGB")), bmp]
    cartoons = [_decoded(answer) for answer in session.predict(ENCODED, image_bytes=files)["cartoon_bytes"]]
    differences = [_difference(cartoons[1][..., 3:], alpha)]
    for cartoon, photo in zip(cartoons, expected, strict=True):
        differences.append(_difference(cartoon[..., :3], _drawn(generator, photo)))
    return differences


def _styled_differences(generator: keras.Model, session: ServingSession, photo: np.ndarray) -> list[int]:
    """A photo shrunk, and its cartoon mixed with it, against what `cartoonize` makes of the same pixels."""
    image_bytes = [_encoded(Image.fromarray(photo), "PNG")] * 2
    strength, long_side = np.float32([0.0, _STRENGTH]), np.int32([_LONG_SIDE_PX] * 2)
    answers = session.predict(STYLED, image_bytes=image_bytes, strength=strength, long_side=long_side)
    shrunk, mixed = (_decoded(answer) for answer in answers["cartoon_bytes"])
    drawn = _drawn(generator, shrunk)
    expected = blend_with_photo(shrunk[np.newaxis], drawn[np.newaxis], _STRENGTH, with_photo_colors=False)[0]
    return [_difference(shrunk, pictures.shrink(photo, _LONG_SIDE_PX)), _difference(mixed, expected)]


def _check_bad_bytes(session: ServingSession, name: str) -> None:
    for content in (b"", b"not a picture", b"GIF89a cut short"):
        try:
            session.predict(ENCODED, image_bytes=[content])
        except tf.errors.InvalidArgumentError:
            continue
        raise InputError(f"{name}: drew a cartoon of the bytes {content!r}")


def _check_threads(session: ServingSession, photos: list[np.ndarray], name: str) -> None:
    files = [_encoded(Image.fromarray(photo), "PNG") for photo in photos] * (NUM_THREADS // len(photos))

    def ask(content):
        return session.predict(ENCODED, image_bytes=[content])["cartoon_bytes"][0]

    one_by_one = [ask(content) for content in files]
    with concurrent.futures.ThreadPoolExecutor(NUM_THREADS) as threads:
        at_once = list(threads.map(ask, files))
    if at_once != one_by_one:
        raise InputError(f"{name}: answers {NUM_THREADS} clients at once otherwise than one after the other")


def _check_warmup(session: ServingSession, folder: str | os.PathLike, name: str) -> int:
    requests = read_warmup(folder)
    missing = set(session.signatures) - {request.model_spec.signature_name for request in requests}
    if missing:
        raise InputError(f"{name}: no warm-up request for {', '.join(sorted(missing))}")
    for request in requests:
        session.answer(request)
    return len(requests)


def _picture(seed: int, height: int, width: int) -> np.ndarray:
    """Smooth shading, sharp outlines and some noise: uint8 RGB [height, width, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    shading = np.stack([x, y, 1.0 - x * y], -1) * 200.0
    shapes = np.where((np.hypot(x - 0.4, y - 0.4) < 0.25)[..., None], rng.uniform(0, 255, 3), shading)
    return (shapes + rng.normal(0.0, 8.0, shapes.shape)).clip(0, 255).astype(np.uint8)


def _drawn(generator: keras.Model, photo: np.ndarray) -> np.ndarray:
    with parity.on_cpu():
        return np.asarray(pixels.cartoonize(generator, photo[np.newaxis]))[0]


def _difference(picture: np.ndarray, expected: np.ndarray) -> int:
    if picture.shape != expected.shape:
        raise InputError(f"a picture of the shape {picture.shape} came back, where {expected.shape} was expected")
    return int(np.abs(picture.astype(int) - expected).max())


def _encoded(image: Image.Image, format: str, **options) -> bytes:
    content = io.BytesIO()
    image.save(content, format, **options)
    return content.getvalue()


def _decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))
