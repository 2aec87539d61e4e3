import keras
import numpy as np
import pytest

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
