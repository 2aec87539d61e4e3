"""Headers of picture files inside a graph: size and orientation of a JPEG, PNG, GIF or BMP before it is decoded.

TensorFlow decodes these formats, but it allocates before anybody has seen the size, does not know the orientation that
cameras note in EXIF, and decodes all frames of a GIF to give the first. A server must refuse what is too large before
that, and has nothing but TensorFlow's operators for it. Loops are bounded by the file's size, with a good margin over
what honest files need. All numbers here are int64.
"""

from typing import NamedTuple

import tensorflow as tf

from export.serving.facts import MAGIC_BYTES
from export.serving.graph_bytes import big_endian, byte, file_bytes, file_size, is_text, little_endian, part, signed

JPEG, PNG, GIF, BMP = range(len(MAGIC_BYTES))
_MAX_SIDE = 2**31 - 1
_MAX_PARTS = 512  # segments, chunks or blocks, beside those that the file's size accounts for
_BYTES_PER_CHUNK = 1024  # of a PNG: encoders write 8 kB and more
_BYTES_PER_BLOCK = 32  # of a GIF: encoders write 255, and text among the extensions passes for blocks of 32 and more
_BYTES_PER_SCAN = 16384  # of a JPEG: each takes time for the whole picture, and progressive files have ten
_MAX_EXIF_ENTRIES = 512
_ORIENTATION_TAG, _EXIF_LONG = 0x0112, 4
_EXTENSION, _FRAME = 0x21, 0x2C  # what a part of a GIF begins with
_NOWHERE = -1


class Header(NamedTuple):
    """What is known of a picture before it is decoded; scalars.

    Attributes:
      kind: int32, one of JPEG, PNG, GIF, BMP.
      height, width: of the picture as it is to be seen, orientation applied.
      orientation: EXIF's, 1 to 8.
      frame: of a GIF, where its first frame begins in the file.
      contents: string, the file.
    """

    kind: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    orientation: tf.Tensor
    frame: tf.Tensor
    contents: tf.Tensor


def read_header(contents: tf.Tensor) -> Header:
    """Read the header of a picture file, string scalar.

    When it runs, it is INVALID_ARGUMENT if the bytes are none of the four formats, or their header is damaged.
    """
    starts = tf.stack([tf.strings.substr(contents, 0, len(magic)) == magic for magic in MAGIC_BYTES])
    contents = require(tf.reduce_any(starts), contents, "not a picture: the bytes are no JPEG, PNG, GIF or BMP file")
    kind = tf.argmax(tf.cast(starts, tf.int32), output_type=tf.int32)
    data = file_bytes(contents)
    readers = (_jpeg_header, _png_header, _gif_header, _bmp_header)
    height, width, exif, frame = tf.switch_case(
        kind, [lambda reader=reader: reader(contents, data) for reader in readers]
    )
    is_possible = (tf.minimum(height, width) > 0) & (tf.maximum(height, width) <= _MAX_SIDE)
    contents = require(is_possible, contents, "the picture has no pixels, or its header is damaged")
    orientation = _orientation(data, exif)
    lies = orientation >= 5
    height, width = tf.where(lies, width, height), tf.where(lies, height, width)
    return Header(kind, height, width, orientation, frame, contents)


def first_frame(header: Header) -> tf.Tensor:
    """A GIF file of the first frame alone, moved to the upper left corner; string scalar."""
    data, start = file_bytes(header.contents), header.frame
    pixels = start + 11 + _palette_bytes(byte(data, start + 9))
    end, is_cut = _walk_gif(data, pixels, is_inside=True, goes_on=lambda _, is_inside: is_inside)
    end = require(~is_cut, end, "the GIF file is damaged")
    head, place = part(header.contents, tf.zeros_like(start), start + 1), b"\0\0\0\0"
    return tf.strings.join([head, place, part(header.contents, start + 5, end - 1), b"\0;"])


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


# Each reader takes the file, as a string and as bytes, and gives height, width, where an EXIF block starts, and where a
# GIF's first frame does; _NOWHERE where there is none.


def _jpeg_header(contents, data):
    height, width, _ = tf.unstack(tf.cast(tf.image.extract_jpeg_shape(contents), tf.int64), 3)
    num_scans = tf.reduce_sum(tf.cast((data[:-1] == 0xFF) & (data[1:] == 0xDA), tf.int64))
    max_scans = 100 + file_size(data) // _BYTES_PER_SCAN
    height = require(num_scans <= max_scans, height, "the JPEG file has ", num_scans, " scans, too many for a photo")

    def is_segment(place, _):
        return (byte(data, place) == 0xFF) & (byte(data, place + 1) != 0xDA)  # after DA come the pixels

    def next_segment(place, exif):
        is_exif = (byte(data, place + 1) == 0xE1) & is_text(data, place + 4, b"Exif\0\0")
        length = 2 + tf.maximum(big_endian(data, place + 2, 2), 2)
        is_filler = byte(data, place + 1) == 0xFF
        return place + tf.where(is_filler, tf.ones_like(length), length), tf.where(
            (exif < 0) & is_exif, place + 10, exif
        )

    exif = _exif_place(is_segment, next_segment, 2, tf.constant(_MAX_PARTS))
    return height, width, exif, _nowhere()


