"""Headers of picture files inside a graph: size and orientation of a JPEG, PNG, GIF or BMP file before it is decoded.

TensorFlow decodes these formats, but it allocates memory before the size can be checked, ignores the EXIF orientation,
and decodes all frames of a GIF. A server must refuse pictures that are too large before that, with TensorFlow's
operators only. Loops are bounded by the file's size, with a wide margin over what honest files need. All numbers here
are int64.
"""

from typing import NamedTuple

import tensorflow as tf

from export.serving.file_kinds import kind_of
from export.serving.gif_pixels import canvas_size, palette_bytes
from export.serving.graph_bytes import big_endian, byte, file_bytes, is_text, little_endian, signed
from export.serving.problems import attempt, first, require_none, unless

_MAX_SIDE = 2**31 - 1
_MAX_PARTS = 512  # segments, chunks or blocks, in addition to the number that the file's size accounts for
_BYTES_PER_CHUNK = 1024  # least size of a PNG's chunks on average; encoders write 8 kB and more
_BYTES_PER_BLOCK = 32  # least size of a GIF's blocks on average; encoders write 255, and text reads as 32 and more
_BYTES_PER_SCAN = 16384  # least size of a JPEG's scans on average; each costs a pass over the whole picture
_MAX_EXIF_ENTRIES = 512
_ORIENTATION_TAG = 0x0112
_EXIF_LONG = 4
_EXTENSION = 0x21  # first byte of a GIF's extension
_FRAME = 0x2C  # first byte of a GIF's frame
_NOWHERE = -1


class Header(NamedTuple):
    """The facts about a picture that are known before it is decoded, as scalars.

    Attributes:
      kind: int32, the index of the format in `MAGIC_BYTES`.
      height: height of the upright picture.
      width: width of the upright picture.
      orientation: EXIF orientation, 1 to 8.
      frame: position of a GIF's first frame in the file.
      is_streamed: bool, whether the file is a JPEG of one scan, which takes no memory for its coefficients.
      contents: string, the file.
      problem: string, the reason why the file cannot be drawn; "" if none is known before it is decoded.
    """

    kind: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    orientation: tf.Tensor
    frame: tf.Tensor
    is_streamed: tf.Tensor
    contents: tf.Tensor
    problem: tf.Tensor


def read_header(contents: tf.Tensor) -> Header:
    """Read the header of a picture file, string scalar."""
    data = file_bytes(contents)
    kind, refusal = kind_of(data)
    readers = (_jpeg_header, _png_header, _gif_header, _bmp_header, _no_header)
    branches = [lambda reader=reader: reader(contents, data) for reader in readers]
    height, width, exif, frame, is_streamed, problem = tf.switch_case(kind, branches)
    is_possible = (tf.minimum(height, width) > 0) & (tf.maximum(height, width) <= _MAX_SIDE)
    orientation = _orientation(data, exif)
    is_on_its_side = orientation >= 5
    return Header(
        kind=kind,
        height=tf.where(is_on_its_side, width, height),
        width=tf.where(is_on_its_side, height, width),
        orientation=orientation,
        frame=frame,
        is_streamed=is_streamed,
        contents=contents,
        problem=first(refusal, problem, unless(is_possible, "the picture has no pixels, or its header is damaged")),
    )


def end_of_frame(header: Header) -> tf.Tensor:
    """Return the position after the last block of a GIF's first frame."""
    data = file_bytes(header.contents)
    pixels = header.frame + 11 + palette_bytes(byte(data, header.frame + 9))
    end, is_incomplete = _walk_gif(data, pixels, is_inside=True, goes_on=lambda _, is_inside: is_inside)
    return require_none(unless(~is_incomplete, "the GIF file is damaged"), end)


# Each reader takes the file, as a string and as bytes. It returns the height, the width, the position of the EXIF block
# and of a GIF's first frame, whether the file is streamed, and the problem. A position is _NOWHERE if there is no such
# part.


def _jpeg_header(contents, data):
    shape = attempt(tf.image.extract_jpeg_shape, contents, tf.zeros([3], tf.int32))
    height, width, _ = tf.unstack(tf.cast(shape, tf.int64))
    num_scans = tf.reduce_sum(tf.cast((data.values[:-1] == 0xFF) & (data.values[1:] == 0xDA), tf.int64))
    max_scans = 100 + data.size // _BYTES_PER_SCAN
    problem = first(
        unless(height > 0, "the JPEG file is damaged, or of a kind that a server does not read"),
        unless(num_scans <= max_scans, "the JPEG file has ", num_scans, " scans, too many for a photo"),
    )

    def is_segment(position, *_):
        marker = byte(data, position + 1)
        has_length = (marker >= 0xC0) & ((marker < 0xD0) | (marker > 0xDA))  # the pixels follow DA
        return (byte(data, position) == 0xFF) & has_length

    def next_segment(position, exif, frame):
        marker = byte(data, position + 1)
        is_exif = (marker == 0xE1) & is_text(data, position + 4, b"Exif\0\0")
        exif = tf.where((exif < 0) & is_exif, position + 10, exif)
        frame = tf.where((marker == 0xC0) | (marker == 0xC1), position, frame)
        length = 2 + tf.maximum(big_endian(data, position + 2, 2), 2)
        is_filler = byte(data, position + 1) == 0xFF
        return position + tf.where(is_filler, tf.ones_like(length), length), exif, frame

    start = (tf.constant(2, tf.int64), _nowhere(), _nowhere())
    end, exif, frame = tf.while_loop(
        is_segment, next_segment, start, maximum_iterations=_MAX_PARTS, parallel_iterations=1
    )
    # In one scan, all of the frame's components are interleaved.
    is_one_scan = (byte(data, end + 1) == 0xDA) & (byte(data, end + 4) == byte(data, frame + 9))
    return height, width, exif, _nowhere(), (frame >= 0) & is_one_scan, problem


