"""Tiles of a generator without norms: where they lie, on what they depend, and that they have no seams."""

import numpy as np
import pytest

from cartoongan_tf import Cartoonizer
from cartoongan_tf.inference import tiles
from cartoongan_tf.inference.reach import find_reach
from cartoongan_tf.inference.runtimes import load_runtime
from cartoongan_tf.models import pixels
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.models.layer_graph import layer_graph
from tests.helpers import draw

pytestmark = pytest.mark.usefixtures("no_gpu")


@pytest.fixture(scope="module")
def light(light_path):
    return load_generator(light_path)


def test_reach_is_the_neighbourhood_that_changes_a_pixel():
    """A photo that changes at the reach changes the cartoon; one that changes beyond it does not."""
    light = build_generator("light", width=4, num_blocks=1)
    rng = np.random.default_rng(0)
    light.set_weights([rng.normal(0, 0.3, weights.shape) for weights in light.get_weights()])
    reach = find_reach(layer_graph(light))
    middle = 4 * (reach // 4 + 4)
    photo = rng.uniform(-1, 1, (1, 2 * middle, 2 * middle, 3)).astype(np.float32)
    cartoon = np.asarray(light(photo))
    changes = []
    for distance in (reach, reach + 1):
        differences = []
        for row in range(middle, middle + 4):
            changed = photo.copy()
            changed[:, : row - distance + 1] *= -1
            changed[:, row + distance :] *= -1
            differences.append(np.abs(np.asarray(light(changed)) - cartoon)[0, row].max())
        changes.append(max(differences))
    assert changes[0] > 0 and changes[1] == 0


def test_norms_reach_the_whole_picture(generator_path):
    assert find_reach(layer_graph(load_generator(generator_path))) is None


@pytest.mark.parametrize("length", [8, 60, 64, 68, 100, 516, 1000])
def test_tiles_of_one_length_cover_an_axis(length, monkeypatch):
    monkeypatch.setattr(tiles, "MAX_SIDE_PX", 64)
    overlap = 12
    spans = tiles._spans(length, overlap)
    covered = [position for span in spans for position in range(span.kept.start, span.kept.stop)]
    assert covered == list(range(length))
    sides = {span.tile.stop - span.tile.start for span in spans}
    assert len(sides) == 1 and sides.pop() <= 64
    for span in spans:
        assert span.tile.start % 4 == 0 and span.tile.start >= 0 and span.tile.stop <= length
        assert span.kept.start - span.tile.start >= overlap or span.kept.start == 0
        assert span.tile.stop - span.kept.stop >= overlap or span.kept.stop == length


def test_tiles_give_the_whole_picture(light, tflite_beside, monkeypatch):
    reach = find_reach(layer_graph(light))
    monkeypatch.setattr(tiles, "MAX_SIDE_PX", 2 * (reach + 3) + 40)
    picture = draw(0, 331, 250)
    expected = np.asarray(pixels.cartoonize(light, picture[np.newaxis]))[0]
    done = []
    cartoonizer = Cartoonizer(load_runtime(tflite_beside), "banded", done.append)
    assert cartoonizer.plan(331, 250).in_bands
    assert np.abs(cartoonizer(picture).astype(int) - expected).max() <= 1
    assert len(done) > 6 and done == sorted(done) and done[-1] == 1
    assert expected.std() > 5


def test_large_pictures_are_tiled_where_the_file_knows_its_reach(tflite_beside, models):
    assert Cartoonizer(load_runtime(tflite_beside)).plan(2160, 3840).in_bands
    assert not Cartoonizer(load_runtime(tflite_beside)).plan(800, 600).in_bands
    assert Cartoonizer(load_runtime(tflite_beside)).plan(2160, 3840).batch_size == 1
    assert not Cartoonizer(load_runtime(models["fp32"])).plan(2160, 3840).in_bands
