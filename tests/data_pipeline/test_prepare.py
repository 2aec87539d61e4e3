import io

import cv2
import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from data_pipeline.edge_smoothing import Smoothing, smooth_edges
from data_pipeline.prepare import PreparationConfig, Prepared, Skip, prepare
from tests.helpers import draw


def _decode(png: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _prepare(picture, kind="cartoons", name="a.png", **flags):
    content = io.BytesIO(pictures.encode(pictures.Picture([picture]), ".png"))
    return prepare(kind, content, name, PreparationConfig(**{"image_size": 48} | flags))


def test_a_cartoon_comes_with_its_own_smoothed_copy():
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


def test_tiny_pictures_are_skipped():
    result = _prepare(draw(0, 23, 100))
    assert result.reason == "tiny"
    assert "100 x 23" in result.detail and "--min_side_px" in result.detail and "24" in result.detail
    assert isinstance(_prepare(draw(0, 24, 100), min_contrast=0), Prepared)
    assert isinstance(_prepare(draw(0, 23, 100), min_side_px=20, min_contrast=0), Prepared)
    assert _prepare(draw(0, 60, 100), min_side_px=61).reason == "tiny"


def test_blank_squares_are_skipped():
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


def test_pictures_of_every_mode_give_examples(tmp_path):
    picture = Image.fromarray(draw(1, 60, 80))
    images = {mode: picture.convert(mode) for mode in ("L", "P", "RGBA", "LA", "CMYK", "1")}
    images["I;16"] = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    for mode, image in images.items():
        path = tmp_path / ("a.tif" if mode in ("CMYK", "I;16") else "a.png")
        image.save(path)
        with open(path, "rb") as file:
            (example,) = prepare("cartoons", file, "a", PreparationConfig(image_size=48)).examples
        assert _decode(example["cartoon"]).shape == (48, 48, 3), mode


def test_a_file_that_cannot_be_read_has_a_reason_without_its_name():
    result = prepare("photos", io.BytesIO(b"hello"), "album/a.png", PreparationConfig())
    assert isinstance(result, Skip) and result.reason == "unreadable" and "album/a.png" not in result.detail
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
