import numpy as np
import pytest
from keras import layers
from PIL import Image

from cartoongan_tf import Cartoonizer
from cartoongan_tf.inference import band_plan, banded
from cartoongan_tf.inference.runtimes import load_runtime
from cartoongan_tf.media.image_measures import psnr
from cartoongan_tf.models import pixels
from cartoongan_tf.models.authors_files import read_weights
from cartoongan_tf.models.authors_weights import generator_from_weights
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.models.generator_file import load_generator, save_generator
from cartoongan_tf.models.layer_graph import layer_graph
from tests.helpers import draw

# One row at a time, a few rows, all at once.
CASES = (
    (1, (1, 1)),
    (1, (8, 9)),
    (1, (21, 10)),
    (30_000, (61, 83)),
    (30_000, (130, 20)),
    (band_plan.BAND_BYTES, (1, 1)),
    (band_plan.BAND_BYTES, (61, 83)),
)


@pytest.mark.parametrize("path", ["generator_path", "light_path", "narrow_path"])
def test_bands_give_the_whole_picture(path, monkeypatch, request):
    generator = load_generator(request.getfixturevalue(path))
    nodes = layer_graph(generator)
    for band_bytes, (height, width) in CASES:
        case = f"bands of {band_bytes} bytes, {height} x {width}"
        monkeypatch.setattr(band_plan, "BAND_BYTES", band_bytes)
        picture = draw(0, height, width)
        cartoon, _ = banded.cartoonize(nodes, picture)
        expected = np.asarray(pixels.cartoonize(generator, picture[np.newaxis]))[0]
        assert cartoon.dtype == np.uint8 and cartoon.shape == picture.shape, case
        assert np.abs(cartoon.astype(int) - expected).max() <= 1, case
        assert cartoon.std() > 5 or height == 1, case


def test_statistics_of_a_part_would_show(generator_path):
    """Guards the test above: the same picture drawn in two tiles is far from the whole."""
    generator = load_generator(generator_path)
    picture = draw(0, 64, 64)
    whole = np.asarray(pixels.cartoonize(generator, picture[np.newaxis]))[0]
    tiles = [np.asarray(pixels.cartoonize(generator, tile[np.newaxis]))[0] for tile in np.split(picture, 2)]
    assert psnr(np.concatenate(tiles), whole) < 35


def test_stored_tensors_are_those_that_peak_bytes_counts(monkeypatch):
    """The paper's network stores three tensors of 256 channels at a quarter of the resolution, 192 bytes a pixel."""
    monkeypatch.setattr(band_plan, "BAND_BYTES", 0)
    nodes = layer_graph(build_generator("paper"))
    assert banded.peak_bytes(nodes, 2160, 3840) / (2160 * 3840) == pytest.approx(192 + 12)  # and 12 for the pictures


def test_peak_bytes_are_those_of_the_padded_picture():
    """The light generator's sums take inputs of one size, which a padded picture has at every layer."""
    nodes = layer_graph(build_generator("light", width=4, num_blocks=1))
    assert banded.peak_bytes(nodes, 1501, 2203) == banded.peak_bytes(nodes, 1504, 2204)


def test_a_layer_without_a_rule_is_named():
    generator = build_generator("paper", width=4, num_blocks=1)
    nodes = layer_graph(generator)
    nodes["flat_norm_relu"] = type(nodes["flat_norm_relu"])(layers.Softmax(), ("flat_norm",))
    with pytest.raises(TypeError, match="Softmax"):
        banded.cartoonize(nodes, draw(0))


@pytest.mark.slow
def test_the_authors_network_in_bands(assets, tmp_path):
    """docs/large_pictures.md gives the figures of five photos of 1024 pixels."""
    save_generator(generator_from_weights(read_weights(assets / "authors" / "hayao.npz")), tmp_path / "hayao.keras")
    runtime = load_runtime(tmp_path / "hayao.keras")
    in_one_piece = Cartoonizer(runtime, "whole")
    in_bands = Cartoonizer(runtime, "banded")
    photos = sorted((assets / "photos").glob("*.jpg"))
    with Image.open(photos[0]) as photo:
        picture = np.asarray(photo.convert("RGB").resize((640, round(640 * photo.height / photo.width))))
    assert psnr(in_bands(picture), in_one_piece(picture)) >= 60
