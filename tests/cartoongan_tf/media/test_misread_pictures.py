"""Pictures that Pillow opens without an error and misreads."""

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from tests.helpers import draw

HEIGHT, WIDTH = 30, 40


def _write_psd(path, planes, mode, depth=8, packed=True, num_layers=None):
    """Write planes, uint8 [H, W or its bits as bytes] each, as Photoshop writes the merged picture of a file."""
    layers = b"" if num_layers is None else struct.pack(">IIhxx", 8, 4, num_layers)
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, len(planes), HEIGHT, WIDTH, depth, mode)
    rows = [bytes(row) for plane in planes for row in plane]
    if packed:
        rows = [bytes([len(row) - 1]) + row for row in rows]  # one run of different bytes
        rows = [struct.pack(f">{len(rows)}H", *map(len, rows)), *rows]
    sections = struct.pack(">II", 0, 0) + (layers or struct.pack(">I", 0))
    path.write_bytes(header + sections + struct.pack(">H", int(packed)) + b"".join(rows))
    return path


@pytest.fixture
def photo():
    return draw(3, HEIGHT, WIDTH)


@pytest.fixture
def planes(photo):
    return list(photo.transpose(2, 0, 1))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("num_selections", [0, 1, 2])
def test_saved_selections_of_a_psd_change_nothing(photo, planes, tmp_path, packed, num_selections):
    selections = [np.full((HEIGHT, WIDTH), 7, np.uint8)] * num_selections
    path = _write_psd(tmp_path / "a.psd", planes + selections, 3, packed=packed)
    (frame,) = pictures.read(path).frames
    np.testing.assert_array_equal(frame, photo)


def test_the_transparency_of_a_psd_with_layers_is_kept(photo, planes, tmp_path):
    alpha = np.full((HEIGHT, WIDTH), 99, np.uint8)
    path = _write_psd(tmp_path / "a.psd", [*planes, alpha, alpha // 2], 3, num_layers=-1)
    np.testing.assert_array_equal(pictures.read(path).frames[0][..., :3], photo)
    path = _write_psd(tmp_path / "b.psd", [*planes, alpha], 3, num_layers=-1)
    np.testing.assert_array_equal(pictures.read(path).frames[0], np.dstack([photo, alpha]))


def test_black_is_1_in_a_bitmap_of_photoshop(tmp_path):
    black = draw(4, HEIGHT, WIDTH)[..., 0] > 127
    path = _write_psd(tmp_path / "a.psd", [np.packbits(black, axis=1)], 0, depth=1)
    np.testing.assert_array_equal(pictures.read_picture(path)[..., 0], np.where(black, 0, 255))


def test_ink_is_1_in_a_bitmap_of_x(tmp_path):
    (tmp_path / "a.xbm").write_text("#define a_width 8\n#define a_height 2\nstatic char a_bits[] = {\n0x0f, 0x00};\n")
    picture = pictures.read_picture(tmp_path / "a.xbm")
    assert picture[..., 0].tolist() == [[0] * 4 + [255] * 4, [255] * 8]


def test_a_cursor_keeps_its_transparency(tmp_path):
    expected = np.dstack([draw(5, 32, 32), np.full((32, 32), 255, np.uint8)])
    expected[:8] = (255, 255, 255, 0)
    Image.fromarray(expected).save(tmp_path / "a.ico", bitmap_format="bmp", sizes=[(32, 32)])
    content = (tmp_path / "a.ico").read_bytes()
    (tmp_path / "a.cur").write_bytes(content[:2] + b"\2" + content[3:])
    np.testing.assert_array_equal(pictures.read(tmp_path / "a.cur").frames[0], expected)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("num_channels", [3, 4])
def test_planes_of_16_bits(photo, tmp_path, byteorder, compression, num_channels):
    channels = np.dstack([photo, np.full((HEIGHT, WIDTH), 255, np.uint8)])[..., :num_channels]
    values = 257 * channels.transpose(2, 0, 1).astype(np.uint16)
    layout = {"photometric": "rgb", "planarconfig": "separate", "byteorder": byteorder, "compression": compression}
    more = {"extrasamples": ["unassalpha"]} if num_channels == 4 else {}
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=layout.pop("byteorder")) as file:
        for page in (values, values[:, ::-1]):
            file.write(page, **layout, **more)
    first, second = pictures.read(tmp_path / "a.tif").frames
    np.testing.assert_array_equal(first[..., :3], photo)
    np.testing.assert_array_equal(second[..., :3], photo[::-1])


@pytest.mark.parametrize(
    "dtype, photometric, num_planes, layout",
    [
        (np.uint16, "separated", 4, "CMYK in planes of 16 bits"),
        (np.float32, "rgb", 3, "floating-point numbers in planes"),
    ],
)
def test_planes_that_are_refused(tmp_path, dtype, photometric, num_planes, layout):
    values = np.zeros((num_planes, HEIGHT, WIDTH), dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric=photometric, planarconfig="separate")
    with pytest.raises(InputError, match=rf"a\.tif: {layout}, which cannot be read; convert it to PNG first"):
        pictures.read(tmp_path / "a.tif")


def test_planes_of_ycbcr(photo, planes, tmp_path):
    """Grey is Y; the other two are at 128 in grey."""
    grey = planes[1]
    values = np.stack([grey, np.full_like(grey, 128), np.full_like(grey, 128)])
    layout = {"photometric": "ycbcr", "planarconfig": "separate", "subsampling": (1, 1)}
    tifffile.imwrite(tmp_path / "a.tif", values, **layout)
    read = pictures.read_picture(tmp_path / "a.tif").astype(int)
    assert np.abs(read - grey[..., np.newaxis]).max() <= 1