def _png_header(contents, data):
    def is_chunk(position, _):
        return position < data.size

    def next_chunk(position, exif):
        is_exif = is_text(data, position + 4, b"eXIf")
        exif = tf.where((exif < 0) & is_exif, position + 8, exif)
        return position + 12 + big_endian(data, position, 4), exif

    exif = _exif_position(is_chunk, next_chunk, 8, _MAX_PARTS + data.size // _BYTES_PER_CHUNK)
    height = big_endian(data, 20, 4)
    width = big_endian(data, 16, 4)
    return height, width, exif, _nowhere(), tf.constant(False), tf.constant("")


def _gif_header(contents, data):
    def goes_on(position, is_inside):
        return is_inside | (byte(data, position) == _EXTENSION)

    start = 13 + palette_bytes(byte(data, 10))
    frame, is_incomplete = _walk_gif(data, start, is_inside=False, goes_on=goes_on)
    has_frame = ~is_incomplete & (byte(data, frame) == _FRAME)
    height, width = canvas_size(data, frame)
    problem = unless(has_frame, "the GIF file holds no picture, or is damaged")
    return height, width, _nowhere(), frame, tf.constant(False), problem


def _bmp_header(contents, data):
    numbers = little_endian(data, tf.constant([10, 14, 18, 22, 30, 54, 58, 62], tf.int64), 4)
    pixels, header_bytes, width, height, compression = tf.unstack(numbers[:5])
    width = signed(width)
    height = tf.abs(signed(height))  # negative if the top row comes first
    bits = little_endian(data, 28, 2)
    has_usual_masks = tf.reduce_all(numbers[5:] == [0xFF0000, 0xFF00, 0xFF])
    is_plain = (compression == 0) & ((bits == 24) | (bits == 32))
    is_plain |= (compression == 3) & (bits == 32) & has_usual_masks
    is_plain &= (header_bytes >= 40) & (pixels >= 54)
    row_bytes = (tf.maximum(width, 0) * bits // 8 + 3) // 4 * 4
    problem = first(
        unless(is_plain, "a BMP file must have 24 or 32 bits per pixel and no compression; send others as PNG"),
        unless(pixels + row_bytes * height <= data.size, "the BMP file is incomplete or damaged"),
    )
    return height, width, _nowhere(), _nowhere(), tf.constant(False), problem


def _no_header(*_):
    none = tf.zeros([], tf.int64)
    return none, none, _nowhere(), _nowhere(), tf.constant(False), tf.constant("")


def _exif_position(has_next, go_on, start: int, max_parts):
    """Walk over the parts of a file from `start`, and return the position of its EXIF block."""
    loop = (tf.constant(start, tf.int64), _nowhere())
    max_parts = tf.cast(max_parts, tf.int32)
    _, exif = tf.while_loop(has_next, go_on, loop, maximum_iterations=max_parts, parallel_iterations=1)
    return exif


def _orientation(data, exif):
    """Return the orientation in an EXIF block, 1 to 8; 1 if there is no block, or no valid orientation in it."""
    is_little = byte(data, exif) == ord("I")

    def read(positions, num_bytes):
        little = little_endian(data, positions, num_bytes)
        big = big_endian(data, positions, num_bytes)
        return tf.where(is_little, little, big)

    directory = exif + read(exif + 4, 4)
    num_entries = tf.minimum(read(directory, 2), _MAX_EXIF_ENTRIES)
    entries = directory + 2 + 12 * tf.range(num_entries)
    values = tf.where(read(entries + 2, 2) == _EXIF_LONG, read(entries + 8, 4), read(entries + 8, 2))
    orientations = tf.where(read(entries, 2) == _ORIENTATION_TAG, values, 0)
    orientation = tf.reduce_max(tf.concat([tf.ones([1], tf.int64), orientations], 0))
    return tf.where((exif >= 0) & (orientation <= 8), orientation, tf.ones([], tf.int64))


def _walk_gif(data, start, is_inside: bool, goes_on):
    """Walk over the extensions of a GIF, and over the chains of blocks in its extensions and frames.

    A block is a byte with its length, and as many bytes of data. A block of length 0 ends a chain.

    Args:
      data: bytes of the file.
      start: position to start from.
      is_inside: whether a chain of blocks begins there.
      goes_on: function of a position, and of whether it is inside a chain; returns whether the walk goes on.

    Returns:
      the position where the walk ended, and whether it ended only because the file has too many blocks for its size.
    """

    def step(position, is_inside):
        length = byte(data, position)
        next_position = tf.where(is_inside, position + 1 + length, position + 2)
        return next_position, ~is_inside | (length != 0)

    max_steps = tf.cast(_MAX_PARTS + data.size // _BYTES_PER_BLOCK, tf.int32)
    loop = (start, tf.constant(is_inside))
    position, is_inside = tf.while_loop(goes_on, step, loop, maximum_iterations=max_steps, parallel_iterations=1)
    return position, is_inside


def _nowhere():
    return tf.constant(_NOWHERE, tf.int64)
