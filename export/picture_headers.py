"""Headers of picture files inside a graph: size and orientation of a JPEG, PNG, GIF or BMP before it is decoded.

TensorFlow decodes these formats, but it allocates before anybody has seen the size, does not know the orientation that
cameras note in EXIF, and decodes all frames of a GIF to give the first. A server must refuse what is too large before
that, and has nothing but TensorFlow's operators for it. All numbers here are int64.
"""

from typing import NamedTuple

import tensorflow as tf

JPEG, PNG, GIF, BMP = range(4)
_MAGIC_BYTES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")  # in this order
_MAX_PARTS = 512  # segments, chunks or blocks before the pixels: more are there to keep a server busy
_MAX_EXIF_ENTRIES = 512
_ORIENTATION_TAG = 0x0112
_NOWHERE = -1
_ORIGIN, _TRAILER = b"\0\0\0\0", b"\0;"  # of a GIF: where a frame lies; the end of the last frame, and of the file
_PADDING = 16  # zeros after a file's bytes: what is read beyond the end is 0


class Header(NamedTuple):
    """What is known of a picture before it is decoded; scalars.

    Attributes:
      kind: int32, one of JPEG, PNG, GIF, BMP.
      height, width: of the picture as it is to be seen, orientation applied.
      orientation: EXIF's, 1 to 8.
      contents: string, what to decode: the file, or of a GIF its first frame alone.
    """

    kind: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    orientation: tf.Tensor
    contents: tf.Tensor


def read_header(contents: tf.Tensor) -> Header:
    """Read the header of a picture file, string scalar.

    When it runs, it is INVALID_ARGUMENT if the bytes are none of the four formats, or their header is damaged.
    """
    starts = tf.stack([tf.strings.substr(contents, 0, len(magic)) == magic for magic in _MAGIC_BYTES])
    contents = require(tf.reduce_any(starts), contents, "not a picture: the bytes are no JPEG, PNG, GIF or BMP file")
    kind = tf.argmax(tf.cast(starts, tf.int32), output_type=tf.int32)
    data = tf.concat([tf.io.decode_raw(contents, tf.uint8), tf.zeros([_PADDING], tf.uint8)], 0)
    readers = (_jpeg_header, _png_header, _gif_header, _bmp_header)
    height, width, exif, contents = tf.switch_case(
        kind, [lambda reader=reader: reader(contents, data) for reader in readers]
    )
    contents = require((height > 0) & (width > 0), contents, "the picture has no pixels, or its header is damaged")
    orientation = _orientation(data, exif)
    lies = orientation >= 5
    return Header(kind, tf.where(lies, width, height), tf.where(lies, height, width), orientation, contents)


def require(met: tf.Tensor, value: tf.Tensor, *sentence: str | tf.Tensor) -> tf.Tensor:
    """`value`, which is not computed with any further unless a condition is met.

    Args:
      met: bool scalar.
      value: any tensor.
      sentence: what the client is told otherwise, as INVALID_ARGUMENT: text and numbers, joined.
    """
    words = [part if isinstance(part, str) else tf.strings.as_string(part) for part in sentence]
    with tf.control_dependencies([tf.debugging.Assert(met, [tf.strings.join(words)])]):
        return tf.identity(value)


# Each reader takes the file, as a string and as bytes with zeros after them, and gives height, width, where an EXIF
# block starts (-1: there is none), and what to decode.


def _jpeg_header(contents, data):
    height, width, _ = tf.unstack(tf.cast(tf.image.extract_jpeg_shape(contents), tf.int64), 3)

    def is_segment(place, _):
        return (_byte(data, place) == 0xFF) & (_byte(data, place + 1) != 0xDA)  # after DA come the pixels

    def next_segment(place, exif):
        is_exif = (_byte(data, place + 1) == 0xE1) & _is(data, place + 4, b"Exif\0\0")
        length = tf.maximum(_big_endian(data, place + 2, 2), 2)
        return place + 2 + length, tf.where((exif < 0) & is_exif, place + 10, exif)

    return height, width, _exif_place(is_segment, next_segment, 2), contents


def _png_header(contents, data):
    def is_chunk(place, _):
        return (place < _size(data)) & ~_is(data, place + 4, b"IDAT")

    def next_chunk(place, exif):
        is_exif = _is(data, place + 4, b"eXIf")
        return place + 12 + _big_endian(data, place, 4), tf.where((exif < 0) & is_exif, place + 8, exif)

    return _big_endian(data, 20, 4), _big_endian(data, 16, 4), _exif_place(is_chunk, next_chunk, 8), contents


