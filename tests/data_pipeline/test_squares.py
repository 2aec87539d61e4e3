import cv2
import numpy as np

from data_pipeline.squares import Square, lay_out_squares, middle_square
from tests.helpers import draw


def test_a_picture_of_any_shape_gives_one_square():
    for shape in ((64, 64), (33, 200), (200, 33), (32, 500), (7, 11), (1, 1), (1, 60_000)):
        assert middle_square(draw(0, *shape), 32).shape == (32, 32, 3), shape


def test_the_square_is_the_middle_and_all_of_the_short_side_is_kept():
    picture = np.zeros((40, 120, 3), np.uint8)
    picture[:, 40:80] = 255
    assert middle_square(picture, 40).min() == 255
    tall = middle_square(np.tile(np.arange(100, dtype=np.uint8)[:, None, None], (1, 50, 3)), 50)
    np.testing.assert_array_equal(tall[:, 0, 0], np.arange(25, 75))
    shrunk = middle_square(np.repeat(np.repeat(draw(0, 32, 32), 3, 0), 3, 1), 32)
    np.testing.assert_array_equal(shrunk, draw(0, 32, 32))


def test_pictures_just_above_the_size_are_averaged():
    picture = np.random.default_rng(0).integers(0, 256, (49, 49, 3)).astype(np.uint8)
    expected = cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(middle_square(picture, 48), expected)


def test_large_pictures_give_several_squares_side_by_side():
    cases = [
        (100, 210, 1, [Square(0, 55, 100)]),
        (100, 210, 2, [Square(0, 2, 100), Square(0, 107, 100)]),
        (60, 130, 9, [Square(0, 2, 60), Square(0, 67, 60)]),  # squares of two rows would be too small
        (210, 100, 2, [Square(2, 0, 100), Square(107, 0, 100)]),
        (64, 64, 4, [Square(0, 0, 32), Square(0, 32, 32), Square(32, 0, 32), Square(32, 32, 32)]),
        (64, 64, 3, [Square(0, 0, 32), Square(0, 32, 32), Square(32, 32, 32)]),  # of four
        (64, 96, 4, [Square(0, 8, 32), Square(0, 56, 32), Square(32, 8, 32), Square(32, 56, 32)]),  # of six
        (70, 70, 1, [Square(0, 0, 70)]),
        (96, 160, 20, [Square(32 * row, 32 * column, 32) for row in range(3) for column in range(5)]),
        (20, 50, 9, [Square(0, 2, 20), Square(0, 27, 20)]),  # enlarged: one row
    ]
    for height, width, most, squares in cases:
        assert lay_out_squares(height, width, 32, most) == squares, (height, width, most)


def test_squares_are_disjoint_inside_and_never_too_many():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        height, width, size, most = rng.integers([1, 1, 8, 1], [400, 400, 64, 12]).tolist()
        squares = lay_out_squares(height, width, size, most)
        covered = np.zeros((height, width), int)
        for top, left, side in squares:
            assert top >= 0 and left >= 0 and top + side <= height and left + side <= width, seed
            assert side >= size or side == min(height, width), seed
            covered[top : top + side, left : left + side] += 1
        assert 1 <= len(squares) <= most and covered.max() == 1, seed
