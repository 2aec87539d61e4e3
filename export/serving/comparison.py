"""The differences between a served model's cartoons and those of Keras, by signature."""

import io
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.blending import blend_with_photo, keep_colors
from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels
from export import parity
from export.serving.facts import EACH, ENCODED, PNG, STYLED
from export.serving.session import ServingSession

_EXIF_ORIENTATION_TAG = 0x0112
_EXIF_TURNED_RIGHT = 6  # to be turned by 90 degrees clockwise
_STRENGTH = 0.7
_LONG_SIDE_PX = 40


def of_encoded(session: ServingSession, generator: keras.Model, photos: list[np.ndarray]) -> list[int]:
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
        encode(Image.fromarray(jpeg), "JPEG", exif=exif),
        encode(Image.fromarray(rgba), "PNG"),
        encode(paletted, "GIF"),
        encode(Image.fromarray(bmp), "BMP"),
    ]
    # JPEG decoders differ by a level, which a generator enlarges. So both sides use TensorFlow's.
    decoded = tf.io.decode_jpeg(files[0], channels=3, dct_method="INTEGER_ACCURATE").numpy()
    expected = [np.rot90(decoded, -1), with_alpha, np.asarray(paletted.convert("RGB")), bmp]
    cartoons = [decode(content) for content in session.predict(ENCODED, image_bytes=files)["cartoon_bytes"]]
    differences = [difference(cartoons[1][..., 3:], alpha)]
    for cartoon, photo in zip(cartoons, expected, strict=True):
        differences.append(difference(cartoon[..., :3], draw(generator, photo)))
    return differences


def of_styled(session: ServingSession, generator: keras.Model, photo: np.ndarray) -> list[int]:
    """Ask for a shrunk photo and for its blend with its cartoon; `cartoonize` computes both from the same pixels."""
    answers = session.predict(
        STYLED,
        image_bytes=[encode(Image.fromarray(photo), "PNG")] * 2,
        strength=np.array([0.0, _STRENGTH], np.float32),
        long_side=np.array([_LONG_SIDE_PX, _LONG_SIDE_PX], np.int32),
    )
    shrunk, blended = map(decode, answers["cartoon_bytes"])
    cartoon = draw(generator, shrunk)
    expected = blend_with_photo(shrunk[np.newaxis], cartoon[np.newaxis], _STRENGTH, with_photo_colors=False)[0]
    return [difference(shrunk, pictures.shrink(photo, _LONG_SIDE_PX)), difference(blended, expected)]


def of_colors(session: ServingSession, photo: np.ndarray) -> int:
    """Ask for a cartoon twice, once with the photo's colours; `cartoonize` computes the one from the other."""
    content = encode(Image.fromarray(photo), "PNG")
    plain, kept = map(decode, ask_each(session, [content, content], [False, True])["cartoon_bytes"])
    return difference(kept, keep_colors(photo, plain))


def ask_each(session: ServingSession, files: list[bytes], with_colors: Sequence[bool] = ()) -> dict:
    """Ask for the cartoons of files as PNG, by the signature `each`."""
    number = len(files)
    return session.predict(
        EACH,
        image_bytes=np.array(files, object),
        strength=np.ones(number, np.float32),
        long_side=np.zeros(number, np.int32),
        keep_colors=np.array(with_colors or [False] * number),
        format=np.array([PNG] * number, object),
    )


def make_picture(seed: int, height: int, width: int) -> np.ndarray:
    """Return a picture with smooth shading, sharp outlines and some noise: uint8 RGB [height, width, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    shading = np.stack([x, y, 1.0 - x * y], -1) * 200.0
    is_inside = np.hypot(x - 0.4, y - 0.4) < 0.25
    shapes = np.where(is_inside[..., None], rng.uniform(0, 255, 3), shading)
    return (shapes + rng.normal(0.0, 8.0, shapes.shape)).clip(0, 255).astype(np.uint8)


def draw(generator: keras.Model, photo: np.ndarray) -> np.ndarray:
    """Return the generator's cartoon of a photo, uint8 RGB [H, W, 3]."""
    with parity.on_cpu():
        return np.asarray(pixels.cartoonize(generator, photo[np.newaxis]))[0]


def difference(picture: np.ndarray, expected: np.ndarray) -> int:
    """Return the largest difference between two pictures, in grey levels."""
    if picture.shape != expected.shape:
        raise InputError(f"a picture of shape {picture.shape} came back, where {expected.shape} was expected")
    return int(np.abs(picture.astype(int) - expected).max())


def encode(image: Image.Image, format: str, **options) -> bytes:
    content = io.BytesIO()
    image.save(content, format, **options)
    return content.getvalue()


def decode(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))
