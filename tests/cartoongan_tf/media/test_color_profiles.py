"""Pictures with RGB profiles: linear light becomes sRGB, other colours keep their profile."""

import struct

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from cartoongan_tf.media import pictures
from tests.profiles import rgb_profile

LINEAR = {"RGB": (188, 137, 0), "RGBA": (188, 137, 0, 200), "L": (188, 188, 188)}  # of the colours below


@pytest.mark.parametrize("mode, color", [("RGB", (128, 64, 0)), ("RGBA", (128, 64, 0, 200)), ("L", 128)])
def test_linear_light_becomes_srgb(tmp_path, mode, color):
    Image.new(mode, (6, 4), color).save(tmp_path / "a.png", icc_profile=rgb_profile(1.0))
    picture = pictures.read(tmp_path / "a.png")
    assert picture.icc_profile is None
    np.testing.assert_allclose(picture.frames[0][2, 3], LINEAR[mode], atol=2)


@pytest.mark.parametrize("mode, color", [("RGB", (128, 64, 0)), ("RGBA", (128, 64, 0, 200)), ("L", 128)])
def test_a_png_may_state_linear_light(tmp_path, mode, color):
    for gamma, is_linear in ((1.0, True), (1 / 2.2, False)):
        info = PngImagePlugin.PngInfo()
        info.add(b"gAMA", struct.pack(">I", round(100_000 * gamma)))
        Image.new(mode, (6, 4), color).save(tmp_path / "a.png", pnginfo=info)
        expected = LINEAR[mode] if is_linear else Image.new(mode, (1, 1), color).convert("RGBA").getpixel((0, 0))
        pixel = pictures.read(tmp_path / "a.png").frames[0][2, 3]
        np.testing.assert_allclose(pixel, expected[: len(pixel)], atol=2)


@pytest.mark.parametrize("gamma", [1.8, 2.2, 2.4])
def test_a_photo_keeps_its_colours_and_its_profile(tmp_path, gamma):
    Image.new("RGB", (6, 4), (128, 64, 0)).save(tmp_path / "a.png", icc_profile=rgb_profile(gamma))
    picture = pictures.read(tmp_path / "a.png")
    assert picture.icc_profile == rgb_profile(gamma)
    assert picture.frames[0][2, 3].tolist() == [128, 64, 0]
