import cv2
import numpy as np
import pytest

from data_pipeline.frames.bars import BarFinder, PictureArea
from tests.helpers import draw

HEIGHT = 180
WIDTH = 320
WHOLE = PictureArea(0, HEIGHT, 0, WIDTH)
LETTERBOX = PictureArea(22, 158, 0, WIDTH)
INSIDE_LETTERBOX = PictureArea(24, 156, 0, WIDTH)


def _find(frames):
    finder = BarFinder()
    for frame in frames:
        finder.look_at(frame)
    return finder.picture_area()


def _framed(seed, area, noise=3, soft=False):
    """Draw a bright drawing within black bars, with a codec's noise and soft edges."""
    rng = np.random.default_rng(seed)
    frame = np.zeros((HEIGHT, WIDTH))
    inside = 60 + 0.7 * draw(seed, area.bottom - area.top, area.right - area.left)[..., 1]
    frame[area.top : area.bottom, area.left : area.right] = inside
    if soft:
        frame = cv2.blur(frame, (3, 3))
    return (frame + rng.normal(0, noise, frame.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def shots():
    """Frames of twelve letterboxed shots; not to be changed."""
    return [_framed(seed, LETTERBOX) for seed in range(12)]


def test_bars_are_found_to_the_pixel_and_cropped_a_little_inside():
    areas = [
        LETTERBOX,
        PictureArea(0, 180, 40, 280),
        PictureArea(20, 160, 36, 284),
        PictureArea(11, 180, 0, 320),
        PictureArea(0, 180, 109, 210),
    ]
    for area in areas:
        for soft in (False, True):
            found = _find(_framed(seed, area, soft=soft) for seed in range(12))
            for ours, real, whole in zip(found, area, WHOLE, strict=True):
                assert ours == real if real == whole else 1 <= abs(ours - real) <= 3, (area, soft)
            assert found.crop(_framed(99, area, noise=0, soft=soft)).min() > 30


def test_dark_scenes_change_nothing(shots):
    frames = [frame.copy() for frame in shots * 2]
    for frame in frames[5:]:
        frame[90:] = 0  # most of the film shows its lower half in the dark
    assert _find(frames) == INSIDE_LETTERBOX


def test_a_film_wholly_dark_is_left_whole():
    assert _find([np.full((HEIGHT, WIDTH), 9, np.uint8)] * 30) == WHOLE


def test_bars_are_told_by_the_few_frames_that_are_light(shots):
    frames = [np.full((HEIGHT, WIDTH), 9, np.uint8)] * 200 + shots[:3]
    assert _find(frames) == INSIDE_LETTERBOX


def test_borders_in_some_shots_are_left(shots):
    assert _find([*shots, _framed(30, WHOLE)]) == WHOLE


def test_a_logo_over_the_bars_at_the_start_does_not_hide_them(shots):
    logo = _framed(0, WHOLE)
    assert _find([logo, *shots * 6]) == INSIDE_LETTERBOX
    assert _find([logo, *shots * 3]) == WHOLE  # a larger share of the film than a logo takes


def test_subtitles_in_a_bar_do_not_hide_it(shots):
    frames = [frame.copy() for frame in shots]
    for frame in frames[::2]:
        frame[165:172, 100:220:3] = 235
    assert _find(frames) == INSIDE_LETTERBOX


def test_a_figure_on_black_is_left_whole():
    """The picture thins out towards the border, where a bar would end at once."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    shape = (np.hypot((y - 90) / 80, (x - 160) / 140) < 1) * np.uint8(180)
    assert _find([np.roll(shape, shift, 1) for shift in range(-20, 20)]) == WHOLE


def test_a_picture_too_small_to_be_one_is_left_whole():
    assert _find(_framed(seed, PictureArea(55, 125, 100, 220)) for seed in range(12)) == WHOLE


def test_cropping_a_smaller_picture():
    small = np.arange(18 * 32).reshape(18, 32)
    np.testing.assert_array_equal(PictureArea(20, 160, 0, 320).crop(small, 0.1), small[2:16])
    assert PictureArea(0, 1, 0, 320).crop(small, 0.1).shape == (1, 32)
