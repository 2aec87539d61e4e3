"""The classical abstraction: each stage by hand, and its effect on real photos."""

import dataclasses

import cv2
import numpy as np
import pytest

from cartoongan_tf.media import image_measures, pictures
from cartoongan_tf.media.abstraction import Abstraction, abstract, change_tones, draw_lines, remove_texture
from tests.helpers import draw, draw_photo_like


def test_texture_goes_as_by_a_bilateral_filter_over_pixels():
    picture = draw_photo_like(0, 16, 18)
    padded = cv2.copyMakeBorder(picture, 3, 3, 3, 3, cv2.BORDER_REFLECT_101).astype(float)
    expected = np.empty(picture.shape)
    for row, column in np.ndindex(picture.shape[:2]):
        sums, total = np.zeros(3), 0.0
        for dy, dx in np.ndindex(7, 7):
            distance = np.hypot(dy - 3, dx - 3)
            neighbour = padded[row + dy, column + dx]
            if distance <= 3:
                difference = np.abs(neighbour - picture[row, column]).sum()
                weight = np.exp(-0.5 * ((distance / 4) ** 2 + (difference / 25) ** 2))
                sums += weight * neighbour
                total += weight
        expected[row, column] = sums / total
    np.testing.assert_allclose(remove_texture(picture, 1), expected, atol=1)
    np.testing.assert_array_equal(remove_texture(picture, 0), picture)
    np.testing.assert_array_equal(remove_texture(picture, 2), remove_texture(remove_texture(picture, 1), 1))


def _greys(levels):
    return np.repeat(np.asarray(levels, np.float32)[np.newaxis, :, np.newaxis], 3, axis=-1)


def _brightness(colors):
    return cv2.cvtColor(colors, cv2.COLOR_RGB2LAB)[0, :, 0] / 100


def test_brightness_comes_in_tones():
    greys = _greys(np.linspace(0, 1, 500))
    same = Abstraction(brightness_gamma=1, saturation=1)
    given = _brightness(greys)
    for num_tones in (2, 5, 8):
        tones = _brightness(change_tones(greys, dataclasses.replace(same, num_tones=num_tones, tone_sharpness=50)))
        is_inside = np.abs(given * num_tones - np.round(given * num_tones)) < 0.4
        np.testing.assert_allclose(tones[is_inside], np.round(given * num_tones)[is_inside] / num_tones, atol=5e-3)
        assert np.all(np.diff(tones) > -5e-3), "a brighter pixel stays brighter"
    for unchanged in (dataclasses.replace(same, num_tones=0), dataclasses.replace(same, tone_sharpness=1)):
        np.testing.assert_allclose(change_tones(greys, unchanged), greys, atol=2e-3)


def test_gamma_and_saturation():
    greys = _greys([0.0, 0.2, 0.5, 1.0])
    parameters = Abstraction(brightness_gamma=0.5, num_tones=0)
    np.testing.assert_allclose(_brightness(change_tones(greys, parameters)), _brightness(greys) ** 0.5, atol=2e-3)
    color = np.float32([[[0.5, 0.4, 0.3]]])
    before = cv2.cvtColor(color, cv2.COLOR_RGB2LAB)[0, 0]
    parameters = Abstraction(brightness_gamma=1, num_tones=0, saturation=1.5)
    after = cv2.cvtColor(change_tones(color, parameters), cv2.COLOR_RGB2LAB)[0, 0]
    np.testing.assert_allclose(after, before * (1, 1.5, 1.5), atol=0.3)


def test_lines_lie_on_edges_and_have_their_width():
    picture = np.full((60, 60, 3), 200, np.uint8)
    picture[:, 30:] = 90
    for width in (2.0, 6.0):
        lines = draw_lines(picture, Abstraction(line_width_px=width))[30]
        assert lines.max() == 1 and lines[:25].max() == 0 and lines[48:].max() == 0
        assert np.flatnonzero(lines > 0.5)[0] in (30, 31), "it begins at the edge, on the dark side"
        assert 0.7 * width <= (lines > 0.5).sum() <= 1.5 * width
    faint = np.full((60, 60, 3), 200, np.uint8)
    faint[:, 30:] = 190
    assert not draw_lines(faint, Abstraction(line_threshold=0.05)).any()


def test_stages_can_be_switched_off():
    picture = draw(3)
    nothing = Abstraction(texture_passes=0, flatness=0, num_tones=0, brightness_gamma=1, saturation=1, line_strength=0)
    np.testing.assert_allclose(abstract(picture, nothing).astype(int), picture, atol=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (37, 2), (61, 83)])
def test_any_size_is_drawn(size):
    picture = draw_photo_like(1, *size)
    drawn = abstract(picture)
    assert drawn.shape == picture.shape and drawn.dtype == np.uint8
    np.testing.assert_array_equal(abstract(picture), drawn)


def test_photos_become_flat_and_lined(assets):
    for name in ("kodak_07", "elementary_Rob_Bye"):
        photo = pictures.shrink(pictures.read_picture(assets / "photos" / f"{name}.jpg"), 640)
        drawn = abstract(photo)
        assert image_measures.flatness(drawn) > image_measures.flatness(photo) + 0.2
        assert image_measures.edge_sharpness(drawn) > image_measures.edge_sharpness(photo)
