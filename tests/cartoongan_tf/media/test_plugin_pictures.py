"""Pictures of formats that Pillow reads with a plugin, and HDR ones."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import hdr, pictures
from tests.cartoongan_tf.media.test_hdr import codes_of
from tests.helpers import REPOSITORY, draw, draw_photo_like

pillow_heif = pytest.importorskip("pillow_heif")
_RGB = {"quality": -1, "chroma": 444, "matrix_coefficients": 0, "full_range_flag": 1}  # without loss


def _write_heic(path, picture, **options):
    pillow_heif.from_pillow(Image.fromarray(picture)).save(path, **_RGB | options)


def _read_in_a_fresh_process(path, *missing):
    """Read a picture where no plugin is loaded yet; `missing` packages are as if they were not installed."""
    script = """
import sys
path, *missing = sys.argv[1:]
sys.modules |= dict.fromkeys(missing)
from cartoongan_tf.media import pictures
sys.stdout.buffer.write(pictures.read_picture(path))
"""
    command = [sys.executable, "-c", script, str(path), *missing]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=60)


def test_heic_is_read_in_a_fresh_process(tmp_path):
    _write_heic(tmp_path / "IMG_0001.HEIC", draw(0))
    content = _read_in_a_fresh_process(tmp_path / "IMG_0001.HEIC").stdout
    np.testing.assert_array_equal(np.frombuffer(content, np.uint8).reshape(60, 80, 3), draw(0))


def test_of_several_pictures_the_primary_one_is_read(tmp_path):
    file = pillow_heif.from_pillow(Image.fromarray(draw(0)))
    file.add_from_pillow(Image.fromarray(draw(1, 40, 50)))
    file.save(tmp_path / "burst.heic", primary_index=1, **_RGB)
    picture = pictures.read(tmp_path / "burst.heic")
    assert len(picture.frames) == 1
    np.testing.assert_array_equal(picture.frames[0], draw(1, 40, 50))


def test_the_limit_of_pixels_counts_for_heic(tmp_path):
    _write_heic(tmp_path / "a.heic", draw(0))
    with pytest.raises(InputError, match="--max_pixels"):
        pictures.read(tmp_path / "a.heic", max_pixels=1000)


def test_jpeg_xl_is_read(tmp_path):
    pytest.importorskip("pillow_jxl")
    Image.fromarray(draw(0)).save(tmp_path / "a.jxl", lossless=True)
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "a.jxl"), draw(0))


@pytest.mark.parametrize("start", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"])
def test_jpeg_xl_without_its_plugin_names_the_command(tmp_path, start):
    (tmp_path / "a.jxl").write_bytes(start + bytes(100))
    message = _read_in_a_fresh_process(tmp_path / "a.jxl", "pillow_jxl").stderr.decode().strip()
    assert message.endswith("a.jxl, a JPEG XL picture: needs pillow-jxl-plugin; pip install '.[jxl]'")


def test_a_plugins_problem_is_one_line(tmp_path):
    pytest.importorskip("pillow_jxl")
    (tmp_path / "a.jxl").write_bytes(b"\xff\x0a" + bytes(100))
    with pytest.raises(InputError, match="damaged picture") as error:
        pictures.read(tmp_path / "a.jxl")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("transfer", [hdr.PQ, hdr.HLG])
def test_an_hdr_picture_becomes_sdr(tmp_path, transfer):
    """Both formats give 8 bits of the codes, which is 2 to 3 levels in the light tones."""
    picture = draw_photo_like(0)
    codes = np.rint(codes_of(picture, transfer).clip(0, 1) * 255).astype(np.uint8)
    tags = {"transfer_characteristics": transfer, "color_primaries": hdr.BT2020_PRIMARIES}
    _write_heic(tmp_path / "a.heic", codes, **tags)
    Image.fromarray(codes).save(tmp_path / "a.avif", quality=100, subsampling="4:4:4")
    untagged, _, rest = (tmp_path / "a.avif").read_bytes().partition(b"colrnclx")
    of_hdr = bytes([0, hdr.BT2020_PRIMARIES, 0, transfer])
    (tmp_path / "a.avif").write_bytes(untagged + b"colrnclx" + of_hdr + rest[4:])
    for name in ("a.heic", "a.avif"):
        error = np.abs(pictures.read_picture(tmp_path / name).astype(int) - picture)
        assert error.mean() < 4, name


def test_highlights_of_a_picture_keep_their_steps(tmp_path):
    """The patches are up to seven times as bright as white paper; middle grey stays near what it is."""
    light = np.repeat([0.2, 1, 2, 3.5, 7], 200)[:, None, None] * np.ones((1, 20, 3))
    codes = np.rint(codes_of(255 * light ** (1 / 2.4), hdr.PQ) * 255).astype(np.uint8)
    _write_heic(tmp_path / "a.heic", codes, transfer_characteristics=hdr.PQ, color_primaries=hdr.BT2020_PRIMARIES)
    grey, *bright = pictures.read_picture(tmp_path / "a.heic")[100::200].mean((1, 2))
    assert bright[0] > 215 and np.diff(bright).min() >= 1
    assert grey == pytest.approx(255 * 0.2 ** (1 / 2.4), abs=12)


def test_sdr_avif_stays_as_it_is(tmp_path):
    Image.fromarray(draw(0)).save(tmp_path / "a.avif", quality=100, subsampling="4:4:4")
    assert np.abs(pictures.read_picture(tmp_path / "a.avif").astype(int) - draw(0)).max() <= 3
