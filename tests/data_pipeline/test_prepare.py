import cv2
import numpy as np
import pytest

from cartoongan_tf import pictures
from data_pipeline import prepare
from data_pipeline.edge_smoothing import smooth_edges
from tests.helpers import draw


@pytest.mark.parametrize("height, width", [(64, 64), (33, 200), (200, 33), (32, 500), (7, 11), (1, 1), (1, 60_000)])
def test_crops_are_square_whatever_comes(height, width):
    assert prepare.resize_and_crop(draw(0, height, width), 32).shape == (32, 32, 3)


def test_the_crop_is_the_middle_and_the_short_side_is_kept_whole():
    picture = np.zeros((40, 120, 3), np.uint8)
    picture[:, 40:80] = 255
    assert prepare.resize_and_crop(picture, 40).min() == 255
    tall = prepare.resize_and_crop(np.tile(np.arange(100, dtype=np.uint8)[:, None, None], (1, 50, 3)), 50)
    np.testing.assert_array_equal(tall[:, 0, 0], np.arange(25, 75))
    shrunk = prepare.resize_and_crop(np.repeat(np.repeat(draw(0, 32, 32), 3, 0), 3, 1), 32)
    np.testing.assert_array_equal(shrunk, draw(0, 32, 32))


def _decode(png: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def test_a_cartoon_comes_with_its_own_smoothed_twin(tmp_path):
    cartoon = draw(1, 48, 48)
    pictures.write_picture(tmp_path / "a.png", cartoon)
    parts = prepare.prepare_cartoon(tmp_path / "a.png", 48)
    np.testing.assert_array_equal(_decode(parts["cartoon"]), cartoon)
    np.testing.assert_array_equal(_decode(parts["smoothed"]), smooth_edges(cartoon))
    np.testing.assert_array_equal(_decode(prepare.prepare_photo(tmp_path / "a.png", 48)["photo"]), cartoon)


def test_attempt_gives_the_reason_without_the_path(tmp_path):
    (tmp_path / "a.png").write_text("hello")
    assert prepare.attempt(prepare.prepare_photo, 32, tmp_path / "a.png") == "not a picture that can be read"
