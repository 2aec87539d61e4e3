import numpy as np
import pytest

from experiments.baselines import patch_match
from experiments.baselines.deep_analogy import DeepAnalogy, strong
from tests.helpers import draw


@pytest.fixture(scope="module")
def method():
    return DeepAnalogy.load("random")


def _features(height, width, depth=8, seed=0):
    features = np.random.default_rng(seed).normal(size=(height, width, depth)).astype(np.float32)
    return features / np.linalg.norm(features, axis=-1, keepdims=True)


def _searched(source, target, num_iterations=12, seed=0):
    rng = np.random.default_rng(seed)
    start = patch_match.random_field(source.shape[:2], target.shape[:2], rng)
    return start, patch_match.improve(start, source, target, 3, max(target.shape[:2]), num_iterations, rng)


def test_likeness_by_hand():
    source, target = np.zeros((3, 3, 2), np.float32), np.zeros((3, 4, 2), np.float32)
    source[1, 1], source[1, 2], target[0, 2], target[0, 3] = (1, 2), (3, 0), (4, 1), (0.5, 7)
    likeness = patch_match.Likeness(source, target, patch_size=3)
    field, where = np.zeros((3, 3, 2), int), np.zeros((3, 3), bool)
    field[1, 1], where[1, 1] = (0, 2), True
    found = likeness(field, where)
    # The middles: 4 + 2; those to the right: 1.5; rows above the target repeat its first, which meets zeros here.
    assert found[1, 1] == pytest.approx(7.5)
    assert np.isneginf(found[~where]).all()


def test_a_part_of_the_target_is_found_again():
    target = _features(20, 24)
    source = target[5:15, 8:20]
    _, field = _searched(source, target)
    rows, columns = np.mgrid[5:15, 8:20]
    inner = (slice(1, -1), slice(1, -1))  # at the borders patches are padded
    assert (field[inner] == np.stack([rows, columns], -1)[inner]).all(-1).mean() > 0.97


def test_the_search_is_as_good_as_looking_at_every_place():
    source, target = _features(9, 10, seed=1), _features(12, 8, seed=2)
    likeness = patch_match.Likeness(source, target, 3)
    everywhere = np.ones((9, 10), bool)
    best = np.full((9, 10), -np.inf)
    for row in range(12):
        for column in range(8):
            best = np.maximum(best, likeness(np.broadcast_to((row, column), (9, 10, 2)), everywhere))
    start, field = _searched(source, target, num_iterations=40)
    found, before = likeness(field, everywhere), likeness(start, everywhere)
    assert (found >= before).all() and (found <= best + 1e-5).all()
    assert (found > best - 1e-5).mean() > 0.8


def test_a_search_with_a_radius_stays_near():
    source, target = _features(8, 8, seed=1), _features(40, 40, seed=2)
    start = np.full((8, 8, 2), 20)
    found = patch_match.improve(start, source, target, 3, 2, 1, np.random.default_rng(0))
    assert not np.array_equal(found, start)
    assert np.abs(found - start).max() <= 4 + 2 + 1  # four neighbours' steps, and radii of 2 and 1


def test_an_enlarged_field_leads_to_the_same_places():
    field = np.array([[[0, 3], [2, 1]]])
    larger = patch_match.enlarged(field, (2, 5), (6, 7))
    assert larger[0].tolist() == [[0, 6], [0, 6], [4, 2], [4, 3], [4, 2]]  # 7 is outside: the last column
    assert larger[1].tolist() == [[1, 6], [1, 6], [5, 2], [5, 3], [5, 2]]


def test_votes_of_a_shifted_field_are_the_shifted_picture():
    picture = np.random.default_rng(0).uniform(0, 255, (12, 14, 3)).astype(np.float32)
    rows, columns = np.mgrid[2:10, 3:12]
    voted = patch_match.vote(picture, np.stack([rows, columns], -1), 3)
    np.testing.assert_allclose(voted[1:-1, 1:-1], picture[3:9, 4:11], rtol=1e-5)


def test_votes_are_means_by_hand():
    picture = np.arange(5, dtype=np.float32).reshape(1, 5, 1)
    field = np.array([[[0, 0], [0, 3], [0, 1]]])
    # The middle is covered by its left neighbour's patch (0 + 1), its own (3) and its right neighbour's (1 - 1).
    assert patch_match.vote(picture, field, 3)[0, 1, 0] == pytest.approx((1 + 3 + 0) / 3)


def test_strong_features_by_hand():
    features = np.array([[[0.0, 0.0], [3.0, 4.0], [np.sqrt(1.25), 0.0]]], np.float32)  # lengths 0, 25, 1.25
    expected = [1 / (1 + np.exp(300 * 0.05)), 1.0, 0.5]
    np.testing.assert_allclose(strong(features)[0, :, 0], expected, atol=2e-3)


def test_features_are_brought_back_a_layer(method):
    pyramid = method.pyramid(draw(0, 32, 48))
    start = pyramid[2] + np.random.default_rng(0).normal(0, pyramid[2].std(), pyramid[2].shape).astype(np.float32)

    def distance(features):
        return float(np.square(method.level_steps[3](features[np.newaxis])[0] - pyramid[3]).mean())

    features = method.features_leading_to(3, pyramid[3], start, num_steps=40)
    assert distance(pyramid[2]) < 1e-3 * distance(start)  # it is that layer's way to the next
    assert distance(features) < 0.2 * distance(start)


@pytest.mark.slow
def test_a_photo_is_drawn_with_itself(method):
    photo = draw(3, 48, 32)
    drawn = method.draw(photo, photo, num_steps=2, num_iterations=4)
    assert drawn.dtype == np.uint8 and drawn.shape == photo.shape
    assert np.abs(drawn.astype(int) - photo).mean() < 8


@pytest.mark.slow
def test_a_photo_is_drawn_with_patches_of_its_like(method):
    """The style picture is the photo shifted, in other colours; the matches must shift it back."""
    photo = draw(5, 64, 64)
    style = np.ascontiguousarray(np.roll(photo, 16, 1))[..., ::-1]
    drawn = method.draw(photo, style, num_steps=2, num_iterations=5).astype(int)
    wanted = photo[..., ::-1].astype(int)
    assert np.abs(drawn - wanted).mean() < 0.5 * np.abs(style.astype(int) - wanted).mean()


def test_a_drawing_has_the_photos_size_and_the_styles_pixels(method):
    photo, style = draw(0, 50, 61), np.full((40, 40, 3), (200, 30, 90), np.uint8)
    drawn = method.draw(photo, style, num_steps=1, num_iterations=1)
    assert drawn.shape == photo.shape
    assert (drawn == (200, 30, 90)).all()
