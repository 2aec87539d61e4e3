"""The kind of a file by its first bytes, inside a graph, and advice for those who send kinds that are not taken."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from export.serving.facts import MAGIC_BYTES
from export.serving.graph_bytes import FileBytes

_ADVICE = "send JPEG, PNG, GIF or BMP; `python -m export.client` converts it"
_ANY = b"...."  # four bytes that differ from file to file; here, a full stop stands for any byte
_FIRST_BYTES = {
    "a WebP file": [b"RIFF" + _ANY + b"WEBP"],
    "a HEIC file": [_ANY + b"ftyp" + brand for brand in (b"hei", b"hev", b"mif1", b"msf1")],
    "an AVIF file": [_ANY + b"ftypavi"],
    "a TIFF file": [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"],
    "a JPEG XL file": [b"\xff\x0a", _ANY + b"JXL \r\n"],
    "a JPEG 2000 file": [_ANY + b"jP  \r\n", b"\xff\x4f\xff\x51"],
    "a Photoshop file": [b"8BPS"],
    "an icon": [b"\0\0\1\0"],
    "a PDF file": [b"%PDF"],
    "a film": [_ANY + b"ftyp", b"\x1a\x45\xdf\xa3"],  # MP4 and MOV of many brands; Matroska and WebM
}
FOREIGN = len(MAGIC_BYTES)  # the number of all kinds that a server does not take
_LONGEST = 12


class _Row(NamedTuple):
    """The first bytes of some files, and the reason why they are refused."""

    first_bytes: bytes
    refusal: str


_ROWS = [
    *(_Row(first_bytes, "") for first_bytes in MAGIC_BYTES),
    *(
        _Row(first_bytes, f"{name}: {'cartoonize draws films' if name == 'a film' else _ADVICE}")
        for name, beginnings in _FIRST_BYTES.items()
        for first_bytes in beginnings
    ),
    _Row(b"", "not a picture: the bytes are no JPEG, PNG, GIF or BMP file"),
]


def kind_of(data: FileBytes) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the kind of a file, int32, and the reason why it is refused, a string: scalars.

    Returns:
      the index in `MAGIC_BYTES` and "", or FOREIGN and the reason.
    """
    expected = np.array([list(row.first_bytes.ljust(_LONGEST, b".")) for row in _ROWS], np.uint8)
    is_any = expected == ord(".")
    row = tf.argmax(
        tf.cast(tf.reduce_all((data.values[:_LONGEST] == expected) | is_any, 1), tf.int32), output_type=tf.int32
    )
    return tf.minimum(row, FOREIGN), tf.constant([row.refusal for row in _ROWS])[row]
