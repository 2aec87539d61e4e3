import keras
import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models.feature_discriminator import build_feature_discriminator
from cartoongan_tf.models.vgg19 import TAPS, build_vgg19_features, build_vgg19_taps


@pytest.fixture(scope="module")
def vgg19_taps():
    return build_vgg19_taps("random")


def _noise(size):
    return np.random.default_rng(0).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)


def test_the_taps_are_layers_of_vgg19_beside_its_content_features(vgg19_taps):
    content, *taps = vgg19_taps(_noise(36))
    assert [tap.shape[1:] for tap in taps] == [(36, 36, 64), (18, 18, 128), (9, 9, 256), (4, 4, 512)]
    np.testing.assert_allclose(content, build_vgg19_features("random")(_noise(36)), rtol=1e-4, atol=1e-2)
    assert all(np.min(tap) == 0 for tap in taps) and np.min(content) < 0  # after the ReLU, and before it
    assert not vgg19_taps.trainable_variables


@pytest.mark.parametrize("size, places", [(96, 12), (100, 12), (36, 4)])
def test_all_heads_have_as_many_logits(vgg19_taps, size, places):
    discriminator = build_feature_discriminator(tuple(TAPS.values()), width=2)
    assert discriminator(vgg19_taps(_noise(size))[1:]).shape == (1, places, places, 4)


def test_each_head_has_a_view_of_its_own(vgg19_taps):
    """The pixels that a logit in the middle depends on."""
    discriminator = build_feature_discriminator(tuple(TAPS.values()), width=4)
    picture = tf.constant(_noise(160))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(picture)
        logits = tf.unstack(discriminator(vgg19_taps(picture)[1:])[0, 10, 10])
    sides = []
    for logit in logits:
        rows, columns = np.nonzero(np.abs(tape.gradient(logit, picture)[0]).sum(-1))
        sides.append((np.ptp(rows) + 1, np.ptp(columns) + 1))
    assert sides == [(26, 26), (32, 32), (60, 60), (116, 116)]


def test_filters_double_as_sides_halve():
    discriminator = build_feature_discriminator((3, 5), width=4)
    filters = {layer.name: layer.filters for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)}
    assert filters == {
        "head1_mix": 4,
        "head1_halve1": 8,
        "head1_logits": 1,
        "head2_mix": 8,
        "head2_conv": 8,
        "head2_logits": 1,
    }


def test_random_mixing_is_not_trained():
    def trained_paths(mixing):
        return {weights.path for weights in build_feature_discriminator((3, 5), 4, mixing).trainable_variables}

    assert trained_paths("learned") - trained_paths("random") == {"head1_mix/kernel", "head2_mix/kernel"}
