import keras
import numpy as np
import pytest

from cartoongan_tf import train
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.models.generator_file import save_generator
from cartoongan_tf.training.dead_filters import find_dead_filters
from tests.helpers import draw
from tests.small_runs import small_features

PHOTOS = np.stack([draw(seed, 32, 32) for seed in range(3)])


@pytest.fixture
def generator():
    """A light generator, two of whose eight filters at full resolution are dead."""
    generator = build_generator("light", width=32, num_blocks=1)
    generator.get_layer("up2_conv").bias.assign([-100.0] * 2 + [1.0] * 6)
    return generator


def test_the_layer_with_the_most_dead_filters_is_found(generator):
    assert find_dead_filters(generator, PHOTOS) == ("up2_relu", 0.25)
    generator.get_layer("down2_conv").bias.assign([-100.0] * 48 + [1.0] * 16)
    assert find_dead_filters(generator, PHOTOS) == ("down2_conv_relu", 0.75)


def test_a_generator_without_relu_has_no_dead_filters():
    photo = keras.Input((None, None, 3))
    generator = keras.Model(photo, keras.layers.Conv2D(3, 1, activation="tanh")(photo))
    assert find_dead_filters(generator, PHOTOS).share == 0


def test_a_filter_that_is_alive_in_one_photo_is_alive():
    generator = build_generator("light", width=32, num_blocks=1)
    kernel = np.zeros((5, 5, 3, 32), np.float32)
    kernel[2, 2] = 1
    generator.get_layer("down1_conv1").kernel.assign(kernel)
    generator.get_layer("down1_conv1").bias.assign(np.full(32, -2.9))  # alive where a pixel is nearly white
    black, white = np.zeros((1, 32, 32, 3), np.uint8), np.full((1, 32, 32, 3), 255, np.uint8)
    assert find_dead_filters(generator, black).share == 1
    assert find_dead_filters(generator, np.concatenate([black, white])).share < 1


@pytest.mark.slow
def test_a_run_warns_of_them(generator, data_dir, tmp_path):
    generator.get_layer("up2_conv").bias.assign(np.full(8, -1e4))
    save_generator(generator, tmp_path / "dead.keras")
    flags = [f"--data_dir={data_dir}", f"--run_dir={tmp_path / 'run'}", "--generator=light", "--vgg19_weights=random"]
    flags += [f"--initial_generator={tmp_path / 'dead.keras'}", "--generator_width=32", "--generator_num_blocks=1"]
    flags += ["--discriminator_width=4", "--batch_size=4", "--adversarial_epochs=60", "--checkpoint_every_steps=19"]
    with small_features():
        assert train.main(["train", *flags]) == 0
    assert "up2_relu" in (tmp_path / "run" / "warnings.txt").read_text()
