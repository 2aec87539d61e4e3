"""Pictures that are valid, and unusual: damaged EXIF, floating point, lossless WebP."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.base.errors import InputError, NoPictureError
from cartoongan_tf.inference.file_options import FileOptions
from cartoongan_tf.inference.jobs import Job
from cartoongan_tf.media import pictures
from tests.helpers import draw


@pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0no header at all"])
def test_damaged_exif_costs_the_orientation_alone(tmp_path, exif):
    Image.fromarray(draw(0)).save(tmp_path / "a.jpg", exif=exif)
    Image.fromarray(draw(0)).save(tmp_path / "intact.jpg")
    picture = pictures.read(tmp_path / "a.jpg")
    assert picture.frames[0].shape == (60, 80, 3)
    assert "orientation is unknown" in picture.remark
    assert not pictures.read(tmp_path / "intact.jpg").remark


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("is_kept", [False, True])
def test_date_and_place_are_kept_on_request_and_the_camera_never(tmp_path, suffix, is_kept):
    exif = Image.Exif()
    exif[0x010F] = "Some camera"
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2020:05:04 10:20:30"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 14.0)
    Image.fromarray(draw(0)).save(tmp_path / "a.jpg", exif=exif)
    files = FileOptions(keep_metadata=is_kept)
    job = Job(tmp_path / "a.jpg", tmp_path / f"b{suffix}")
    files.write(job, files.read(job))
    with Image.open(job.target) as image:
        written = image.getexif()
        assert image.size == (60, 80)
        assert 0x010F not in written and written.get(0x0112, 1) == 1
        dates = {0x9003: "2020:05:04 10:20:30"} if is_kept else {}
        assert written.get_ifd(0x8769) == dates
        assert written.get_ifd(0x8825) == ({1: "N", 2: (48.0, 8.0, 14.0)} if is_kept else {})


@pytest.mark.parametrize("white", [1, 255, 65535])
def test_grey_in_floating_point_has_the_range_of_its_values(tmp_path, white):
    values = np.linspace(0, white, 256, dtype=np.float32).reshape(16, 16)
    values[0, 0] = np.nan
    Image.fromarray(values).save(tmp_path / "a.tif")
    read = pictures.read_picture(tmp_path / "a.tif")
    np.testing.assert_allclose(read[..., 0].ravel().astype(int), np.arange(256), atol=1)


@pytest.mark.parametrize("white", [1, 255])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_colours_in_floating_point(tmp_path, white, dtype):
    values = draw(0).astype(dtype) * (white / 255)
    cv2.imwrite(str(tmp_path / "a.tif"), values[..., ::-1])
    np.testing.assert_allclose(pictures.read_picture(tmp_path / "a.tif").astype(int), draw(0), atol=1)
    with open(tmp_path / "a.tif", "rb") as file:
        assert pictures.read_picture(file).shape == (60, 80, 3)
    with pytest.raises(InputError, match="--max_pixels"):
        pictures.read(tmp_path / "a.tif", max_pixels=1000)


def test_highlights_in_floating_point_are_clipped(tmp_path):
    values = draw(0).astype(np.float32) / 255
    values[:3, :3] = 40
    cv2.imwrite(str(tmp_path / "a.tif"), values[..., ::-1])
    read = pictures.read_picture(tmp_path / "a.tif").astype(int)
    np.testing.assert_array_equal(read[:3, :3], 255)
    np.testing.assert_allclose(read[3:], draw(0)[3:], atol=1)


@pytest.mark.parametrize("width", [5, 6, 7, 8])
def test_bmp_of_16_colours_in_run_lengths(tmp_path, width):
    """Each row is one run of colours one by one; runs of odd lengths end within a byte."""
    numbers = np.random.default_rng(0).integers(0, 16, (4, width))
    palette = np.stack([16 * np.arange(16), 255 - 16 * np.arange(16), 7 * np.arange(16), np.zeros(16)], 1).astype(
        np.uint8
    )
    runs = b""
    for row in numbers[::-1]:
        padded = np.append(row, np.zeros(-width % 4, int))
        runs += bytes([0, width, *(padded[::2] << 4 | padded[1::2]), 0, 0])
    runs += b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, width, 4, 1, 4, 2, len(runs), 0, 0, 16, 0) + palette.tobytes()
    file = b"BM" + struct.pack("<IHHI", 14 + len(header) + len(runs), 0, 0, 14 + len(header)) + header + runs
    (tmp_path / "a.bmp").write_bytes(file)
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "a.bmp"), palette[numbers][..., 2::-1])
    with pytest.raises(InputError, match="--max_pixels"):
        pictures.read(tmp_path / "a.bmp", max_pixels=4)


def test_lossless_stays_lossless_in_webp(tmp_path):
    for name, options in (("a.png", {}), ("a.webp", {"lossless": True})):
        Image.fromarray(draw(0)).save(tmp_path / name, **options)
        picture = pictures.read(tmp_path / name)
        assert picture.is_lossless
        pictures.write(tmp_path / "b.webp", picture)
        np.testing.assert_array_equal(pictures.read_picture(tmp_path / "b.webp"), draw(0))
    for name in ("a.jpg", "lossy.webp"):
        Image.fromarray(draw(0)).save(tmp_path / name)
        picture = pictures.read(tmp_path / name)
        assert not picture.is_lossless
        pictures.write(tmp_path / "b.webp", picture)
        assert not np.array_equal(pictures.read_picture(tmp_path / "b.webp"), picture.frames[0])


def test_an_animation_in_lossless_webp_stays_so(tmp_path):
    frames = [Image.fromarray(draw(seed)) for seed in range(3)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    picture = pictures.read(tmp_path / "a.webp")
    pictures.write(tmp_path / "b.webp", picture)
    for seed, frame in enumerate(pictures.read(tmp_path / "b.webp").frames):
        np.testing.assert_array_equal(frame[..., :3], draw(seed))


def test_a_gif_has_one_palette_and_no_grain(tmp_path):
    """Places that stand still have the same colours in all frames, whatever moves."""
    shading = np.stack(np.broadcast_arrays(*np.ogrid[0:60, 0:80], 99), -1) * (4, 3, 1)
    frames = [shading.astype(np.uint8) for _ in range(4)]
    for index, frame in enumerate(frames):
        frame[20:40, 15 * index : 15 * index + 15] = (250, 60 * index, 40)
    pictures.write(tmp_path / "a.gif", pictures.Picture(frames, durations_ms=[90] * 4))
    read = np.stack([frame[..., :3] for frame in pictures.read(tmp_path / "a.gif").frames]).astype(int)
    assert np.ptp(read[:, :20], axis=0).max() == 0 == np.ptp(read[:, 40:], axis=0).max()
    assert np.abs(read - frames).mean() < 4


def test_an_animated_avif_is_an_animation(tmp_path):
    frames = [Image.fromarray(np.full((32, 48, 3), level, np.uint8)) for level in (20, 120, 220)]
    frames[0].save(tmp_path / "a.avif", save_all=True, append_images=frames[1:], duration=[50, 100, 150])
    picture = pictures.read(tmp_path / "a.avif")
    assert picture.durations_ms == [50, 100, 150] and picture.suffix == ".png"
    assert [round(frame.mean(), -1) for frame in picture.frames] == [20, 120, 220]


def test_eps_is_refused_with_the_next_step(tmp_path):
    Image.fromarray(draw(0)).save(tmp_path / "a.eps")
    with pytest.raises(InputError, match=r"a\.eps: EPS.* convert it to PNG"):
        pictures.read(tmp_path / "a.eps")


@pytest.mark.parametrize(
    "name, kind",
    [("notes.txt", NoPictureError), ("notes.pdf", NoPictureError), ("a.JPG", InputError), ("a.heic", InputError)],
)
def test_a_file_that_is_no_picture_is_told_apart_from_a_damaged_one(tmp_path, name, kind):
    (tmp_path / name).write_text("hello")
    with pytest.raises(InputError) as error:
        pictures.read(tmp_path / name)
    assert type(error.value) is kind
