import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf import losses, pixels, train_loop, train_step
from cartoongan_tf.config import TrainConfig
from cartoongan_tf.networks import build_networks


def _config(**changes):
    values = {
        "vgg19_weights": "random",
        "generator_width": 4,
        "generator_num_blocks": 1,
        "discriminator_width": 4,
    }
    values |= {"batch_size": 4, "initialization_learning_rate": 1e-3, "generator_learning_rate": 1e-3}
    return TrainConfig("data", "run", **(values | {"discriminator_learning_rate": 1e-3} | changes))


def _batch(size=4):
    rng = np.random.default_rng(0)
    names = ("photo", "cartoon", "smoothed")
    return {name: tf.constant(rng.integers(0, 256, (size, 32, 32, 3)), tf.uint8) for name in names}


def _run(step, config, num_steps, strategy=None, build=build_networks):
    """A few steps on one batch, on one replica unless told; returns the scalars of each step and the networks."""
    strategy = strategy or tf.distribute.MirroredStrategy(["CPU:0"])
    keras.utils.set_random_seed(0)
    with strategy.scope():
        networks = build(config, steps_per_epoch=10)
    run = train_loop._distributed(lambda batch: step(networks, batch, config), strategy)
    dataset = strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices(_batch()).batch(4).repeat())
    batches = iter(dataset)
    return [{k: float(v) for k, v in run(next(batches)).items()} for _ in range(num_steps)], networks


@pytest.mark.parametrize("loss", ["content", "pixels"])
def test_initialization_learns_the_photo(loss):
    scalars, networks = _run(train_step.initialization_step, _config(initialization_loss=loss), 15)
    assert scalars[-1]["content_loss"] < 0.9 * scalars[0]["content_loss"]
    assert networks.initialization_optimizer.iterations.numpy() == 15
    assert networks.generator_optimizer.iterations.numpy() == 0


@pytest.mark.parametrize("adversarial_loss", ["log", "least_squares"])
@pytest.mark.parametrize("content_loss", ["l1", "l2"])
def test_adversarial_step_reports_the_losses_before_its_update(adversarial_loss, content_loss):
    config = _config(adversarial_loss=adversarial_loss, content_loss=content_loss, edge_loss_weight=0.5)
    keras.utils.set_random_seed(0)
    fresh = build_networks(config, steps_per_epoch=10)
    photo, cartoon, smoothed = (pixels.to_float(images) for images in _batch().values())
    generated = fresh.generator(photo)
    logits = [fresh.discriminator(images) for images in (cartoon, smoothed, generated)]
    (scalars,), _ = _run(train_step.adversarial_step, config, 1)
    expected = {
        "generator_loss": losses.generator_loss(logits[2], adversarial_loss),
        "content_loss": losses.content_loss(fresh.vgg19_features(generated), fresh.vgg19_features(photo), content_loss),
        "discriminator_loss": losses.discriminator_loss(*logits, adversarial_loss, 0.5),
        "logits_cartoon": logits[0],
        "logits_smoothed": logits[1],
        "logits_generated": logits[2],
    }
    assert set(scalars) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(scalars[name], np.mean(value), rtol=1e-3, atol=1e-6, err_msg=name)


def test_each_network_learns_against_the_other():
    config = _config(content_weight=0.0, generator_learning_rate=1e-6)
    scalars, _ = _run(train_step.adversarial_step, config, 20)
    assert scalars[-1]["discriminator_loss"] < scalars[0]["discriminator_loss"]
    config = _config(content_weight=0.0, discriminator_learning_rate=1e-9)
    scalars, _ = _run(train_step.adversarial_step, config, 20)
    assert scalars[-1]["generator_loss"] < scalars[0]["generator_loss"]


def test_a_large_content_weight_keeps_the_content():
    def content_after_training(content_weight):
        config = _config(content_weight=content_weight)
        return _run(train_step.adversarial_step, config, 25)[0][-1]["content_loss"]

    assert content_after_training(10.0) < content_after_training(0.0)


def test_vgg19_is_never_changed():
    config = _config()
    keras.utils.set_random_seed(0)
    before = build_networks(config, 10).vgg19_features.get_weights()
    _, networks = _run(train_step.adversarial_step, config, 2)
    for ours, theirs in zip(networks.vgg19_features.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("step", [train_step.initialization_step, train_step.adversarial_step])
def test_two_replicas_do_what_one_does(step, two_replicas):
    """Two replicas of batch 2 against one of batch 4: the same losses, and the same pictures afterwards.

    By plain gradient descent: Adam would hide gradients that are twice too large, and where one is rounding noise it
    would take a full step in its direction.
    """
    runs = [_run(step, _config(), 5, strategy, build=_with_gradient_descent) for strategy in (None, two_replicas)]
    (one, networks_one), (two, networks_two) = runs
    for ours, theirs in zip(two, one, strict=True):
        for name in theirs:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-4, err_msg=name)
    photo = pixels.to_float(_batch()["photo"])
    before = _untrained(_config()).generator(photo)
    after = networks_one.generator(photo)
    assert np.abs(after - before).max() > 0.01  # it did move
    np.testing.assert_allclose(networks_two.generator(photo), after, atol=1e-4)


def _untrained(config):
    keras.utils.set_random_seed(0)
    return build_networks(config, 10)


def _with_gradient_descent(config, steps_per_epoch):
    networks = build_networks(config, steps_per_epoch)

    def descent(model, learning_rate):
        optimizer = keras.optimizers.SGD(learning_rate)
        optimizer.build(model.trainable_variables)
        return optimizer

    return dataclasses.replace(
        networks,
        initialization_optimizer=descent(networks.generator, 1e-6),
        generator_optimizer=descent(networks.generator, 3e-4),
        discriminator_optimizer=descent(networks.discriminator, 3e-4),
    )
