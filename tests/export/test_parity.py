import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.base.errors import InputError
from export import parity
from export.config import COMPARED_LONG_SIDE_PX
from tests.helpers import draw


def test_ssim_against_another_implementation():
    structural_similarity = pytest.importorskip("skimage.metrics").structural_similarity
    rng = np.random.default_rng(0)
    picture = rng.uniform(-1, 1, (40, 50, 3)).astype(np.float32)
    noisy = (picture + rng.normal(0, 0.3, picture.shape)).astype(np.float32)
    options = {"data_range": 2.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = [structural_similarity(picture[..., c], noisy[..., c], **options) for c in range(3)]
    assert parity.ssim(picture[None], noisy[None]) == pytest.approx(np.mean(expected), abs=2e-3)
    assert parity.ssim(picture[None], picture[None]) == pytest.approx(1)


def test_compare_returns_the_lowest_and_the_median():
    reference = np.zeros((1, 16, 16, 3), np.float32)
    similarity = parity.compare([reference + error for error in (0.2, 0.02, 0.002)], [reference] * 3)
    assert similarity.psnr_db == pytest.approx(20, abs=0.01)
    assert similarity.median_psnr_db == pytest.approx(40, abs=0.01)
    assert similarity.num_photos == 3 and similarity.ssim < similarity.median_ssim <= 1


def test_the_photos_of_the_package_are_photos():
    photos = parity.read_photos()
    assert len(photos) == 4
    for photo in photos:
        assert photo.dtype == np.uint8 and max(photo.shape) == COMPARED_LONG_SIDE_PX
        assert photo.std() > 30  # neither flat nor dark


def test_photos_are_spread_over_a_folder_and_other_files_skipped(tmp_path):
    for index in range(20):
        Image.fromarray(draw(index, 40, 50)).save(tmp_path / f"{index:02}.png")
    (tmp_path / "00.png").write_text("no picture")
    Image.fromarray(draw(0, 4, 50)).save(tmp_path / "05.png")  # too small
    photos = parity.read_photos(tmp_path, max_photos=4, long_side=25)
    assert [photo.shape for photo in photos] == [(20, 25, 3)] * 4
    assert len(parity.read_photos(tmp_path, max_photos=100)) == 18


def test_a_folder_without_photos_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(InputError, match=str(tmp_path)):
        parity.read_photos(tmp_path)


@pytest.mark.parametrize("size", [None, (16, 40), (64, 64), (8, 8)])
def test_photos_are_made_to_fit(size):
    photo = draw(0, 35, 50)
    fitting = parity.fitting(photo, size)
    assert fitting.shape == (1, *(size or (32, 48)), 3)
    assert fitting.dtype == np.float32 and -1 <= fitting.min() < fitting.max() <= 1
    if size is None:  # the middle of the photo, unchanged
        np.testing.assert_allclose((fitting[0] + 1) * 127.5, photo[1:33, 1:49], atol=1e-3)
