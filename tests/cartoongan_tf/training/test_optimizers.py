import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.training.optimizers import ConstantThenLinear, build_adam

MODEL = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])


@pytest.mark.parametrize("step, rate", [(0, 0.4), (9, 0.4), (10, 0.4), (15, 0.2), (19, 0.04), (20, 0.0), (50, 0.0)])
def test_rate_is_constant_then_falls_to_zero(step, rate):
    np.testing.assert_allclose(ConstantThenLinear(0.4, 10, 10)(step), rate, atol=1e-7)


@pytest.mark.parametrize("num_decay_steps, rate_half_way", [(0, 0.4), (5, 0.4), (10, 0.2), (20, 0.1)])
def test_decay_is_at_the_end_of_the_phase(num_decay_steps, rate_half_way):
    """Where the decay is longer than the phase, the phase is its end."""
    optimizer = build_adam(MODEL, 0.4, 10, num_decay_steps)
    optimizer.iterations.assign(5)
    np.testing.assert_allclose(optimizer.learning_rate, rate_half_way, rtol=1e-6)


def test_adam_is_the_authors():
    optimizer = build_adam(MODEL, 1e-4, 10, 0)
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.5, 0.999, 1e-8)


def _steps_of(gradients, update_clipping, strategy=None):
    """Return how far each gradient of two values moves them, in learning rates: [number of gradients, 2]."""
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
        optimizer = build_adam(model, 0.5, 100, 0, update_clipping)
    (kernel,) = model.trainable_variables

    def update(gradient):
        optimizer.apply_gradients([(gradient, kernel)])

    places = [np.zeros(2)]
    for gradient in np.array(gradients, np.float32):
        run = strategy.run if strategy else lambda function, args: function(*args)
        run(update, args=(tf.constant(gradient[:, None]),))
        places.append(kernel.numpy()[:, 0])
    return -np.diff(places, axis=0) / 0.5


def test_a_sudden_gradient_moves_a_clipped_optimizer_no_further_than_its_rate():
    usual = [[1.0, -1.0]] * 60
    plain = _steps_of([*usual, [1000.0, -1000.0]], 0)
    clipped = _steps_of([*usual, [1000.0, -1000.0]], 1)
    np.testing.assert_allclose(clipped[:60], plain[:60], rtol=1e-4)
    np.testing.assert_allclose(clipped[:60, 0], 1, rtol=1e-4)
    assert plain[60, 0] > 3
    assert 0.4 < clipped[60, 0] < 1.1
    np.testing.assert_allclose(_steps_of([*usual, [1000.0, -1000.0]], 2)[60], 2 * clipped[60], rtol=1e-3)


def test_a_clipped_step_by_hand():
    """The second gradient has 1.1 times its usual size, as a root mean square."""
    (_, step) = _steps_of([[3.0, 3.0], [3.0, 5.0]], 1)
    beta_1, beta_2 = 0.5, 0.999
    squares = np.array([9.0, 25.0])
    usual = (9.0 * beta_2 + squares) / (1 + beta_2)
    momentum = (np.array([3.0, 3.0]) * beta_1 + [3.0, 5.0]) / (1 + beta_1)
    relative_size = np.sqrt(np.mean(squares / usual))
    assert relative_size > 1.1
    np.testing.assert_allclose(step, momentum / np.sqrt(usual) / relative_size, rtol=1e-4)


def test_replicas_clip_by_the_sum_of_their_gradients(two_replicas):
    """Half of each gradient on either replica: the same steps as the complete one on one replica."""
    gradients = np.array([[1.0, -1.0], [1.0, 2.0], [30.0, 1.0]])
    halves = _steps_of(gradients / 2, 1, two_replicas)
    np.testing.assert_allclose(halves, _steps_of(gradients, 1), rtol=1e-4)
