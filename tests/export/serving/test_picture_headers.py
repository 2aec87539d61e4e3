"""Headers and pixels read inside a graph, against Pillow."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from cartoongan_tf.media import pictures
from export.serving import encoded_pictures, picture_headers
from tests.export.serving.mutations import encode, picture_files
from tests.helpers import draw

IMAGE = Image.fromarray(draw(2, 30, 44))


@pytest.fixture(scope="module")
def read():
    """The header of a file, and its pixels."""

    def graph(contents):
        header = picture_headers.read_header(contents)
        return header, encoded_pictures.decode(header)

    return tf.function(graph, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)


@pytest.fixture(scope="module")
def read_size():
    """Height and width alone."""

    def graph(contents):
        header = picture_headers.read_header(contents)
        return header.height, header.width

    return tf.function(graph, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)


def _pillow(content):
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))


@pytest.mark.parametrize("name, content", [pair for pair in picture_files() if pair[0] != "16-bit PNG"])
def test_pixels_are_those_that_pillow_reads(read, name, content):
    header, pixels = read(content)
    expected = _pillow(content)
    assert (int(header.height), int(header.width)) == expected.shape[:2]
    assert pixels.shape == (*expected.shape[:2], 4)
    # JPEG decoders may differ by rounding; here both are libjpeg-turbo's accurate one.
    np.testing.assert_allclose(pixels[..., :3].numpy().astype(int), expected, atol=2 if "JPEG" in name else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format, endian", [("JPEG", "<"), ("JPEG", ">"), ("PNG", "<"), ("PNG", ">")])
def test_exif_orientation_is_applied(read, format, endian, orientation):
    exif = Image.Exif()
    exif.endian = endian
    exif[0x010F], exif[0x0112] = "maker", orientation  # not the first entry
    content = encode(IMAGE, format, exif=exif)
    header, pixels = read(content)
    assert int(header.orientation) == orientation
    assert (int(header.height), int(header.width)) == _pillow(content).shape[:2]
    np.testing.assert_allclose(pixels[..., :3].numpy().astype(int), _pillow(content), atol=2)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_orientations_that_do_not_exist_are_passed_over(read, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    header, _ = read(encode(IMAGE, "JPEG", exif=exif))
    assert int(header.orientation) == 1


def test_alpha_is_a_pngs_own_and_white_where_nothing_is_seen(read):
    rgba = np.dstack([draw(1, 9, 11), np.full((9, 11), 128, np.uint8)])
    rgba[:3, :, 3], rgba[:3, :, :3] = 0, 7
    pixels = read(encode(Image.fromarray(rgba), "PNG"))[1].numpy()
    np.testing.assert_array_equal(pixels[3:], rgba[3:])
    assert (pixels[:3] == [255, 255, 255, 0]).all()


@pytest.mark.parametrize("pixels", [np.full((5, 6, 4), 255, np.uint8), np.dstack([draw(1, 5, 6), np.eye(5, 6)])])
def test_png_has_alpha_only_where_it_says_something(pixels):
    pixels = pixels.astype(np.uint8)
    image = Image.open(io.BytesIO(encoded_pictures.encode_png(tf.constant(pixels)).numpy()))
    assert image.mode == ("RGB" if (pixels[..., 3] == 255).all() else "RGBA")
    np.testing.assert_array_equal(np.asarray(image)[..., :3], pixels[..., :3])


def test_of_a_gif_the_first_frame_counts_alone(read):
    """The others are not decoded: here they are damaged."""
    frames = [Image.fromarray(draw(seed, 30, 44)).quantize(32) for seed in range(3)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    pixels = read(content[: len(content) * 2 // 3] + b"\x55" * 200)[1]
    np.testing.assert_array_equal(pixels[..., :3], np.asarray(frames[0].convert("RGB")))


def test_a_gif_frame_that_lies_apart_is_given_whole(read):
    content = bytearray(encode(Image.fromarray(draw(1, 10, 12)).quantize(32), "GIF"))
    place = content.index(b"\x2c\0\0\0\0")
    content[place + 1 : place + 5] = struct.pack("<HH", 5, 3)
    np.testing.assert_array_equal(read(bytes(content))[1][..., :3], _pillow(encode(draw(1, 10, 12), "PNG")))


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
        content[place + 5 : place + 9] = struct.pack("<HH", width, height)
    return bytes(content)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF"])
def test_sizes_come_from_the_header_alone(read_size, format):
    """Nothing is decoded to learn them: these files could not be."""
    assert [int(side) for side in read_size(_claims(format, 60_000, 50_001))] == [60_000, 50_001]


@pytest.mark.parametrize(
    "content, complaint",
    [
        (b"", "not a picture"),
        (b"hello, world", "not a picture"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "no pixels, or its header is damaged"),
        (b"GIF89a", "holds no picture"),
        (b"BM", "BMP"),
        (encode(IMAGE, "BMP")[:900], "cut short"),
        (encode(IMAGE.quantize(16), "BMP"), "24 or 32 bits"),
        (encode(IMAGE, "JPEG")[:300], "JPEG"),
        (encode(IMAGE, "PNG")[:60], "PNG"),
        (encode(IMAGE, "GIF")[:200], "[Gg][Ii][Ff]|gif"),
        (_claims("PNG", 0, 10), "no pixels"),
    ],
)
def test_what_cannot_be_read_is_an_invalid_argument(read, content, complaint):
    with pytest.raises(tf.errors.InvalidArgumentError, match=complaint):
        read(content)


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
    with pytest.raises(tf.errors.InvalidArgumentError, match="GIF"):
        read(gif[:place] + extensions + gif[place:])


def test_text_among_the_extensions_of_a_gif_is_passed_over(read):
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
    with pytest.raises(tf.errors.InvalidArgumentError, match="the GIF file is damaged"):
        read(gif[:place] + b"\x01a" * 100_000 + gif[place:])


def test_segments_of_a_jpeg_without_end_are_passed_over(read):
    jpeg = encode(IMAGE, "JPEG")
    many_segments = jpeg[:2] + b"\xff\xe2\0\x02" * 100_000 + jpeg[2:]
    np.testing.assert_allclose(read(many_segments)[1][..., :3].numpy().astype(int), _pillow(jpeg), atol=2)


def test_a_jpeg_of_too_many_scans_is_refused(read):
    """Each of them takes the time of the whole picture."""
    jpeg = encode(IMAGE, "JPEG", progressive=True)
    start = jpeg.rindex(b"\xff\xda")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\d+ scans, too many for a photo"):
        read(jpeg[:start] + (jpeg[start:-2]) * 300 + jpeg[-2:])


def _turned(content):
    """Whether a file of EXIF orientation 6 comes back as it should."""
    return np.rot90(_pillow(encode(IMAGE, "PNG")), -1).shape == (*content[1].shape[:2], 3)


def test_exif_is_found_in_unusual_places(read):
    exif = Image.Exif()
    exif[0x0112] = 6
    jpeg, png = (encode(IMAGE, format, exif=exif) for format in ("JPEG", "PNG"))
    place = jpeg.index(b"\xff\xe1")
    assert _turned(read(jpeg[:place] + b"\xff\xff" + jpeg[place:]))  # fill bytes before a marker
    start = png.index(b"eXIf") - 4
    chunk = png[start : start + 12 + int.from_bytes(png[start : start + 4], "big")]
    moved = png.replace(chunk, b"")
    assert _turned(read(moved[:-12] + chunk + moved[-12:]))  # after the pixels
    for order, layout in ((b"MM\0*", ">"), (b"II*\0", "<")):
        entry = struct.pack(f"{layout}HHII", 0x0112, 4, 1, 6)  # a number of four bytes
        block = order + struct.pack(f"{layout}IH", 8, 1) + entry + bytes(4)
        assert _turned(read(encode(IMAGE, "JPEG", exif=b"Exif\0\0" + block)))


def test_bmp_colours_in_another_order_are_refused(read):
    bmp = bytearray(encode(IMAGE.convert("RGBA"), "BMP"))
    bmp[30:34] = struct.pack("<I", 3)
    masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    bmp[10:14] = struct.pack("<I", 66)
    usual = bytes(bmp[:54]) + masks + bytes(bmp[54:])
    np.testing.assert_array_equal(read(usual)[1][..., :3], np.asarray(IMAGE))
    with pytest.raises(tf.errors.InvalidArgumentError, match="BMP"):
        read(bytes(bmp[:54]) + masks[::-1] + bytes(bmp[54:]))


def test_sides_beyond_all_numbers_are_refused(read_size):
    with pytest.raises(tf.errors.InvalidArgumentError, match="header is damaged"):
        read_size(_claims("PNG", 2**32 - 1, 2**32 - 1))


@pytest.mark.parametrize("size", [(30, 44), (44, 30), (1, 50), (2000, 3)])
@pytest.mark.parametrize("long_side", [0, 1, 7, 30, 44, 500])
def test_pictures_shrink_as_cartoonize_shrinks_them(size, long_side):
    photo = draw(4, *size)
    expected = pictures.shrink(photo, long_side) if long_side else photo
    height, width = encoded_pictures.shrunk_size(*map(tf.constant, map(np.int64, size)), tf.constant(long_side))
    assert (int(height), int(width)) == expected.shape[:2]
    shrunk = encoded_pictures.shrink(tf.constant(photo), height, width)
    np.testing.assert_allclose(shrunk.numpy().astype(int), expected, atol=1)
