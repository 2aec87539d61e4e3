import io
import os
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from tests.helpers import draw

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


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_exif_orientation_is_respected(tmp_path, suffix):
    path = tmp_path / f"photo{suffix}"
    options = {} if suffix == ".tif" else {"quality": 100}
    for orientation, to_stored in TO_STORED.items():
        case = f"orientation {orientation}"
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(np.ascontiguousarray(to_stored(CORNERS))).save(path, exif=exif, **options)
        read = pictures.read_picture(path)
        assert read.shape == CORNERS.shape, case
        np.testing.assert_allclose(read[2:6, 2:8].mean((0, 1)), (255, 0, 0), atol=8, err_msg=case)
        np.testing.assert_allclose(read[2:6, 16:22].mean((0, 1)), (0, 0, 255), atol=8, err_msg=case)


def test_written_pictures_read_back(tmp_path):
    gradient = np.mgrid[0:40, 0:60, 0:3].sum(0).astype(np.uint8) * 2
    for suffix, tolerance in ((".png", 0), (".jpg", 12), (".webp", 12)):
        pictures.write_picture(tmp_path / f"a{suffix}", gradient)
        read = pictures.read_picture(tmp_path / f"a{suffix}")
        assert read.dtype == np.uint8, suffix
        np.testing.assert_allclose(read.astype(int), gradient, atol=tolerance, err_msg=suffix)


def test_other_modes_become_rgb(tmp_path):
    for mode in ("L", "P", "RGBA", "LA", "CMYK", "1"):
        path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
        Image.new("RGB", (6, 4), (255, 255, 255)).convert(mode).save(path)
        read = pictures.read_picture(path)
        assert read.shape == (4, 6, 3), mode
        np.testing.assert_allclose(read, 255, atol=2, err_msg=mode)


def test_16_bit_grey_keeps_its_levels(tmp_path):
    ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "a.png")[..., 1].ravel(), np.arange(256))


def test_transparent_pixels_are_white(tmp_path):
    Image.new("RGBA", (6, 4), (10, 20, 30, 0)).save(tmp_path / "a.png")
    assert (pictures.read_picture(tmp_path / "a.png") == 255).all()


def test_16_bit_colour_keeps_its_levels(tmp_path):
    """PNG and TIFF, with and without alpha."""
    ramp = np.dstack([np.arange(256).reshape(16, 16)[::step] for step in (1, -1)] + [np.full((16, 16), 255)] * 2)
    for suffix in (".png", ".tif"):
        for channels in (3, 4):
            bgr = (ramp[..., [2, 1, 0, 3][:channels]] * 257).astype(np.uint16)
            assert cv2.imwrite(str(tmp_path / f"a{suffix}"), bgr)
            frame = pictures.read(tmp_path / f"a{suffix}").frames[0]
            np.testing.assert_allclose(frame.astype(int), ramp[..., :channels], atol=1)


def test_grey_with_alpha_and_palettes_keep_their_alpha(tmp_path):
    half = Image.new("LA", (6, 4), (90, 128))
    half.save(tmp_path / "grey.png")
    assert (pictures.read(tmp_path / "grey.png").frames[0] == (90, 90, 90, 128)).all()
    palette = Image.new("RGBA", (6, 4), (10, 20, 30, 255))
    palette.putpixel((0, 0), (0, 0, 0, 0))
    palette.quantize(4).save(tmp_path / "palette.png")
    frame = pictures.read(tmp_path / "palette.png").frames[0]
    assert tuple(frame[0, 0]) == (255, 255, 255, 0) and tuple(frame[1, 1]) == (10, 20, 30, 255)


def test_alpha_is_written_where_the_format_has_it(tmp_path):
    frame = np.dstack([draw(0), np.mgrid[0:60, 0:80][0].astype(np.uint8) * 4])
    for suffix in (".png", ".webp", ".tif"):
        pictures.write_picture(tmp_path / f"a{suffix}", frame)
        read = pictures.read(tmp_path / f"a{suffix}").frames[0]
        np.testing.assert_array_equal(read[..., 3], frame[..., 3], suffix)
        assert np.abs(read[..., :3].astype(int) - frame[..., :3])[20:].mean() < 4, suffix


def test_elsewhere_it_is_laid_over_white(tmp_path):
    frame = np.dstack([np.zeros((16, 16, 3), np.uint8), np.full((16, 16), 128, np.uint8)])
    for suffix in (".jpg", ".bmp"):
        pictures.write_picture(tmp_path / f"a{suffix}", frame)
        np.testing.assert_allclose(pictures.read_picture(tmp_path / f"a{suffix}"), 127, atol=2, err_msg=suffix)