def _gif_header(contents, data):
    """The size of the first frame, and a file of it alone, moved to the upper left corner."""
    start = _skip_extensions(data, 13 + _palette_bytes(_byte(data, 10)))
    start = require(_byte(data, start) == 0x2C, start, "the GIF file holds no picture, or is damaged")
    width, height = _little_endian(data, start + 5, 2), _little_endian(data, start + 7, 2)
    pixels = start + 11 + _palette_bytes(_byte(data, start + 9))
    # Blocks are 255 bytes long as a rule, and a pixel takes 1.5 bytes at most: this is room for eight times as many.
    end = _skip_blocks(data, pixels, width * height // 20 + _MAX_PARTS)
    frame = tf.strings.join(
        [
            tf.strings.substr(contents, tf.zeros_like(start), start + 1),
            _ORIGIN,
            _slice(contents, start + 5, end),
            _TRAILER,
        ]
    )
    return height, width, tf.constant(_NOWHERE, tf.int64), frame


def _bmp_header(contents, data):
    width, height = (_signed(_little_endian(data, place, 4)) for place in (18, 22))
    height = tf.abs(height)  # negative where the rows come from top to bottom
    pixels, header_bytes = _little_endian(data, 10, 4), _little_endian(data, 14, 4)
    bits, compression = _little_endian(data, 28, 2), _little_endian(data, 30, 4)
    is_plain = ((bits == 24) & (compression == 0)) | ((bits == 32) & ((compression == 0) | (compression == 3)))
    contents = require(
        is_plain & (header_bytes >= 40) & (pixels >= 54),
        contents,
        "of BMP files, those with 24 or 32 bits a pixel and without compression can be read; send others as PNG",
    )
    row_bytes = (tf.maximum(width, 0) * bits // 8 + 3) // 4 * 4
    contents = require(pixels + row_bytes * height <= _size(data), contents, "the BMP file is cut short, or damaged")
    return height, width, tf.constant(_NOWHERE, tf.int64), contents


def _exif_place(has_next, go_on, start: int):
    """Walk over the parts of a file, from one to the next, to where its EXIF block starts."""
    loop = (tf.constant(start, tf.int64), tf.constant(_NOWHERE, tf.int64))
    return tf.while_loop(has_next, go_on, loop, maximum_iterations=_MAX_PARTS, parallel_iterations=1)[1]


def _orientation(data, exif):
    """What an EXIF block says, 1 to 8; 1 where there is no block, or nothing in it."""
    is_little = _byte(data, exif) == ord("I")

    def read(places, num_bytes):
        return tf.where(is_little, _little_endian(data, places, num_bytes), _big_endian(data, places, num_bytes))

    directory = exif + read(exif + 4, 4)
    num_entries = tf.minimum(read(directory, 2), _MAX_EXIF_ENTRIES)
    entries = directory + 2 + 12 * tf.range(num_entries)
    found = tf.where(read(entries, 2) == _ORIENTATION_TAG, read(entries + 8, 2), 0)
    orientation = tf.reduce_max(tf.concat([tf.ones([1], tf.int64), found], 0))
    return tf.where((exif >= 0) & (orientation <= 8), orientation, tf.ones([], tf.int64))


def _skip_extensions(data, start):
    """The place after a GIF's extensions."""
    return _repeat(
        lambda place: _byte(data, place) == 0x21,
        lambda place: _skip_blocks(data, place + 2, _MAX_PARTS) + 1,
        start,
        _MAX_PARTS,
    )


def _skip_blocks(data, start, max_blocks):
    """The place of the empty block that ends a GIF's chain of blocks: each a byte for its length, and so many bytes."""
    return _repeat(
        lambda place: _byte(data, place) != 0, lambda place: place + 1 + _byte(data, place), start, max_blocks
    )


def _repeat(has_next, go_on, place, max_times):
    max_times = tf.cast(max_times, tf.int32)
    (place,) = tf.while_loop(
        has_next, lambda place: (go_on(place),), (place,), maximum_iterations=max_times, parallel_iterations=1
    )
    return place


def _palette_bytes(flags):
    """Bytes of a GIF's colour table, by the flags before it."""
    return tf.where(flags >= 0x80, 3 * tf.bitwise.left_shift(tf.constant(2, tf.int64), flags % 8), 0)


def _size(data):
    return tf.size(data, tf.int64) - _PADDING


def _slice(contents, start, end):
    length = tf.cast(tf.strings.length(contents), tf.int64)
    start, end = tf.minimum(start, length), tf.minimum(end, length)
    return tf.strings.substr(contents, start, tf.maximum(end - start, 0))


def _is(data, place, text: bytes):
    return tf.reduce_all(_bytes(data, place, len(text)) == list(text))


def _byte(data, place):
    return _bytes(data, place, 1)[0]


def _little_endian(data, places, num_bytes: int):
    return tf.reduce_sum(_bytes(data, places, num_bytes) * [256**power for power in range(num_bytes)], -1)


def _big_endian(data, places, num_bytes: int):
    return tf.reduce_sum(_bytes(data, places, num_bytes) * [256**power for power in range(num_bytes)][::-1], -1)


def _bytes(data, places, num_bytes: int):
    """The bytes from each place on, int64 [..., num_bytes]."""
    places = tf.expand_dims(tf.cast(places, tf.int64), -1) + tf.range(num_bytes, dtype=tf.int64)
    places = tf.clip_by_value(places, 0, tf.size(data, tf.int64) - 1)
    return tf.cast(tf.gather(data, places), tf.int64)


def _signed(number):
    return tf.where(number < 2**31, number, number - 2**32)
