import numpy as np
import pytest

from cartoongan_tf.models import pixels


def test_every_level_survives_the_round_trip():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    values = np.asarray(pixels.to_float(levels))
    assert values.min() == -1.0 and values.max() == 1.0
    np.testing.assert_array_equal(pixels.to_uint8(values), levels)


def test_values_outside_the_range_are_clipped():
    np.testing.assert_array_equal(pixels.to_uint8(np.array([-3.0, -1.0, 0.0, 1.0, 2.0])), [0, 0, 128, 255, 255])


@pytest.mark.parametrize("height, width", [(1, 1), (2, 3), (5, 9), (7, 64), (31, 2), (12, 8)])
def test_padding_is_repeated_reflection(height, width):
    image = np.random.default_rng(0).integers(0, 256, (2, height, width, 3)).astype(np.uint8)
    fitted_height, fitted_width = (max(-(-size // 4) * 4, 8) for size in (height, width))
    expected = np.pad(
        image, ((0, 0), (0, fitted_height - height), (0, fitted_width - width), (0, 0)), mode="reflect"
    )  # NumPy reflects again where the padding is longer than the side
    np.testing.assert_array_equal(pixels.pad_to_fit(image), expected)


@pytest.mark.parametrize("height, width", [(1, 1), (8, 8), (9, 14)])
def test_cartoonize_keeps_size_and_place(height, width):
    image = np.random.default_rng(0).integers(0, 256, (1, height, width, 3)).astype(np.uint8)
    np.testing.assert_array_equal(pixels.cartoonize(lambda photo: -photo, image), 255 - image)