def test_shrinking_takes_no_colour_from_what_is_transparent():
    frame = np.zeros((8, 8, 4), np.uint8)
    frame[:, 3:] = (255, 255, 255, 0)
    frame[:, :3, 3] = 255
    shrunk = pictures.shrink(frame, 4)
    assert tuple(shrunk[1, 0]) == (0, 0, 0, 255) and tuple(shrunk[1, 1]) == (0, 0, 0, 128)


def test_rgb_profiles_go_along(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for suffix in (".jpg", ".png", ".webp", ".tif"):
        Image.fromarray(draw(0)).save(tmp_path / f"a{suffix}", icc_profile=profile)
        picture = pictures.read(tmp_path / f"a{suffix}")
        pictures.write(tmp_path / f"b{suffix}", picture)
        assert pictures.read(tmp_path / f"b{suffix}").icc_profile == profile, suffix


def _grey_profile():
    """An ICC profile of linear grey: a header, a white point and a curve of gamma 1."""
    d50 = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    curve = struct.pack(">4s4xI", b"curv", 0)
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, len(d50), b"kTRC", 156 + len(d50), len(curve))
    header = struct.pack(
        ">I4sI4s4s4s12x4s28x3i48x", 188, b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ", b"acsp", 63190, 65536, 54061
    )
    return header + tags + d50 + curve


def test_a_profile_of_grey_is_applied_and_does_not_go_along(tmp_path):
    Image.new("L", (6, 4), 128).save(tmp_path / "a.png", icc_profile=_grey_profile())
    picture = pictures.read(tmp_path / "a.png")
    assert picture.icc_profile is None
    np.testing.assert_allclose(picture.frames[0][2, 3], 188, atol=2)  # linear 0.5 in sRGB


def test_a_profile_that_cannot_be_applied_is_left_out(tmp_path):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    broken_cmyk = lab[:16] + b"CMYK" + lab[20:]
    Image.new("CMYK", (6, 4), (0, 255, 255, 0)).save(tmp_path / "a.jpg", icc_profile=broken_cmyk, quality=100)
    picture = pictures.read(tmp_path / "a.jpg")
    assert picture.icc_profile is None
    np.testing.assert_allclose(picture.frames[0][2, 3], (255, 0, 0), atol=40)


def test_a_progressive_cmyk_jpeg(tmp_path):
    Image.new("CMYK", (40, 30), (255, 0, 255, 0)).save(tmp_path / "a.jpg", progressive=True, quality=100)
    np.testing.assert_allclose(pictures.read_picture(tmp_path / "a.jpg")[15, 20], (0, 255, 0), atol=40)


def test_quality_decides_the_size_of_the_file():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    for suffix in (".jpg", ".webp"):
        sizes = [len(pictures.encode(pictures.Picture([noise]), suffix, quality)) for quality in (20, 60, 95)]
        assert sizes == sorted(sizes) and sizes[0] < sizes[2] / 2


def test_shrinking_keeps_the_shape_and_never_enlarges():
    assert pictures.shrink(draw(0, 60, 80), 40).shape == (30, 40, 3)
    assert pictures.shrink(draw(0, 3, 800), 100).shape == (1, 100, 3)
    assert pictures.shrink(draw(0, 60, 80), 80) is not None and pictures.shrink(draw(0), 500).shape == (60, 80, 3)


def test_pictures_come_from_open_files_too():
    content = io.BytesIO(pictures.encode(pictures.Picture([draw(0)]), ".png"))
    np.testing.assert_array_equal(pictures.read(content).frames[0], draw(0))
    with pytest.raises(InputError, match="standard input: not a picture"):
        pictures.read(io.BytesIO(b"hello"))


def test_the_suffix_is_that_of_the_content(tmp_path):
    (tmp_path / "a.jpg").write_bytes(pictures.encode(pictures.Picture([draw(0)]), ".webp"))
    assert pictures.read(tmp_path / "a.jpg").suffix == ".webp"


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
def test_files_that_cannot_be_read_are_named(tmp_path, make, message):
    for name in ("a.jpg", "a.png"):
        path = tmp_path / name
        make(path)
        with pytest.raises(InputError, match=message) as error:
            pictures.read_picture(path)
        assert str(error.value).startswith(f"{path}: ")


def test_unknown_format_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match=r"\.jpg"):
        pictures.write_picture(tmp_path / "a.xyz", CORNERS)
    assert not os.listdir(tmp_path)