def _png_header(contents, data):
    def is_chunk(place, _):
        return place < file_size(data)

    def next_chunk(place, exif):
        is_exif = is_text(data, place + 4, b"eXIf")
        return place + 12 + big_endian(data, place, 4), tf.where((exif < 0) & is_exif, place + 8, exif)

    exif = _exif_place(is_chunk, next_chunk, 8, _MAX_PARTS + file_size(data) // _BYTES_PER_CHUNK)
    return big_endian(data, 20, 4), big_endian(data, 16, 4), exif, _nowhere()


def _gif_header(contents, data):
    def goes_on(place, is_inside):
        return is_inside | (byte(data, place) == _EXTENSION)

    start = 13 + _palette_bytes(byte(data, 10))
    frame, is_cut = _walk_gif(data, start, is_inside=False, goes_on=goes_on)
    is_there = ~is_cut & (byte(data, frame) == _FRAME)
    frame = require(is_there, frame, "the GIF file holds no picture, or is damaged")
    return little_endian(data, frame + 7, 2), little_endian(data, frame + 5, 2), _nowhere(), frame


def _bmp_header(contents, data):
    width, height = (signed(little_endian(data, place, 4)) for place in (18, 22))
    height = tf.abs(height)  # negative where the rows come from top to bottom
    pixels, header_bytes = little_endian(data, 10, 4), little_endian(data, 14, 4)
    bits, compression = little_endian(data, 28, 2), little_endian(data, 30, 4)
    masks = little_endian(data, tf.constant([54, 58, 62]), 4)
    has_usual_masks = tf.reduce_all(masks == [0xFF0000, 0xFF00, 0xFF])
    is_plain = (compression == 0) & ((bits == 24) | (bits == 32))
    is_plain |= (compression == 3) & (bits == 32) & has_usual_masks
    height = require(
        is_plain & (header_bytes >= 40) & (pixels >= 54),
        height,
        "of BMP files, those with 24 or 32 bits a pixel and without compression can be read; send others as PNG",
    )
    row_bytes = (tf.maximum(width, 0) * bits // 8 + 3) // 4 * 4
    is_whole = pixels + row_bytes * height <= file_size(data)
    return require(is_whole, height, "the BMP file is cut short, or damaged"), width, _nowhere(), _nowhere()


def _exif_place(has_next, go_on, start: int, max_parts):
    """Walk over the parts of a file, from one to the next, to where its EXIF block starts."""
    loop = (tf.constant(start, tf.int64), _nowhere())
    max_parts = tf.cast(max_parts, tf.int32)
    return tf.while_loop(has_next, go_on, loop, maximum_iterations=max_parts, parallel_iterations=1)[1]


def _orientation(data, exif):
    """What an EXIF block says, 1 to 8; 1 where there is no block, or nothing in it."""
    is_little = byte(data, exif) == ord("I")

    def read(places, num_bytes):
        return tf.where(is_little, little_endian(data, places, num_bytes), big_endian(data, places, num_bytes))

    directory = exif + read(exif + 4, 4)
    num_entries = tf.minimum(read(directory, 2), _MAX_EXIF_ENTRIES)
    entries = directory + 2 + 12 * tf.range(num_entries)
    values = tf.where(read(entries + 2, 2) == _EXIF_LONG, read(entries + 8, 4), read(entries + 8, 2))
    found = tf.where(read(entries, 2) == _ORIENTATION_TAG, values, 0)
    orientation = tf.reduce_max(tf.concat([tf.ones([1], tf.int64), found], 0))
    return tf.where((exif >= 0) & (orientation <= 8), orientation, tf.ones([], tf.int64))


def _walk_gif(data, start, is_inside: bool, goes_on):
    """Walk over a GIF's extensions, and inside these and frames over chains of blocks: a byte of length, and so many.

    Args:
      data: the file.
      start: of the walk.
      is_inside: whether that is a chain's first block.
      goes_on: whether to go on, by the place and whether it is inside a chain.

    Returns:
      the place where it ended, and whether that is only so because the file has too many blocks for its size.
    """

    def step(place, is_inside):
        length = byte(data, place)
        return tf.where(is_inside, place + 1 + length, place + 2), ~is_inside | (length != 0)

    max_steps = tf.cast(_MAX_PARTS + file_size(data) // _BYTES_PER_BLOCK, tf.int32)
    loop = (start, tf.constant(is_inside))
    place, is_inside = tf.while_loop(goes_on, step, loop, maximum_iterations=max_steps, parallel_iterations=1)
    return place, is_inside


def _palette_bytes(flags):
    """Bytes of a GIF's colour table, by the flags before it."""
    return tf.where(flags >= 0x80, 3 * tf.bitwise.left_shift(tf.constant(2, tf.int64), flags % 8), 0)


def _nowhere():
    return tf.constant(_NOWHERE, tf.int64)
