"""Pictures that are too large are refused before they are decoded."""

import struct
import zlib

import pytest
from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from tests.helpers import draw


def _png_header(width, height):
    """A PNG that says it is so large, and ends there."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))


def test_bombs_are_refused_before_they_are_decoded(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_header(50_000, 50_000))
    with pytest.raises(InputError, match=r"bomb\.png: 50000 x 50000 pixels, more than .* raise --max_pixels"):
        pictures.read(path)
    with pytest.raises(InputError, match="damaged"):  # decoded, with the limit raised
        pictures.read(path, max_pixels=50_000**2)


def test_all_frames_count_for_the_limit(tmp_path):
    pictures.write(tmp_path / "a.gif", pictures.Picture([draw(seed) for seed in range(5)]))
    with pytest.raises(InputError, match="80 x 60 pixels, 5 frames"):
        pictures.read(tmp_path / "a.gif", max_pixels=4 * 60 * 80)
    assert len(pictures.read(tmp_path / "a.gif", max_pixels=5 * 60 * 80).frames) == 5


def test_pages_of_a_tiff_count_with_their_own_sizes(tmp_path):
    pictures.write(tmp_path / "a.tif", pictures.Picture([draw(0, 1, 1), draw(0, 300, 400)]))
    with pytest.raises(InputError, match=r"more than the limit of 100,000"):
        pictures.read(tmp_path / "a.tif", max_pixels=100_000)
    assert pictures.read(tmp_path / "a.tif", max_pixels=120_001).frames[1].shape == (300, 400, 3)
    assert pictures.read(tmp_path / "a.tif", max_pixels=1, first_frame_only=True).frames[0].shape == (1, 1, 3)


def test_pillows_own_limit_is_left_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    pictures.write_picture(tmp_path / "a.png", draw(0))
    assert pictures.read_picture(tmp_path / "a.png").shape == (60, 80, 3)
    assert Image.MAX_IMAGE_PIXELS == 1000
