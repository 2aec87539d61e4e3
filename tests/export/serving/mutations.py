"""Damaged picture files: with accidental damage, and with the damage that an attacker would try."""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.helpers import draw

FORMATS = ("JPEG", "PNG", "GIF", "BMP")
_EDGE_VALUES = (0, 1, 0x7F, 0x80, 0xFF)
_HEADER_BYTES = 64  # they hold sizes, lengths and palettes


def picture_files() -> list[tuple[str, bytes]]:
    """Return intact files of all formats with their names: plain ones, and ones with optional features."""
    image = Image.fromarray(draw(3, 30, 40))
    exif = Image.Exif()
    exif[0x0112] = 8
    return [
        *((format, encode(image, format)) for format in FORMATS),
        ("progressive JPEG with EXIF", encode(image, "JPEG", progressive=True, exif=exif)),
        ("CMYK JPEG", encode(image.convert("CMYK"), "JPEG")),
        ("interlaced grey PNG with EXIF", encode(image.convert("L"), "PNG", exif=exif)),
        ("PNG with a palette and alpha", encode(image.convert("RGBA").quantize(16), "PNG")),
        ("16-bit PNG", encode(Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40)), "PNG")),
        ("animated GIF", encode(image, "GIF", save_all=True, append_images=[image.rotate(90)] * 3)),
        ("32-bit BMP", encode(image.convert("RGBA"), "BMP")),
    ]


def encode(image: Image.Image | np.ndarray, format: str, **options) -> bytes:
    """Encode a picture, an image or uint8 RGB [H, W, 3], as the bytes of a file."""
    content = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(content, format, **options)
    return content.getvalue()


def mutated_files(num_files: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield damaged files, each with the name of the intact one; the same files for the same seed."""
    rng = np.random.default_rng(seed)
    intact = picture_files()
    damages = (_flip_bits, _set_header_bytes, _cut, _insert, _remove, _repeat, _splice)
    for index in range(num_files):
        name, content = intact[index % len(intact)]
        _, other = intact[int(rng.integers(len(intact)))]
        for damage in rng.choice(damages, rng.integers(1, 4)):
            content = damage(rng, content, other) or b"\0"
        yield name, content


def _flip_bits(rng, content: bytes, _) -> bytes:
    changed = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(len(changed), size=rng.integers(1, 9))
    changed[places] ^= (1 << rng.integers(8, size=len(places))).astype(np.uint8)
    return changed.tobytes()


def _set_header_bytes(rng, content: bytes, _) -> bytes:
    changed = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(min(_HEADER_BYTES, len(changed)), size=rng.integers(1, 5))
    changed[places] = rng.choice(_EDGE_VALUES, len(places))
    return changed.tobytes()


def _cut(rng, content: bytes, _) -> bytes:
    return content[: rng.integers(len(content) + 1)]


def _insert(rng, content: bytes, _) -> bytes:
    place = int(rng.integers(len(content)))
    return content[:place] + rng.bytes(int(rng.integers(1, 40))) + content[place:]


def _remove(rng, content: bytes, _) -> bytes:
    start = int(rng.integers(len(content)))
    return content[:start] + content[start + int(rng.integers(1, 40)) :]


def _repeat(rng, content: bytes, _) -> bytes:
    start = int(rng.integers(len(content)))
    repeated = content[start : start + int(rng.integers(1, 200))]
    return content[:start] + repeated * int(rng.integers(2, 6)) + content[start:]


def _splice(rng, content: bytes, other: bytes) -> bytes:
    return content[: rng.integers(len(content))] + other[rng.integers(len(other)) :]
