import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models import losses, pixels
from cartoongan_tf.training import steps
from cartoongan_tf.training.networks import generator_to_use
from tests.small_steps import (
    BUILD_SMALL,
    build_with_gradient_descent,
    run_steps,
    small_batch,
    small_config,
    untrained,
)


@pytest.mark.parametrize("loss", ["content", "pixels"])
def test_initialization_learns_the_photo(loss):
    scalars, networks = run_steps(steps.initialization_step, small_config(initialization_loss=loss), 8)
    assert scalars[-1]["content_loss"] < 0.95 * scalars[0]["content_loss"]
    assert networks.initialization_optimizer.iterations.numpy() == 8
    assert networks.generator_optimizer.iterations.numpy() == 0


@pytest.mark.parametrize(
    "adversarial_loss, content_loss, color_weight", [("log", "l1", 0), ("least_squares", "l2", 3.0), ("hinge", "l1", 0)]
)
def test_adversarial_step_reports_what_was_before_its_update(
    small_networks, adversarial_loss, content_loss, color_weight
):
    config = small_config(
        adversarial_loss=adversarial_loss, content_loss=content_loss, edge_loss_weight=0.5, color_weight=color_weight
    )
    fresh = untrained(config)
    photo, cartoon, smoothed = (pixels.to_float(small_batch()[name]) for name in ("photo", "cartoon", "smoothed"))
    with tf.GradientTape(persistent=True) as tape:
        generated = fresh.generator(photo)
        logits = [fresh.discriminator(images) for images in (cartoon, smoothed, generated)]
        features, photo_features = fresh.vgg19_features(generated), fresh.vgg19_features(photo)
        expected = {
            "generator_loss": losses.generator_loss(logits[2], adversarial_loss),
            "content_loss": losses.content_loss(features, photo_features, content_loss),
            "discriminator_loss": losses.discriminator_loss(*logits, adversarial_loss, 0.5),
            "logits_cartoon": logits[0],
            "logits_smoothed": logits[1],
            "logits_generated": logits[2],
        }
        if color_weight:
            expected["color_loss"] = losses.color_loss(generated, photo)
        expected = {name: tf.reduce_mean(value) for name, value in expected.items()}
        total = expected["generator_loss"] + config.content_weight * expected["content_loss"]
        total += color_weight * expected.get("color_loss", 0.0)
    for name, loss in (("generator", total), ("discriminator", expected["discriminator_loss"])):
        gradients = tape.gradient(loss, getattr(fresh, name).trainable_variables)
        expected[f"{name}_gradient_norm"] = tf.linalg.global_norm(gradients)
    (scalars,), _ = run_steps(steps.adversarial_step, config, 1)
    assert set(scalars) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(scalars[name], value, rtol=1e-3, atol=1e-6, err_msg=name)


def test_each_network_learns_against_the_other(small_networks):
    config = small_config(content_weight=0.0, generator_learning_rate=1e-6)
    scalars, _ = run_steps(steps.adversarial_step, config, 20)
    assert scalars[-1]["discriminator_loss"] < scalars[0]["discriminator_loss"]
    config = small_config(content_weight=0.0, discriminator_learning_rate=1e-9)
    scalars, _ = run_steps(steps.adversarial_step, config, 20)
    assert scalars[-1]["generator_loss"] < scalars[0]["generator_loss"]


@pytest.mark.slow
def test_a_large_content_weight_keeps_the_content(small_networks):
    def content_after_training(content_weight):
        config = small_config(content_weight=content_weight)
        return run_steps(steps.adversarial_step, config, 15)[0][-1]["content_loss"]

    assert content_after_training(10.0) < content_after_training(0.0)


