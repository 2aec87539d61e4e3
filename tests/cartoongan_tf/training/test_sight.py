"""The losses' view of pictures, by fake networks whose features say which pictures they are of."""

import types

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models.augmentation import augment
from cartoongan_tf.training.sight import Sight, draw_augmentation
from tests.small_steps import small_config


def _pictures(seed):
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, (2, 16, 16, 3)), tf.float32)


class _CountingModel:
    """A model whose outputs are sums over the pictures; it counts how often it sees which."""

    def __init__(self, *factors):
        self.factors = factors
        self.seen = []

    def __call__(self, pictures):
        self.seen += [float(tf.reduce_sum(picture)) for picture in pictures]
        outputs = [factor * tf.reduce_sum(pictures, [1, 2, 3]) for factor in self.factors]
        return outputs if len(outputs) > 1 else outputs[0]


def _networks(judges_features):
    taps = _CountingModel(1.0, 2.0, 3.0) if judges_features else None
    return types.SimpleNamespace(vgg19_taps=taps, vgg19_features=_CountingModel(1.0))


def _draws(config, step=3):
    return draw_augmentation(config, tf.constant(step, tf.int64), tf.constant(2))


@pytest.mark.parametrize("augmentation, times", [("off", 1), ("geometry", 2)])
def test_a_picture_passes_vgg19_once(augmentation, times):
    """A changed picture is another one."""
    config = small_config(discriminator="features", discriminator_augmentation=augmentation)
    networks, pictures = _networks(judges_features=True), _pictures(0)
    sight = Sight(networks, config, _draws(config))
    content = sight.content(pictures)
    first, second = sight.judged(pictures)
    assert len(networks.vgg19_taps.seen) == 2 * times and not networks.vgg19_features.seen
    np.testing.assert_allclose(content, tf.reduce_sum(pictures, [1, 2, 3]), rtol=1e-5)
    np.testing.assert_allclose(second, 1.5 * first, rtol=1e-5)
    assert np.allclose(first, 2 * content) == (times == 1)
    sight.content(pictures)
    assert len(networks.vgg19_taps.seen) == 2 * times


def test_the_papers_discriminator_judges_pictures_and_needs_no_features():
    networks, (one, other) = _networks(judges_features=False), (_pictures(0), _pictures(1))
    sight = Sight(networks, small_config())
    np.testing.assert_array_equal(sight.judged(one, other), tf.concat([one, other], 0))
    assert not networks.vgg19_features.seen
    sight.content(one)
    assert len(networks.vgg19_features.seen) == 2


@pytest.mark.parametrize("kind", ["geometry", "all"])
def test_a_cartoon_and_its_smoothed_copy_are_changed_alike(kind):
    config = small_config(discriminator_augmentation=kind)
    cartoon, smoothed = _pictures(0), _pictures(1)
    draws = _draws(config)
    judged = Sight(_networks(judges_features=False), config, draws).judged(cartoon, smoothed)
    for ours, pictures in zip(tf.split(judged, 2), (cartoon, smoothed), strict=True):
        np.testing.assert_array_equal(ours, augment(pictures, draws, kind))


def test_draws_depend_on_seed_and_step_alone():
    config = small_config(discriminator_augmentation="all")
    draws = _draws(config)
    np.testing.assert_array_equal(draws, _draws(config))
    assert len(np.unique(draws)) == tf.size(draws)
    for other in (_draws(config, step=4), _draws(small_config(discriminator_augmentation="all", seed=1))):
        assert not np.isclose(draws, other).any()
    assert _draws(small_config()) is None


def test_replicas_share_the_draws_of_a_batch(two_replicas):
    config = small_config(discriminator_augmentation="all")
    of_replicas = two_replicas.run(lambda: draw_augmentation(config, tf.constant(3, tf.int64), tf.constant(1)))
    shared = tf.concat(two_replicas.experimental_local_results(of_replicas), 0)
    np.testing.assert_array_equal(shared, _draws(config))
