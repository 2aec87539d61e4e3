"""Gradients that two replicas send each other in bfloat16."""

import numpy as np
import pytest

from cartoongan_tf.training import steps
from tests.small_steps import run_steps, small_config

NUM_STEPS = 30
LOSSES = ("generator_loss", "content_loss", "discriminator_loss")


def _train(precision, strategy=None):
    config = small_config(gradient_precision=precision)
    return run_steps(steps.adversarial_step, config, NUM_STEPS, strategy)


def _curves(scalars):
    return {name: np.array([of_step[name] for of_step in scalars]) for name in LOSSES}


@pytest.mark.slow
def test_bfloat16_trains_as_float32_does_and_keeps_replicas_equal(small_networks, two_replicas):
    exact, _ = _train("float32", two_replicas)
    rounded, networks = _train("bfloat16", two_replicas)
    for name, curve in _curves(exact).items():
        other = _curves(rounded)[name]
        np.testing.assert_allclose(other, curve, rtol=0.02, err_msg=name)
        assert not np.array_equal(other, curve), name
        assert np.ptp(curve) > 0.05 * abs(curve[0]), f"{name} stays as it is, so this shows nothing"
    for weights in networks.generator.trainable_variables + networks.discriminator.trainable_variables:
        copies = two_replicas.experimental_local_results(weights.value)
        assert len(copies) == 2
        np.testing.assert_array_equal(*copies)


@pytest.mark.slow
@pytest.mark.parametrize("step", [steps.initialization_step, steps.adversarial_step])
def test_one_replica_rounds_nothing(small_networks, step):
    (exact, _), (other, _) = (
        run_steps(step, small_config(gradient_precision=precision), 2) for precision in ("float32", "bfloat16")
    )
    assert exact == other
