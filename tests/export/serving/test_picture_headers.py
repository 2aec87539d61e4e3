"""Headers and pixels read inside a graph, against Pillow."""

import io
import re
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from cartoongan_tf.base.errors import assertion_text
from cartoongan_tf.media import pictures
from export.serving import picture_headers
from export.serving.problems import require_none
from tests.export.serving.mutations import encode, picture_files
from tests.helpers import draw

IMAGE = Image.fromarray(draw(2, 30, 44))


@pytest.fixture(scope="module")
def read_size():
    """Height and width alone."""

    def graph(contents):
        header = picture_headers.read_header(contents)
        return require_none(header.problem, header.height), header.width

    return tf.function(graph, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)


def _pillow(content):
    return pictures.read_picture(io.BytesIO(content))


def test_pixels_are_those_that_pillow_reads(read):
    for name, content in picture_files():
        header, pixels = read(content)
        expected = _pillow(content)
        assert (int(header.height), int(header.width)) == expected.shape[:2], name
        assert pixels.shape == (*expected.shape[:2], 4), name
        # JPEG decoders may differ by rounding; here both are libjpeg-turbo's accurate one.
        tolerance = 2 if "JPEG" in name else 0
        np.testing.assert_allclose(pixels[..., :3].numpy().astype(int), expected, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("format, endian", [("JPEG", "<"), ("JPEG", ">"), ("PNG", "<"), ("PNG", ">")])
def test_exif_orientation_is_applied(read, format, endian):
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif.endian = endian
        exif[0x010F] = "maker"  # the orientation is not the first entry
        exif[0x0112] = orientation
        content = encode(IMAGE, format, exif=exif)
        expected = _pillow(content)
        header, pixels = read(content)
        assert int(header.orientation) == orientation
        assert (int(header.height), int(header.width)) == expected.shape[:2], orientation
        rgb = pixels[..., :3].numpy().astype(int)
        np.testing.assert_allclose(rgb, expected, atol=2, err_msg=f"orientation {orientation}")


def test_orientations_that_do_not_exist_are_ignored(read):
    for orientation in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        header, _ = read(encode(IMAGE, "JPEG", exif=exif))
        assert int(header.orientation) == 1, orientation


def test_alpha_is_a_pngs_own_and_white_where_nothing_is_seen(read):
    rgba = np.dstack([draw(1, 9, 11), np.full((9, 11), 128, np.uint8)])
    rgba[:3] = [7, 7, 7, 0]
    pixels = read(encode(Image.fromarray(rgba), "PNG"))[1].numpy()
    np.testing.assert_array_equal(pixels[3:], rgba[3:])
    assert (pixels[:3] == [255, 255, 255, 0]).all()


def test_of_a_gif_the_first_frame_counts_alone(read):
    """The others are not decoded: here they are damaged."""
    frames = [Image.fromarray(draw(seed, 30, 44)).quantize(32) for seed in range(3)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    pixels = read(content[: len(content) * 2 // 3] + b"\x55" * 200)[1]
    np.testing.assert_array_equal(pixels[..., :3], np.asarray(frames[0].convert("RGB")))


def _png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _claims(format, height, width):
    """A file whose header claims a size, with no pixels to speak of."""
    if format == "PNG":
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", zlib.compress(b"\0" * 100))
    content = bytearray(encode(IMAGE, format))
    if format == "JPEG":
        place = content.index(b"\xff\xc0")
        content[place + 5 : place + 9] = struct.pack(">HH", height, width)
    else:
        place = content.index(b"\x2c\0\0\0\0")
        content[place + 5 : place + 9] = content[6:10] = struct.pack("<HH", width, height)
    return bytes(content)


def test_sizes_come_from_the_header_alone(read_size):
    """Nothing is decoded to learn them: these files could not be."""
    for format in ("JPEG", "PNG", "GIF"):
        assert [int(side) for side in read_size(_claims(format, 60_000, 50_001))] == [60_000, 50_001], format


def _refusal(read, content):
    """The reason for which a file is refused."""
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        read(content)
    return assertion_text(caught.value.message)


@pytest.mark.parametrize(
    "content, named",
    [
        (b"", "not a picture"),
        (b"hello, world", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "header"),
        (b"GIF89a", "GIF"),
        (b"BM", "BMP"),
        (encode(IMAGE, "BMP")[:900], "incomplete"),
        (encode(IMAGE.quantize(16), "BMP"), "24 or 32 bits"),
        (encode(IMAGE, "JPEG")[:300], "JPEG"),
        (encode(IMAGE, "PNG")[:60], "PNG"),
        (encode(IMAGE, "GIF")[:200], "GIF"),
        (_claims("PNG", 0, 10), "no pixels"),
    ],
)
def test_damaged_files_are_invalid_arguments(read, content, named):
    assert named.lower() in _refusal(read, content).lower()


@pytest.mark.parametrize(
    "extensions",
    [
        b"\x21\xfe\0" * 100_000,  # many
        b"\x21\xfe" + b"\x01a" * 100_000 + b"\0",  # one of many small blocks
        b"\x21\xfe" + b"\x01\x2c" * 600 + b"\0",  # after 512 of which a small picture seems to begin
    ],
)
def test_endless_chains_of_a_gif_are_refused(read, extensions):
    """They keep nobody busy for long, and do not lead past the size."""
    gif = encode(Image.new("P", (600, 600)), "GIF")
    place = gif.index(b"\x2c\0\0\0\0")
    assert "GIF" in _refusal(read, gif[:place] + extensions + gif[place:])


def test_text_among_the_extensions_of_a_gif_is_skipped(read):
    """XMP is not cut into blocks: its letters pass for their lengths, until a run of all lengths leads to the end."""
    gif = encode(IMAGE.quantize(16), "GIF")
    place = gif.index(b"\x2c\0\0\0\0")
    xmp = b"\x21\xff\x0bXMP DataXMP" + b"<x:xmpmeta> photo of a castle </x:xmpmeta>\n" * 500
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    pixels = read(gif[:place] + xmp + trailer + gif[place:])[1]
    np.testing.assert_array_equal(pixels[..., :3], np.asarray(IMAGE.quantize(16).convert("RGB")))


def test_a_gif_frame_of_needlessly_small_blocks_is_refused(read):
    gif = encode(IMAGE.quantize(16), "GIF")
    place = gif.index(b"\x2c\0\0\0\0") + 11
    assert "GIF" in _refusal(read, gif[:place] + b"\x01a" * 100_000 + gif[place:])


def test_segments_of_a_jpeg_without_end_are_skipped(read):
    jpeg = encode(IMAGE, "JPEG")
    many_segments = jpeg[:2] + b"\xff\xe2\0\x02" * 100_000 + jpeg[2:]
    np.testing.assert_allclose(read(many_segments)[1][..., :3].numpy().astype(int), _pillow(jpeg), atol=2)


def test_a_jpeg_of_too_many_scans_is_refused(read):
    """Each of them takes the time of the whole picture."""
    jpeg = encode(IMAGE, "JPEG", progressive=True)
    start = jpeg.rindex(b"\xff\xda")
    assert re.match(r"the JPEG file has \d+ scans", _refusal(read, jpeg[:start] + jpeg[start:-2] * 300 + jpeg[-2:]))


def _is_turned(read, content):
    """Whether a file with EXIF orientation 6 is read upright."""
    _, pixels = read(content)
    return pixels.shape == (IMAGE.width, IMAGE.height, 4)


def test_exif_is_found_in_unusual_places(read):
    exif = Image.Exif()
    exif[0x0112] = 6
    jpeg = encode(IMAGE, "JPEG", exif=exif)
    place = jpeg.index(b"\xff\xe1")
    assert _is_turned(read, jpeg[:place] + b"\xff\xff" + jpeg[place:])  # fill bytes before a marker
    png = encode(IMAGE, "PNG", exif=exif)
    start = png.index(b"eXIf") - 4
    chunk = png[start : start + 12 + int.from_bytes(png[start : start + 4], "big")]
    moved = png.replace(chunk, b"")
    assert _is_turned(read, moved[:-12] + chunk + moved[-12:])  # after the pixels
    for order, layout in ((b"MM\0*", ">"), (b"II*\0", "<")):
        entry = struct.pack(f"{layout}HHII", 0x0112, 4, 1, 6)  # a number of four bytes
        block = order + struct.pack(f"{layout}IH", 8, 1) + entry + bytes(4)
        assert _is_turned(read, encode(IMAGE, "JPEG", exif=b"Exif\0\0" + block)), order


def test_bmp_colours_in_another_order_are_refused(read):
    bmp = bytearray(encode(IMAGE.convert("RGBA"), "BMP"))
    bmp[30:34] = struct.pack("<I", 3)
    masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    bmp[10:14] = struct.pack("<I", 66)
    usual = bytes(bmp[:54]) + masks + bytes(bmp[54:])
    np.testing.assert_array_equal(read(usual)[1][..., :3], np.asarray(IMAGE))
    assert "BMP" in _refusal(read, bytes(bmp[:54]) + masks[::-1] + bytes(bmp[54:]))


def test_a_bmp_from_top_to_bottom_is_read(read):
    """The height is negative; the rows of other BMP files begin at the bottom."""
    upright = bytearray(encode(IMAGE, "BMP"))
    offset = int.from_bytes(upright[10:14], "little")
    width, height = IMAGE.size
    row_bytes = (3 * width + 3) // 4 * 4
    rows = [upright[offset + row * row_bytes :][:row_bytes] for row in range(height)]
    flipped = bytes(upright[:22]) + (-height).to_bytes(4, "little", signed=True) + bytes(upright[26:offset])
    content = flipped + b"".join(bytes(row) for row in reversed(rows))
    header, pixels = read(content)
    assert (int(header.height), int(header.width)) == (height, width)
    np.testing.assert_array_equal(pixels[..., :3], np.asarray(IMAGE.convert("RGB")))


def test_sides_beyond_all_numbers_are_refused(read_size):
    assert "header" in _refusal(read_size, _claims("PNG", 2**32 - 1, 2**32 - 1))
