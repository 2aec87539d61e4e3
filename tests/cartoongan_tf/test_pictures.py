import os

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf import pictures
from cartoongan_tf.errors import InputError

CORNERS = np.zeros((16, 24, 3), np.uint8)  # what a viewer shows: red upper left, blue upper right
CORNERS[:8, :12] = (255, 0, 0)
CORNERS[:8, 12:] = (0, 0, 255)

TO_STORED = {  # EXIF orientation -> the pixels that a camera stores for CORNERS
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: np.rot90(p, -1),
}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_respected(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo{suffix}"
    Image.fromarray(np.ascontiguousarray(TO_STORED[orientation](CORNERS))).save(path, exif=exif, quality=100)
    read = pictures.read_picture(path)
    assert read.shape == CORNERS.shape
    np.testing.assert_allclose(read[2:6, 2:8].mean((0, 1)), (255, 0, 0), atol=8)
    np.testing.assert_allclose(read[2:6, 16:22].mean((0, 1)), (0, 0, 255), atol=8)


@pytest.mark.parametrize("suffix, tolerance", [(".png", 0), (".jpg", 12), (".webp", 12)])
def test_written_pictures_read_back(tmp_path, suffix, tolerance):
    gradient = np.mgrid[0:40, 0:60, 0:3].sum(0).astype(np.uint8) * 2
    pictures.write_picture(tmp_path / f"a{suffix}", gradient)
    read = pictures.read_picture(tmp_path / f"a{suffix}")
    assert read.dtype == np.uint8
    np.testing.assert_allclose(read.astype(int), gradient, atol=tolerance)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1"])
def test_other_modes_become_rgb(tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.new("RGB", (6, 4), (255, 255, 255)).convert(mode).save(path)
    read = pictures.read_picture(path)
    assert read.shape == (4, 6, 3)
    np.testing.assert_allclose(read, 255, atol=2)


def test_16_bit_grey_keeps_its_levels(tmp_path):
    ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "a.png")[..., 1].ravel(), np.arange(256))


def test_transparent_pixels_are_white(tmp_path):
    Image.new("RGBA", (6, 4), (10, 20, 30, 0)).save(tmp_path / "a.png")
    assert (pictures.read_picture(tmp_path / "a.png") == 255).all()


def _truncated(path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:3000])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_bytes(b""), "not a picture"),
        (lambda path: path.write_text("hello"), "not a picture"),
        (lambda path: path.mkdir(), "a folder"),
        (_truncated, "damaged"),
    ],
)
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_what_cannot_be_read_is_named(tmp_path, make, message, name):
    path = tmp_path / name
    make(path)
    with pytest.raises(InputError, match=message) as error:
        pictures.read_picture(path)
    assert str(path) in str(error.value)


def test_unknown_format_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match=r"\.jpg"):
        pictures.write_picture(tmp_path / "a.xyz", CORNERS)
    assert not os.listdir(tmp_path)


def test_files_are_listed_in_order_without_hidden_ones(tmp_path):
    for name in ("b.jpg", "a/z.jpg", "a/.hidden.jpg", ".thumbnails/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert pictures.list_files(tmp_path) == [tmp_path / "a/z.jpg", tmp_path / "b.jpg"]


def test_linked_folders_are_followed_once(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a.jpg").touch()
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "link").symlink_to(tmp_path / "far")
    (tmp_path / "far" / "loop").symlink_to(tmp_path / "album")
    assert pictures.list_files(tmp_path / "album") == [tmp_path / "album" / "link" / "a.jpg"]


@pytest.mark.parametrize("name, message", [("none", "no such folder"), ("file", "not a folder"), ("empty", "is empty")])
def test_folders_without_files_are_errors(tmp_path, name, message):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        pictures.list_files(tmp_path / name)
