import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.generator_costs import num_multiplications
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.models.generator_file import load_generator, save_generator
from cartoongan_tf.training.config import TrainConfig


def test_the_papers_generator_has_its_parameters():
    assert build_generator("paper").count_params() == 11_129_667


def test_the_light_generator_keeps_to_a_tenth_of_the_papers_cost():
    light = build_generator("light")
    assert light.count_params() == 523_327 <= 1_000_000
    paper_cost = num_multiplications(build_generator("paper"), 256, 256)
    light_cost = num_multiplications(light, 256, 256)
    assert paper_cost == pytest.approx(54.4e9, rel=0.001) and light_cost <= 5.4e9 < paper_cost / 10


def test_the_light_generator_begins_as_the_photo():
    photo = np.random.default_rng(0).uniform(-1, 1, (1, 20, 24, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(build_generator("light")(photo)), photo)
    np.testing.assert_allclose(np.asarray(build_generator("narrow")(photo)), np.tanh(photo), atol=1e-6)


def test_losses_see_the_light_generator_s_values_outside_the_range():
    """In training alone; there, nothing but a loss brings them back."""
    generator = build_generator("light", width=4, num_blocks=1)
    bias = generator.get_layer("output_conv").bias
    bias.assign([5.0, -5.0, 5.0])
    with tf.GradientTape() as tape:
        drawn = generator(tf.zeros((1, 8, 8, 3)), training=True)
        total = tf.reduce_sum(tf.abs(drawn - tf.sign(drawn)))
    np.testing.assert_array_equal(drawn, np.broadcast_to([5.0, -5.0, 5.0], drawn.shape))
    np.testing.assert_allclose(tape.gradient(total, bias.value), [64, -64, 64])
    np.testing.assert_array_equal(generator(tf.zeros((1, 8, 8, 3))), tf.sign(drawn))


@pytest.mark.parametrize("kind", ["paper", "light", "narrow"])
def test_output_has_the_size_and_range_of_the_input(kind):
    generator = build_generator(kind, width=4, num_blocks=2)
    for height, width in [(8, 8), (8, 64), (36, 20)]:
        photos = np.random.default_rng(0).uniform(-1, 1, (2, height, width, 3)).astype(np.float32)
        outputs = np.asarray(generator(photos))
        assert outputs.shape == photos.shape, (height, width)
        assert outputs.dtype == np.float32 and np.abs(outputs).max() <= 1, (height, width)


def test_fresh_kernels_are_small():
    kernels = [weights for weights in build_generator("paper", num_blocks=1).get_weights() if weights.ndim == 4]
    deviations = [kernel.std() for kernel in kernels if kernel.size > 10_000]
    np.testing.assert_allclose(deviations, 0.02, rtol=0.05)


@pytest.mark.parametrize("num_channels_in, num_channels_out", [(3, 1), (1, 3)])
def test_a_model_that_maps_no_picture_to_a_picture_is_refused(tmp_path, num_channels_in, num_channels_out):
    picture = keras.Input((None, None, num_channels_in))
    model = keras.Model(picture, keras.layers.Conv2D(num_channels_out, 1)(picture))
    model.save(tmp_path / "model.keras")
    with pytest.raises(InputError, match=re.escape("model.keras")):
        load_generator(tmp_path / "model.keras")


def test_blocks_have_the_papers_layout():
    """One norm for each pair of down or up convolutions, two for each residual block, one after the first."""
    names = [layer.name for layer in build_generator("paper", width=4, num_blocks=3).layers]
    assert sum(name.endswith("_sum") for name in names) == 3
    assert sum("norm" in name and "relu" not in name for name in names) == 1 + 4 + 2 * 3


@pytest.mark.parametrize("kind", ["paper", "light", "narrow"])
def test_saved_generators_compute_the_same(tmp_path, kind):
    generator = build_generator(kind, width=6, num_blocks=3)
    photo = np.random.default_rng(0).uniform(-1, 1, (1, 16, 12, 3)).astype(np.float32)
    save_generator(generator, tmp_path / "g.keras")
    np.testing.assert_array_equal(load_generator(tmp_path / "g.keras")(photo), generator(photo))


def test_unknown_kind_is_an_error():
    with pytest.raises(ValueError, match="oil"):
        build_generator("oil")


def test_files_that_are_no_generators_are_named(tmp_path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "dense.keras")
    (tmp_path / "text.keras").write_text("hello")
    for name in ("dense.keras", "text.keras", "none.keras"):
        with pytest.raises(InputError, match=name):
            load_generator(tmp_path / name)


@pytest.mark.parametrize("kind, sizes", [("paper", (64, 8)), ("light", (32, 6)), ("narrow", (16, 8))])
def test_sizes_of_0_are_the_architecture_s_own(kind, sizes):
    """They are recorded, so a run that named them can be resumed by a command that does not."""
    recipe = TrainConfig(data_dir="", run_dir="", generator=kind)
    assert (recipe.generator_width, recipe.generator_num_blocks) == sizes
    recipe = TrainConfig(data_dir="", run_dir="", generator=kind, generator_width=5, generator_num_blocks=2)
    built = build_generator(kind, recipe.generator_width, recipe.generator_num_blocks)
    first = next(layer for layer in built.layers if isinstance(layer, keras.layers.Conv2D))
    assert first.filters == 5 and "residual3_sum" not in [layer.name for layer in built.layers]
