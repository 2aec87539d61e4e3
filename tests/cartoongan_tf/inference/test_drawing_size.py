"""The size at which pictures and films are drawn: the same cartoon from a small picture and from a large one."""

import cv2
import numpy as np
import pytest

from cartoongan_tf import Cartoonizer, styles
from cartoongan_tf.inference.drawing_size import DrawingSize
from cartoongan_tf.media import pictures
from cartoongan_tf.media.enlargement import enlarge
from tests.helpers import REPOSITORY, draw

PHOTO = max((REPOSITORY / "export" / "photos").glob("*.jpg"))


def test_only_larger_pictures_are_shrunk_and_enlarged():
    size = DrawingSize(40)
    photos = np.stack([draw(0), draw(1)])
    small = size.shrink(photos)
    assert small.shape == (2, 30, 40, 3)
    np.testing.assert_array_equal(small[1], pictures.shrink(photos[1], 40))
    np.testing.assert_array_equal(size.enlarge(small, photos)[1], enlarge(small[1], 60, 80))
    for same in (DrawingSize(80), DrawingSize(0)):
        assert same.shrink(photos) is photos and same.enlarge(photos, photos) is photos


def test_a_film_is_drawn_at_that_size(runtime):
    frames = np.stack([draw(seed) for seed in range(3)])
    small = np.stack([pictures.shrink(frame, 40) for frame in frames])
    cartoons = Cartoonizer(runtime, drawing_size=40).film(strength=0.5)(frames)
    expected = np.stack([enlarge(cartoon, 60, 80) for cartoon in Cartoonizer(runtime).film()(small)])
    mixed = cv2.addWeighted(expected, 0.5, frames, 0.5, 0)
    np.testing.assert_allclose(cartoons.astype(int), mixed, atol=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", styles.all_styles())
def test_half_a_megapixel_two_and_twelve_give_the_same_cartoon(name):
    """A phone's photo is no longer a photo with a tint."""
    photo = pictures.read_picture(PHOTO)
    cartoonizer = Cartoonizer.load(name)
    drawn = []
    for megapixels in (0.5, 2, 12):
        width = round(1000 * np.sqrt(megapixels * 4 / 3))
        resized = cv2.resize(photo, (width, 3 * width // 4), interpolation=cv2.INTER_CUBIC)
        cartoon = cartoonizer(resized)
        assert cartoon.shape == resized.shape
        drawn.append(cv2.resize(cartoon, (640, 480), interpolation=cv2.INTER_AREA).astype(int))
    for other in drawn[:2]:
        assert np.abs(drawn[2] - other).mean() < 6
