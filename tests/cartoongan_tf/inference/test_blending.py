import cv2
import numpy as np
import pytest

from cartoongan_tf.inference import blending
from tests.helpers import draw


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_strength_mixes_photo_and_cartoon(strength):
    photo, cartoon = draw(0), draw(1)
    mixed = blending.blend(photo, cartoon, strength)
    assert mixed.dtype == np.uint8
    np.testing.assert_allclose(mixed, photo * (1 - strength) + cartoon * strength, atol=0.51)


def test_kept_colours_are_the_photos_in_the_cartoons_light():
    rng = np.random.default_rng(0)
    photo, cartoon = (rng.integers(100, 156, (300, 7, 3)).astype(np.uint8) for _ in range(2))
    kept = blending.keep_colors(photo, cartoon)

    def lab(picture):
        return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)

    np.testing.assert_allclose(lab(kept)[..., 0], lab(cartoon)[..., 0], atol=0.5)
    np.testing.assert_allclose(lab(kept)[..., 1:], lab(photo)[..., 1:], atol=1.0)


def test_a_picture_keeps_its_own_colours():
    np.testing.assert_allclose(blending.keep_colors(draw(0), draw(0)).astype(int), draw(0), atol=1)


@pytest.mark.parametrize("axis", [0, 1])
def test_black_bars_stay_black(axis):
    frame = draw(0).clip(30).swapaxes(0, axis)
    frame[:7] = 0
    frame[-9:] = 16
    cartoon = np.full_like(frame, 99)
    kept = blending.keep_black_bars(frame.swapaxes(0, axis), cartoon.swapaxes(0, axis)).swapaxes(0, axis)
    np.testing.assert_array_equal(kept[:7], 0)
    np.testing.assert_array_equal(kept[-9:], 16)
    np.testing.assert_array_equal(kept[7:-9], 99)
    np.testing.assert_array_equal(cartoon, 99)


def test_a_dark_edge_on_one_side_is_no_bar():
    frame = draw(0).clip(30)
    frame[:7] = 0
    cartoon = np.full_like(frame, 99)
    assert blending.keep_black_bars(frame, cartoon) is cartoon


def test_a_black_frame_stays_black():
    frame = np.zeros((4, 5, 3), np.uint8)
    np.testing.assert_array_equal(blending.keep_black_bars(frame, np.full_like(frame, 99)), frame)
