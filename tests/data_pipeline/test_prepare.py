import io

import cv2
import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from data_pipeline.edge_smoothing import Smoothing, smooth_edges
from data_pipeline.prepare import PreparationConfig, Prepared, Skip, prepare
from data_pipeline.squares import Square, lay_out_squares, middle_square
from tests.helpers import draw


@pytest.mark.parametrize("height, width", [(64, 64), (33, 200), (200, 33), (32, 500), (7, 11), (1, 1), (1, 60_000)])
def test_a_picture_gives_one_square_whatever_comes(height, width):
    assert middle_square(draw(0, height, width), 32).shape == (32, 32, 3)


def test_the_square_is_the_middle_and_the_short_side_is_kept_whole():
    picture = np.zeros((40, 120, 3), np.uint8)
    picture[:, 40:80] = 255
    assert middle_square(picture, 40).min() == 255
    tall = middle_square(np.tile(np.arange(100, dtype=np.uint8)[:, None, None], (1, 50, 3)), 50)
    np.testing.assert_array_equal(tall[:, 0, 0], np.arange(25, 75))
    shrunk = middle_square(np.repeat(np.repeat(draw(0, 32, 32), 3, 0), 3, 1), 32)
    np.testing.assert_array_equal(shrunk, draw(0, 32, 32))


@pytest.mark.parametrize(
    "height, width, most, boxes",
    [
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
    ],
)
def test_large_pictures_give_several_squares_side_by_side(height, width, most, boxes):
    assert lay_out_squares(height, width, 32, most) == boxes


@pytest.mark.parametrize("seed", range(20))
def test_squares_are_disjoint_inside_and_never_too_many(seed):
    rng = np.random.default_rng(seed)
    height, width, size, most = (int(rng.integers(*span)) for span in ((1, 400), (1, 400), (8, 64), (1, 12)))
    boxes = lay_out_squares(height, width, size, most)
    covered = np.zeros((height, width), int)
    for top, left, side in boxes:
        assert top >= 0 and left >= 0 and top + side <= height and left + side <= width
        assert side >= size or side == min(height, width)
        covered[top : top + side, left : left + side] += 1
    assert 1 <= len(boxes) <= most and covered.max() == 1


