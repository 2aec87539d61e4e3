"""Pictures that are too large are refused before they are decoded."""

import io
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
    with pytest.raises(InputError, match=r"bomb\.png: more than .* raise --max_pixels"):
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


def test_a_picture_within_a_picture_counts_with_its_own_size(tmp_path):
    """An icon whose directory says 16 x 16, and whose PNG is larger."""
    content = io.BytesIO()
    Image.fromarray(draw(0, 200, 200)).save(content, "PNG")
    directory = struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(content.getvalue()), 22)
    (tmp_path / "a.ico").write_bytes(directory + content.getvalue())
    assert pictures.read_picture(tmp_path / "a.ico").shape == (200, 200, 3)
    with pytest.raises(InputError, match=r"a\.ico: more than the limit of 10,000 pixels"):
        pictures.read(tmp_path / "a.ico", max_pixels=10_000)


def _gif(picture):
    """The bytes of a GIF up to its first frame, and those of the frame."""
    content = io.BytesIO()
    Image.fromarray(picture).convert("P").save(content, "GIF")
    content = content.getvalue()[:-1]
    end = 13 + 3 * 2 ** ((content[10] & 7) + 1)
    return content[:end], content[end:]


def test_a_frame_beyond_the_canvas_is_bounded_and_cropped(tmp_path):
    """The second frame is larger than the canvas, which is that of the first."""
    head, small = _gif(draw(0, 20, 30))
    _, large = _gif(draw(1, 40, 60))
    (tmp_path / "a.gif").write_bytes(head + small + large + b";")
    assert [frame.shape[:2] for frame in pictures.read(tmp_path / "a.gif").frames] == [(20, 30)] * 2
    with pytest.raises(InputError, match="more than the limit of 2,000 pixels"):
        pictures.read(tmp_path / "a.gif", max_pixels=2000)


def test_a_picture_up_to_the_limit_is_read(tmp_path):
    pictures.write_picture(tmp_path / "a.png", draw(0))
    assert pictures.read(tmp_path / "a.png", max_pixels=60 * 80).frames[0].shape == (60, 80, 3)
    with pytest.raises(InputError, match="more than the limit"):
        pictures.read(tmp_path / "a.png", max_pixels=60 * 80 - 2)


def test_pillows_own_limit_is_left_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    pictures.write_picture(tmp_path / "a.png", draw(0))
    assert pictures.read_picture(tmp_path / "a.png").shape == (60, 80, 3)
    assert Image.MAX_IMAGE_PIXELS == 1000
