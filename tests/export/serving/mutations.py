"""Picture files, damaged in the ways in which files come damaged, and in those in which an attacker damages them."""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.helpers import draw

FORMATS = ("JPEG", "PNG", "GIF", "BMP")
_EDGE_VALUES = (0, 1, 0x7F, 0x80, 0xFF)
_HEADER_BYTES = 64  # where sizes, lengths and palettes stand


def picture_files() -> list[tuple[str, bytes]]:
    """Whole files of all formats, by name: plain ones, and those with more in them."""
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
    """The bytes of a picture file; an array is uint8 RGB."""
    content = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(content, format, **options)
    return content.getvalue()


def mutated_files(num_files: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Damaged files, by the name of the whole ones; the same for the same seed."""
    rng, whole = np.random.default_rng(seed), picture_files()
    damages = (_flip_bits, _set_header_bytes, _cut, _insert, _remove, _repeat, _splice)
    for index in range(num_files):
        name, content = whole[index % len(whole)]
        other = whole[int(rng.integers(len(whole)))][1]
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
    return (
        content[:start] + content[start : start + int(rng.integers(1, 200))] * int(rng.integers(2, 6)) + content[start:]
    )


def _splice(rng, content: bytes, other: bytes) -> bytes:
    return content[: rng.integers(len(content))] + other[rng.integers(len(other)) :]
