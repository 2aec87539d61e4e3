"""The main colours of cartoons, and colours drawn towards them."""

import numpy as np

from cartoongan_tf.media import palettes
from cartoongan_tf.media.abstraction import Abstraction, abstract
from tests.helpers import draw_photo_like

RED, GREEN, BLUE = (200, 40, 40), (40, 160, 60), (50, 60, 180)


def _picture(shares):
    """A picture of rows of colours, with a little noise."""
    rows = [np.full((share, 50, 3), color, np.uint8) for color, share in shares.items()]
    noise = np.random.default_rng(0).integers(-3, 4, (sum(shares.values()), 50, 3))
    return np.clip(np.concatenate(rows) + noise, 0, 255).astype(np.uint8)


def test_the_most_frequent_colours_come_first():
    pictures = [_picture({RED: 30, GREEN: 10}), _picture({RED: 10, BLUE: 25})]
    palette = palettes.find_palette(pictures, 3)
    np.testing.assert_allclose(palette.astype(int), [RED, BLUE, GREEN], atol=3)
    np.testing.assert_array_equal(palettes.find_palette(pictures, 3), palette)


def test_colours_move_to_the_nearest_of_the_palette_and_keep_their_brightness():
    lab = palettes.to_lab(np.array([(190, 70, 60), (60, 80, 150)], np.uint8))[np.newaxis]
    palette = np.array([RED, BLUE], np.uint8)
    expected = palettes.to_lab(palette)
    for strength in (0.0, 0.5, 1.0):
        moved = palettes.draw_towards(lab, palette, strength)[0]
        np.testing.assert_array_equal(moved[:, 0], lab[0, :, 0])
        wanted = (1 - strength) * lab[0, :, 1:] + strength * expected[:, 1:]
        np.testing.assert_allclose(moved[:, 1:], wanted, atol=1)


def test_an_abstraction_takes_colours_of_the_palette():
    photo = draw_photo_like(2)
    grey = abstract(photo, Abstraction(palette_strength=1), np.array([(0, 0, 0), (128, 128, 128)], np.uint8))
    is_drawn = grey.min(-1) > 60  # the ink is not grey
    assert np.ptp(grey[is_drawn].astype(int), axis=-1).max() <= 3
    assert np.ptp(abstract(photo)[is_drawn].astype(int), axis=-1).max() > 20
