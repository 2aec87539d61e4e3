"""Training steps with --discriminator=features and --discriminator_augmentation; test_steps.py has the paper's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models import losses, pixels
from cartoongan_tf.training import steps
from cartoongan_tf.training.networks import build_networks
from tests.small_steps import build_with_gradient_descent, run_steps, small_batch, small_config, untrained

pytestmark = pytest.mark.usefixtures("small_networks")


def _config(**changes):
    return small_config(discriminator="features", **changes)


@pytest.mark.slow
def test_a_step_reports_what_was_before_its_update():
    config = _config(edge_loss_weight=0.5, content_weight=1e-3)
    fresh = untrained(config)
    photo, cartoon, smoothed = (pixels.to_float(small_batch()[name]) for name in ("photo", "cartoon", "smoothed"))
    with tf.GradientTape(persistent=True) as tape:
        generated = fresh.generator(photo)
        logits = [fresh.discriminator(fresh.vgg19_taps(images)[1:]) for images in (cartoon, smoothed, generated)]
        features = fresh.vgg19_features(generated), fresh.vgg19_features(photo)
        expected = {
            "generator_loss": losses.generator_loss(logits[2], "least_squares"),
            "content_loss": losses.content_loss(*features, "l1"),
            "discriminator_loss": losses.discriminator_loss(*logits, "least_squares", 0.5),
            "logits_cartoon": logits[0],
            "logits_smoothed": logits[1],
            "logits_generated": logits[2],
        }
        expected = {name: tf.reduce_mean(value) for name, value in expected.items()}
        total = expected["generator_loss"] + 1e-3 * expected["content_loss"]
    for name, loss in (("generator", total), ("discriminator", expected["discriminator_loss"])):
        gradients = tape.gradient(loss, getattr(fresh, name).trainable_variables)
        expected[f"{name}_gradient_norm"] = tf.linalg.global_norm(gradients)
    (scalars,), _ = run_steps(steps.adversarial_step, config, 1)
    assert set(scalars) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(scalars[name], value, rtol=1e-3, atol=1e-6, err_msg=name)


@pytest.mark.slow
def test_each_network_learns_against_the_other_and_vgg19_does_not():
    config = _config(content_weight=0.0, generator_learning_rate=1e-6)
    before = untrained(config).vgg19_taps.get_weights()
    scalars, networks = run_steps(steps.adversarial_step, config, 20)
    assert scalars[-1]["discriminator_loss"] < scalars[0]["discriminator_loss"]
    for ours, theirs in zip(networks.vgg19_taps.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    config = _config(content_weight=0.0, discriminator_learning_rate=1e-9)
    scalars, _ = run_steps(steps.adversarial_step, config, 20)
    assert scalars[-1]["generator_loss"] < scalars[0]["generator_loss"]


@pytest.mark.slow
def test_random_mixing_stays_as_it_was_drawn():
    config = _config(feature_mixing="random", discriminator_warmup_steps=5, discriminator_warmup_learning_rate=1e-3)
    before = untrained(config).discriminator
    scalars, networks = run_steps(steps.warmup_step, config, 20)
    assert scalars[-1]["discriminator_loss"] < 0.9 * scalars[0]["discriminator_loss"]
    for name, is_kept in (("head1_mix", True), ("head4_mix", True), ("head1_halve1", False), ("head4_conv", False)):
        kernels = [model.get_layer(name).kernel.numpy() for model in (before, networks.discriminator)]
        assert np.array_equal(*kernels) == is_kept, name


@pytest.mark.slow
def test_the_pool_changes_what_the_discriminator_learns_from_and_nothing_else():
    without, _ = run_steps(steps.adversarial_step, _config(pool_size=0, content_weight=0), 2)
    with_pool, _ = run_steps(steps.adversarial_step, _config(pool_size=4, content_weight=0), 2)
    for name in without[0]:
        np.testing.assert_allclose(with_pool[0][name], without[0][name], rtol=1e-4, err_msg=name)
    assert with_pool[1]["generator_loss"] == pytest.approx(without[1]["generator_loss"], rel=1e-4)
    assert with_pool[1]["logits_generated"] != pytest.approx(without[1]["logits_generated"], rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("discriminator", ["patch", "features"])
def test_augmentation_changes_what_the_discriminator_sees_and_nothing_else(discriminator):
    plain = small_config(discriminator=discriminator, pool_size=0)
    changed = small_config(discriminator=discriminator, pool_size=0, discriminator_augmentation="all")
    (before,), _ = run_steps(steps.adversarial_step, plain, 1)
    (after,), _ = run_steps(steps.adversarial_step, changed, 1)
    assert after["content_loss"] == pytest.approx(before["content_loss"], rel=1e-4)
    for name in ("logits_cartoon", "logits_smoothed", "logits_generated"):
        assert after[name] != pytest.approx(before[name], rel=1e-3), name
    networks = untrained(changed)
    validation = steps.adversarial_pass(networks, small_batch(), changed).scalars
    assert float(validation["logits_cartoon"]) == pytest.approx(before["logits_cartoon"], rel=1e-3)


@pytest.mark.slow
def test_a_resumed_run_continues_with_the_same_mixing_pool_and_augmentation(tmp_path):
    config = _config(feature_mixing="random", pool_size=4, discriminator_augmentation="all")
    straight, _ = run_steps(steps.adversarial_step, config, 4)
    _, networks = run_steps(steps.adversarial_step, config, 2)
    path = tf.train.Checkpoint(**networks.saved()).write(str(tmp_path / "step-2"))
    assert not any("vgg19" in name for name, _ in tf.train.list_variables(path))

    def build_restored(*args):
        keras.utils.set_random_seed(7)
        fresh = build_networks(*args)
        tf.train.Checkpoint(**fresh.saved()).read(path).assert_existing_objects_matched()
        return fresh

    rest, _ = run_steps(steps.adversarial_step, config, 2, build=build_restored)
    for ours, theirs in zip(rest, straight[2:], strict=True):
        for name, value in theirs.items():
            np.testing.assert_allclose(ours[name], value, rtol=1e-3, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_two_replicas_do_what_one_does(two_replicas):
    config = _config(pool_size=4, discriminator_augmentation="geometry")
    one, networks_one = run_steps(steps.adversarial_step, config, 3, None, build_with_gradient_descent)
    two, networks_two = run_steps(steps.adversarial_step, config, 3, two_replicas, build_with_gradient_descent)
    for ours, theirs in zip(two, one, strict=True):
        for name in theirs:
            if not name.endswith("_gradient_norm"):
                np.testing.assert_allclose(ours[name], theirs[name], rtol=2e-3, atol=1e-3, err_msg=name)
    before = untrained(config).discriminator.get_layer("head4_conv").kernel
    after, other = (each.discriminator.get_layer("head4_conv").kernel for each in (networks_one, networks_two))
    moved = np.abs(after - before).mean()
    assert moved > 0
    assert np.abs(other - after).mean() < 0.1 * moved


@pytest.mark.slow
def test_bfloat16_is_close_and_its_weights_are_float32():
    exact, _ = run_steps(steps.adversarial_step, _config(), 1)
    config = _config(mixed_precision="bfloat16")
    scalars, networks = run_steps(steps.adversarial_step, config, 2)
    for name in ("generator_loss", "content_loss", "discriminator_loss", "logits_cartoon"):
        np.testing.assert_allclose(scalars[0][name], exact[0][name], rtol=0.03, atol=0.02, err_msg=name)
    assert networks.discriminator.get_layer("head4_conv").compute_dtype == "bfloat16"
    assert {weights.dtype for weights in networks.discriminator.weights} == {"float32"}


@pytest.mark.slow
def test_compiled_steps_compute_the_same():
    """On one device; test_steps has two."""
    changes = {"pool_size": 4, "discriminator_augmentation": "all"}
    plain, _ = run_steps(steps.adversarial_step, _config(**changes), 2, None, build_with_gradient_descent)
    config = _config(jit_compile=True, **changes)
    compiled, _ = run_steps(steps.adversarial_step, config, 2, None, build_with_gradient_descent)
    for ours, theirs in zip(compiled, plain, strict=True):
        for name in theirs:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-5, err_msg=name)