def test_features_are_never_changed(small_networks):
    config = small_config()
    before = untrained(config).vgg19_features.get_weights()
    _, networks = run_steps(steps.adversarial_step, config, 2)
    for ours, theirs in zip(networks.vgg19_features.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("step", [steps.initialization_step, steps.adversarial_step])
def test_two_replicas_do_what_one_does(small_networks, step, two_replicas):
    """Two replicas of batch 2 against one of batch 4: the same losses, and the same pictures afterwards.

    By plain gradient descent: Adam would hide gradients that are twice too large, and where one is rounding noise it
    would take a full step in its direction. On some processors a ReLU flips after three steps, and the runs part a
    little; gradients twice as large part them by as much as they move.
    """
    config = small_config(pool_size=0)
    one, networks_one = run_steps(step, config, 5, None, BUILD_SMALL)
    two, networks_two = run_steps(step, config, 5, two_replicas, BUILD_SMALL)
    for ours, theirs in zip(two, one, strict=True):
        for name in theirs:
            if name.endswith("_gradient_norm"):
                assert ours[name] >= (1 - 1e-4) * theirs[name]  # the sum of norms bounds the norm of the sum
            else:
                np.testing.assert_allclose(ours[name], theirs[name], rtol=2e-3, atol=1e-3, err_msg=name)
    photo = pixels.to_float(small_batch()["photo"])
    before = untrained(small_config()).generator(photo)
    after = networks_one.generator(photo)
    moved = np.abs(after - before)
    assert moved.max() > 0.01
    parted = np.abs(networks_two.generator(photo) - after)
    assert parted.mean() < 0.2 * moved.mean()


def test_warmup_teaches_the_discriminator_alone(small_networks):
    config = small_config(discriminator_warmup_steps=30, discriminator_warmup_learning_rate=1e-3)
    before = untrained(config).generator.get_weights()
    scalars, networks = run_steps(steps.warmup_step, config, 30)
    assert scalars[-1]["discriminator_loss"] < 0.8 * scalars[0]["discriminator_loss"]
    assert scalars[-1]["logits_cartoon"] > scalars[-1]["logits_generated"]
    np.testing.assert_array_equal(networks.generator.get_weights()[0], before[0])
    assert networks.discriminator_optimizer.iterations.numpy() == 0


def test_averaged_weights_follow_the_weights(small_networks):
    config = small_config(ema_decay=0.15, batch_size=4)
    start = untrained(config).generator.trainable_variables[0].numpy()
    after = [run_steps(steps.initialization_step, config, num_steps)[1] for num_steps in (1, 2)]
    first, second = (networks.generator.trainable_variables[0].numpy() for networks in after)
    shares = [1 - 0.15, 1 - 0.15]  # 2 / 11 and 3 / 12, of the first steps, are larger
    once = start + shares[0] * (first - start)
    np.testing.assert_allclose(after[0].averaged_generator.trainable_variables[0], once, rtol=1e-4, atol=1e-6)
    twice = once + shares[1] * (second - once)
    np.testing.assert_allclose(after[1].averaged_generator.trainable_variables[0], twice, rtol=1e-4, atol=1e-6)
    assert np.abs(twice - second).max() > 1e-5


def test_averaging_starts_anew_in_each_phase(small_networks):
    """In a phase's first step nearly all of the average is from that step, whatever the decay."""
    config = small_config(ema_decay=0.9999, initialization_learning_rate=0.1)
    start = untrained(config).generator.trainable_variables[0].numpy()
    _, networks = run_steps(steps.initialization_step, config, 1)
    expected = start + 9 / 11 * (networks.generator.trainable_variables[0].numpy() - start)
    np.testing.assert_allclose(networks.averaged_generator.trainable_variables[0], expected, rtol=1e-4, atol=1e-6)


def test_the_pool_changes_what_the_discriminator_learns_from_and_nothing_else(small_networks):
    """With room for one batch, from the second step on half of its pictures are earlier ones."""
    without, _ = run_steps(steps.adversarial_step, small_config(pool_size=0, content_weight=0), 3)
    with_pool, _ = run_steps(steps.adversarial_step, small_config(pool_size=4, content_weight=0), 3)
    for name in without[0]:
        np.testing.assert_allclose(with_pool[0][name], without[0][name], rtol=1e-4, err_msg=name)
    assert with_pool[1]["generator_loss"] == pytest.approx(without[1]["generator_loss"], rel=1e-4)
    assert with_pool[1]["logits_generated"] != pytest.approx(without[1]["logits_generated"], rel=1e-4)


@pytest.mark.slow
def test_bfloat16_is_close_and_its_weights_are_float32(small_networks):
    exact, _ = run_steps(steps.adversarial_step, small_config(), 1)
    scalars, networks = run_steps(steps.adversarial_step, small_config(mixed_precision="bfloat16"), 3)
    for name in ("generator_loss", "content_loss", "discriminator_loss", "logits_cartoon"):
        np.testing.assert_allclose(scalars[0][name], exact[0][name], rtol=0.03, atol=0.01, err_msg=name)
    assert networks.generator.get_layer("flat_conv").compute_dtype == "bfloat16"
    assert {weights.dtype for weights in networks.generator.weights} == {"float32"}
    to_use = generator_to_use(networks, small_config(mixed_precision="bfloat16"))
    assert to_use.get_layer("flat_conv").compute_dtype == "float32"
    for ours, theirs in zip(to_use.get_weights(), networks.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_compiled_steps_compute_the_same_on_two_replicas(small_networks, two_replicas):
    """Without VGG19, which takes a minute to compile; test_stability compiles it on one device."""
    plain, _ = run_steps(steps.adversarial_step, small_config(), 2, two_replicas, build_with_gradient_descent)
    config = small_config(jit_compile=True)
    compiled, _ = run_steps(steps.adversarial_step, config, 2, two_replicas, build_with_gradient_descent)
    for ours, theirs in zip(compiled, plain, strict=True):
        for name in theirs:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-5, err_msg=name)
