import math

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models import losses

ZERO = np.zeros((1, 2, 2, 1), np.float32)


def _logits(*values):
    """A batch of one-patch logits."""
    return np.array(values, np.float32).reshape(-1, 1, 1, 1)


def test_log_loss_of_undecided_logits_is_log_2_each():
    loss = losses.discriminator_loss(ZERO, ZERO, ZERO, "log")
    np.testing.assert_allclose(loss, [3 * math.log(2)], rtol=1e-6)


def test_log_loss_is_equation_3():
    def sigmoid(logit):
        return 1 / (1 + math.exp(-logit))

    loss = losses.discriminator_loss(_logits(0.3, 2.0), _logits(-1.0, 0.5), _logits(0.7, -3.0), "log", 0.25)
    expected = [
        -math.log(sigmoid(c)) - 0.25 * math.log(1 - sigmoid(s)) - math.log(1 - sigmoid(g))
        for c, s, g in ((0.3, -1.0, 0.7), (2.0, 0.5, -3.0))
    ]
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    np.testing.assert_allclose(
        losses.generator_loss(_logits(0.7, -3.0), "log"),
        [-math.log(sigmoid(0.7)), -math.log(sigmoid(-3.0))],
        rtol=1e-5,
    )


def test_least_squares_by_hand():
    loss = losses.discriminator_loss(_logits(0.5), _logits(2.0), _logits(-1.0), "least_squares", edge_loss_weight=0.1)
    np.testing.assert_allclose(loss, [0.25 + 0.1 * 4.0 + 1.0], rtol=1e-6)
    np.testing.assert_allclose(losses.generator_loss(_logits(-1.0, 1.0), "least_squares"), [4.0, 0.0])


def test_hinge_by_hand():
    """Logits beyond the margin cost nothing; the generator is paid for every bit."""
    loss = losses.discriminator_loss(_logits(0.5, 3.0), _logits(-0.5, -2.0), _logits(2.0, -1.0), "hinge", 0.1)
    np.testing.assert_allclose(loss, [0.5 + 0.1 * 0.5 + 3.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(losses.generator_loss(_logits(2.0, -3.0), "hinge"), [-2.0, 3.0])


def test_patches_are_averaged_for_each_example():
    logits = np.array([[[[1.0], [3.0]]], [[[0.0], [0.0]]]], np.float32)
    np.testing.assert_allclose(losses.fake_loss(logits, "least_squares"), [5.0, 0.0])


def test_extreme_logits_stay_finite_and_keep_their_gradients():
    logits = tf.Variable(_logits(-1e4, 1e4, -80.0, 80.0))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(losses.real_loss(logits, "log") + losses.fake_loss(logits, "log"))
    assert np.isfinite(loss)
    np.testing.assert_allclose(tape.gradient(loss, logits).numpy().ravel(), [-1, 1, -1, 1], atol=1e-6)


def test_gradients_point_towards_the_targets():
    for kind in ("log", "least_squares", "hinge"):
        logits = tf.Variable(_logits(0.2))
        with tf.GradientTape(persistent=True) as tape:
            real = losses.real_loss(logits, kind)
            fake = losses.fake_loss(logits, kind)
        assert tape.gradient(real, logits) < 0 < tape.gradient(fake, logits), kind


def test_content_loss_is_the_mean_over_features():
    features = np.array([[[[1.0, -2.0]]], [[[0.0, 4.0]]]], np.float32)
    zeros = np.zeros_like(features)
    np.testing.assert_allclose(losses.content_loss(features, zeros, "l1"), [1.5, 2.0])
    np.testing.assert_allclose(losses.content_loss(features, zeros, "l2"), [2.5, 8.0])


def test_color_loss_is_the_change_of_chroma():
    """Of red against black: Cb is -0.168736 R, Cr 0.5 R; BT.601."""
    photo = np.full((2, 3, 3, 3), -1.0, np.float32)
    red = photo.copy()
    red[0, ..., 0] = 1.0
    np.testing.assert_allclose(losses.color_loss(red, photo), [2 * (0.168736 + 0.5) / 2, 0.0], rtol=1e-5)


def test_gradient_loss_by_hand():
    drawing = np.zeros((2, 2, 3, 3), np.float32)
    generated = drawing.copy()
    generated[0, 0, 1] = 0.6  # it changes two of four steps to the right, and one of three down
    generated[1] = 0.3
    expected = [0.6 * 2 / 4 + 0.6 / 3, 0]
    np.testing.assert_allclose(losses.gradient_loss(generated, drawing), expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(losses.gradient_loss(drawing, generated), expected, rtol=1e-6, atol=1e-9)


def test_places_count_by_their_weights():
    """Those of weight 1 count as they do without weights."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 3, 5, 4, 2)).astype(np.float32)
    weights = rng.uniform(1, 3, (3, 5, 4, 1)).astype(np.float32)
    distance = weights * np.abs(one - other)
    np.testing.assert_allclose(losses.content_loss(one, other, "l1", weights), distance.mean((1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(
        losses.content_loss(one, other, "l2", weights), (weights * (one - other) ** 2).mean((1, 2, 3)), rtol=1e-5
    )
    expected = np.zeros(3)
    for axis in (1, 2):
        mean_weights = (np.diff(weights, axis=axis) / 2 + np.delete(weights, -1, axis)) * np.ones(2)
        expected += (mean_weights * np.abs(np.diff(one - other, axis=axis))).mean((1, 2, 3))
    np.testing.assert_allclose(losses.gradient_loss(one, other, weights), expected, rtol=1e-5)
    ones = np.ones_like(weights)
    np.testing.assert_allclose(losses.gradient_loss(one, other, ones), losses.gradient_loss(one, other), rtol=1e-6)


def test_color_loss_does_not_see_brightness():
    photo = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 4, 4, 3)).astype(np.float32)
    lighter = photo + np.random.default_rng(1).uniform(-0.4, 0.4, (1, 4, 4, 1)).astype(np.float32)
    np.testing.assert_allclose(losses.color_loss(lighter, photo), [0.0], atol=1e-6)


def test_unknown_kinds_are_errors():
    with pytest.raises(ValueError, match="wasserstein"):
        losses.real_loss(ZERO, "wasserstein")
    with pytest.raises(ValueError, match="l3"):
        losses.content_loss(ZERO, ZERO, "l3")


def test_half_precision_logits_give_float32_losses():
    assert losses.real_loss(tf.cast(ZERO, tf.bfloat16), "log").dtype == tf.float32
