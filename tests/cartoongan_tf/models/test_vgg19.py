import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models.vgg19 import WEIGHTS_FILE, CaffePreprocessing, build_vgg19_features
from tests.helpers import REPOSITORY


def _photo(size=40):
    return np.random.default_rng(0).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)


def test_preprocessing_is_caffes():
    photo = _photo()
    expected = keras.applications.vgg19.preprocess_input((photo + 1) * 127.5)
    np.testing.assert_allclose(CaffePreprocessing()(photo), expected, atol=1e-4)


def test_features_are_conv4_4_before_its_relu(tmp_path):
    reference = keras.applications.VGG19(include_top=False, weights=None)
    reference.save_weights(tmp_path / "vgg19.weights.h5")
    features = np.asarray(build_vgg19_features(str(tmp_path / "vgg19.weights.h5"))(_photo()))
    tap = keras.Model(reference.input, reference.get_layer("block4_conv4").output)
    expected = tap(keras.applications.vgg19.preprocess_input((_photo() + 1) * 127.5))
    assert features.shape == (1, 5, 5, 512)
    assert features.min() < 0
    np.testing.assert_allclose(np.maximum(features, 0), expected, rtol=1e-3, atol=1e-3)


def test_random_weights_follow_their_seed_and_are_frozen():
    first = build_vgg19_features("random", seed=3)
    again = build_vgg19_features("random", seed=3)
    other = build_vgg19_features("random", seed=4)
    np.testing.assert_array_equal(first(_photo()), again(_photo()))
    assert np.abs(np.asarray(first(_photo())) - np.asarray(other(_photo()))).max() > 1
    assert not first.trainable_variables
    assert 10 < np.abs(np.asarray(first(_photo()))).mean() < 1000  # as those of trained weights


def test_the_imagenet_file_is_used_if_it_is_given(assets):
    features = build_vgg19_features(str(assets / "vgg19" / "vgg19_notop.h5"))
    assert 100 < np.abs(np.asarray(features(_photo(96)))).mean() < 1000


def test_weights_that_cannot_be_read_are_named(tmp_path):
    for name in ("text.h5", "text.weights.h5"):
        (tmp_path / name).write_text("hello")
    for name in ("none.h5", "text.h5", "text.weights.h5"):
        with pytest.raises(InputError, match=name):
            build_vgg19_features(str(tmp_path / name))


def test_weights_of_another_network_are_refused(tmp_path):
    wrong = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Dense(10)])
    wrong.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(InputError, match="without top"):
        build_vgg19_features(str(tmp_path / "other.weights.h5"))


@pytest.mark.slow
def test_without_a_network_the_error_says_what_to_do(tmp_path):
    """In a process whose only proxy refuses connections, as on a machine without a network."""
    environment = {
        **os.environ,
        "KERAS_HOME": str(tmp_path),
        "https_proxy": "http://127.0.0.1:9",
        "no_proxy": "",
    }
    script = "from cartoongan_tf.base import program; from cartoongan_tf.models import vgg19\n"
    script += "import cartoongan_tf.import_weights as p\n"
    script += "program.run(p.ImportConfig, lambda *_: vgg19.build_vgg19_features('imagenet'), '', "
    script += "['train', '--weights=a', '--output=b'])"
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert str(tmp_path / "models" / WEIGHTS_FILE) in result.stderr
    assert "--vgg19_weights=random" in result.stderr
    assert "Traceback" not in result.stderr
