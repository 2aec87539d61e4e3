"""Names of files that a server does not draw, by their first bytes inside a graph, and advice for their senders."""

from typing import NamedTuple

import tensorflow as tf

from export.serving.graph_bytes import is_text

_ADVICE = "send JPEG, PNG, GIF or BMP; `python -m export.client` converts it"


class _Kind(NamedTuple):
    """A kind of file, with the texts by which it is known; each stands at a position of its own."""

    name: str
    marks: tuple[tuple[int, bytes], ...]


def _brand(name: bytes) -> tuple[tuple[int, bytes], ...]:
    return ((4, b"ftyp"), (8, name))


_HEIC = "a HEIC file"
_TIFF = "a TIFF file"
_JPEG_XL = "a JPEG XL file"
_JPEG_2000 = "a JPEG 2000 file"
_FILM = "a film"
_KINDS = (
    _Kind("a WebP file", ((0, b"RIFF"), (8, b"WEBP"))),
    *(_Kind(_HEIC, _brand(name)) for name in (b"hei", b"hev", b"mif1", b"msf1")),
    _Kind("an AVIF file", _brand(b"avi")),
    _Kind(_FILM, ((4, b"ftyp"),)),  # MP4 and MOV have many brands
    _Kind(_FILM, ((0, b"\x1a\x45\xdf\xa3"),)),  # Matroska and WebM
    *(_Kind(_TIFF, ((0, name),)) for name in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    _Kind(_JPEG_XL, ((0, b"\xff\x0a"),)),
    _Kind(_JPEG_XL, ((4, b"JXL \r\n"),)),
    _Kind(_JPEG_2000, ((4, b"jP  \r\n"),)),
    _Kind(_JPEG_2000, ((0, b"\xff\x4f\xff\x51"),)),
    _Kind("a Photoshop file", ((0, b"8BPS"),)),
    _Kind("an icon", ((0, b"\0\0\1\0"),)),
    _Kind("a PDF file", ((0, b"%PDF"),)),
)


def refusal(data: tf.Tensor) -> tf.Tensor:
    """Return the reason why a file of none of the four formats is not drawn, a string scalar.

    Args:
      data: the file, from `file_bytes`.
    """
    text = tf.constant("not a picture: the bytes are no JPEG, PNG, GIF or BMP file")
    for kind in reversed(_KINDS):
        marks = [is_text(data, tf.constant(position, tf.int64), mark) for position, mark in kind.marks]
        advice = "cartoonize draws films" if kind.name == _FILM else _ADVICE
        text = tf.where(tf.reduce_all(tf.stack(marks)), f"{kind.name}: {advice}", text)
    return text