def _decode(png: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _prepare(picture, kind="cartoons", name="a.png", **flags):
    content = io.BytesIO(pictures.encode(pictures.Picture([picture]), ".png"))
    return prepare(kind, content, name, PreparationConfig(**{"image_size": 48} | flags))


def test_a_cartoon_comes_with_its_own_smoothed_twin():
    cartoon = draw(1, 48, 48)
    (example,) = _prepare(cartoon, name="album/ä.png").examples
    assert set(example) == {"cartoon", "smoothed", "source", "box"}
    np.testing.assert_array_equal(_decode(example["cartoon"]), cartoon)
    np.testing.assert_array_equal(_decode(example["smoothed"]), smooth_edges(cartoon))
    assert example["source"].decode() == "album/ä.png" and example["box"] == [0, 0, 48]
    (photo,) = _prepare(cartoon, "photos").examples
    assert set(photo) == {"photo", "source", "box"}
    np.testing.assert_array_equal(_decode(photo["photo"]), cartoon)


def test_every_smoothing_flag_reaches_the_smoothing():
    cartoon = draw(1, 48, 48)
    flags = {"smoothing": "mean", "smoothing_kernel_px": 7, "edge_dilation_px": 9, "smoothing_feather_px": 2}
    flags |= {"canny_low": 50, "canny_high": 60}
    (example,) = _prepare(cartoon, **flags).examples
    np.testing.assert_array_equal(
        _decode(example["smoothed"]), smooth_edges(cartoon, Smoothing("mean", 7, 9, 50, 60, 2))
    )


def test_each_square_of_a_large_picture_is_an_example():
    picture = draw(2, 96, 144)
    examples = _prepare(picture, "photos", crops_per_image=6).examples
    assert [example["box"] for example in examples] == [[top, left, 48] for top in (0, 48) for left in (0, 48, 96)]
    for example in examples:
        top, left, side = example["box"]
        np.testing.assert_array_equal(_decode(example["photo"]), picture[top : top + side, left : left + side])


def test_tiny_pictures_are_left_out():
    result = _prepare(draw(0, 23, 100))
    assert result == Skip("tiny", "100 x 23 pixels, where --min_side_px asks for 24")
    assert isinstance(_prepare(draw(0, 24, 100), min_contrast=0), Prepared)
    assert isinstance(_prepare(draw(0, 23, 100), min_side_px=20, min_contrast=0), Prepared)
    assert _prepare(draw(0, 60, 100), min_side_px=61).reason == "tiny"


def test_blank_squares_are_left_out():
    blank = np.full((48, 96, 3), 200, np.uint8)
    blank[::2] += 2
    assert _prepare(blank).reason == "blank"
    assert isinstance(_prepare(blank, min_contrast=0), Prepared)
    half = np.hstack([blank[:, :48], draw(1, 48, 48)])
    (example,) = _prepare(half, crops_per_image=2).examples
    assert example["box"] == [0, 48, 48]


def test_different_pictures_with_blank_middles_have_different_hashes():
    def with_blank_middle(seed):
        blank = np.full((48, 48, 3), 255, np.uint8)
        return np.hstack([draw(seed, 48, 48), blank, draw(seed + 50, 48, 48)])

    hashes = {_prepare(with_blank_middle(seed), "photos", crops_per_image=3).hash for seed in range(4)}
    assert len(hashes) == 4


def test_a_picture_has_one_hash_however_many_squares_it_gives():
    picture = draw(3, 96, 144)
    assert _prepare(picture).hash == _prepare(picture, crops_per_image=6).hash


def test_pictures_just_above_the_size_are_averaged():
    picture = np.random.default_rng(0).integers(0, 256, (49, 49, 3)).astype(np.uint8)
    expected = cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(middle_square(picture, 48), expected)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16"])
def test_pictures_of_every_mode_give_examples(tmp_path, mode):
    picture = Image.fromarray(draw(1, 60, 80))
    path = tmp_path / ("a.tif" if mode in ("CMYK", "I;16") else "a.png")
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    (picture if mode == "I;16" else picture.convert(mode)).save(path)
    with open(path, "rb") as file:
        (example,) = prepare("cartoons", file, "a", PreparationConfig(image_size=48)).examples
    assert _decode(example["cartoon"]).shape == (48, 48, 3)


def test_what_cannot_be_read_has_a_reason_without_its_name():
    result = prepare("photos", io.BytesIO(b"hello"), "album/a.png", PreparationConfig())
    assert result == Skip("unreadable", "not a picture that can be read")
    large = _prepare(draw(0), max_pixels=100)
    assert large.reason == "unreadable" and "--max_pixels" in large.detail


def test_impossible_flags_are_named():
    impossible = [
        ("image_size", 30),
        ("image_size", 0),
        ("crops_per_image", 0),
        ("validation_fraction", 1.0),
        ("validation_fraction", -0.1),
        ("min_side_px", -1),
        ("min_contrast", -1.0),
        ("duplicate_bits", -2),
        ("max_pixels", 0),
        ("smoothing", "median"),
        ("smoothing_kernel_px", 1),
        ("smoothing_kernel_px", 4),
        ("smoothing_kernel_px", 101),
        ("edge_dilation_px", -1),
        ("edge_dilation_px", 2),
        ("edge_dilation_px", 101),
        ("smoothing_feather_px", -1),
        ("smoothing_feather_px", 100),
        ("canny_low", -1),
        ("canny_high", 50),
    ]
    for flag, value in impossible:
        with pytest.raises(InputError, match=f"--{flag}={value}"):
            PreparationConfig(**{flag: value})
    with pytest.raises(InputError, match="--canny_high=200"):
        PreparationConfig(canny_low=201)


def test_flags_at_their_limits():
    smallest = {"smoothing_kernel_px": 3, "edge_dilation_px": 1, "smoothing_feather_px": 0, "canny_low": 0}
    largest = {"smoothing_kernel_px": 99, "edge_dilation_px": 99, "smoothing_feather_px": 99, "canny_low": 200}
    assert PreparationConfig(**smallest, canny_high=0).edge_smoothing() == Smoothing("gaussian", 3, 1, 0, 0, 0)
    assert PreparationConfig(**largest).edge_smoothing() == Smoothing("gaussian", 99, 99, 200, 200, 99)
