import cv2
import numpy as np
import pytest

from data_pipeline.frames.bars import BarFinder, PictureArea
from tests.helpers import draw

WHOLE = PictureArea(0, 180, 0, 320)


def _found(frames):
    finder = BarFinder()
    for frame in frames:
        finder.look_at(frame)
    return finder.picture_area()


def _framed(seed, box, noise=3, soft=False, height=180, width=320):
    """A bright drawing within black bars, with a codec's noise and soft edges."""
    rng = np.random.default_rng(seed)
    frame = np.zeros((height, width))
    inside = 60 + 0.7 * draw(seed, box.bottom - box.top, box.right - box.left)[..., 1]
    frame[box.top : box.bottom, box.left : box.right] = inside
    if soft:
        frame = cv2.blur(frame, (3, 3))
    return (frame + rng.normal(0, noise, frame.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(
    "box", [(22, 158, 0, 320), (0, 180, 40, 280), (20, 160, 36, 284), (11, 180, 0, 320), (0, 180, 109, 210)]
)
def test_bars_are_found_to_the_pixel_and_cropped_a_little_inside(box, soft):
    found = _found(_framed(seed, PictureArea(*box), soft=soft) for seed in range(30))
    for mine, real, whole in zip(found, box, WHOLE, strict=True):
        assert mine == real if real == whole else 1 <= abs(mine - real) <= 3
    assert found.crop(_framed(99, PictureArea(*box), noise=0, soft=soft)).min() > 30


def test_dark_scenes_change_nothing():
    box = PictureArea(22, 158, 0, 320)
    frames = [_framed(seed, box) for seed in range(30)]
    for frame in frames[5:]:
        frame[90:] = 0  # most of the film shows its lower half in the dark
    assert _found(frames) == PictureArea(24, 156, 0, 320)


def test_a_film_wholly_dark_is_left_whole():
    assert _found([np.full((180, 320), 9, np.uint8)] * 30) == WHOLE


def test_bars_are_told_by_the_few_frames_that_are_light():
    frames = [np.full((180, 320), 9, np.uint8)] * 200 + [
        _framed(seed, PictureArea(22, 158, 0, 320)) for seed in range(3)
    ]
    assert _found(frames) == PictureArea(24, 156, 0, 320)


def test_borders_in_some_shots_are_left():
    frames = [_framed(seed, PictureArea(22, 158, 0, 320)) for seed in range(20)] + [_framed(30, WHOLE)]
    assert _found(frames) == WHOLE


def test_a_logo_over_the_bars_at_the_start_does_not_hide_them():
    frames = [_framed(0, WHOLE)] + [_framed(seed, PictureArea(22, 158, 0, 320)) for seed in range(1, 80)]
    assert _found(frames) == PictureArea(24, 156, 0, 320)


def test_subtitles_in_a_bar_do_not_hide_it():
    frames = [_framed(seed, PictureArea(22, 158, 0, 320)) for seed in range(30)]
    for frame in frames[::2]:
        frame[165:172, 100:220:3] = 235
    assert _found(frames) == PictureArea(24, 156, 0, 320)


def test_a_figure_on_black_is_left_whole():
    """It thins out towards the border, where a bar would end at once."""
    y, x = np.mgrid[0:180, 0:320]
    shape = (np.hypot((y - 90) / 80, (x - 160) / 140) < 1) * np.uint8(180)
    assert _found([np.roll(shape, shift, 1) for shift in range(-20, 20)]) == WHOLE


def test_a_picture_too_small_to_be_one_is_left_whole():
    assert _found(_framed(seed, PictureArea(70, 110, 120, 200)) for seed in range(30)) == WHOLE


def test_cropping_a_smaller_picture():
    small = np.arange(18 * 32).reshape(18, 32)
    np.testing.assert_array_equal(PictureArea(20, 160, 0, 320).crop(small, 0.1), small[2:16])
    assert PictureArea(0, 1, 0, 320).crop(small, 0.1).shape == (1, 32)
