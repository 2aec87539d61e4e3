import numpy as np

from cartoongan_tf.models import pixels


def test_every_level_survives_the_round_trip():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    values = np.asarray(pixels.to_float(levels))
    assert values.min() == -1.0 and values.max() == 1.0
    np.testing.assert_array_equal(pixels.to_uint8(values), levels)


def test_values_outside_the_range_are_clipped():
    np.testing.assert_array_equal(pixels.to_uint8(np.array([-3.0, -1.0, 0.0, 1.0, 2.0])), [0, 0, 128, 255, 255])


def test_padding_is_repeated_reflection():
    for height, width in [(1, 1), (2, 3), (5, 9), (7, 64), (31, 2), (12, 8)]:
        image = np.random.default_rng(0).integers(0, 256, (2, height, width, 3)).astype(np.uint8)
        below = max(-(-height // 4) * 4, 8) - height
        right = max(-(-width // 4) * 4, 8) - width
        # NumPy reflects again if the padding is longer than the side.
        expected = np.pad(image, ((0, 0), (0, below), (0, right), (0, 0)), mode="reflect")
        np.testing.assert_array_equal(pixels.pad_to_fit(image), expected, err_msg=f"{height} x {width}")


def test_cartoonize_keeps_size_and_place():
    for height, width in [(1, 1), (8, 8), (9, 14)]:
        image = np.random.default_rng(0).integers(0, 256, (1, height, width, 3)).astype(np.uint8)
        inverted = pixels.cartoonize(lambda photo: -photo, image)
        np.testing.assert_array_equal(inverted, 255 - image, err_msg=f"{height} x {width}")
