import numpy as np

from experiments.baselines import cyclegan


def test_losses_by_hand():
    logits = np.array([[0.0, 1.0], [3.0, 1.0]], np.float32).reshape(2, 2, 1, 1)
    others = np.array([[1.0, -1.0], [0.0, 2.0]], np.float32).reshape(2, 2, 1, 1)
    np.testing.assert_allclose(cyclegan.generator_loss(logits), [(1 + 0) / 2, (4 + 0) / 2])
    np.testing.assert_allclose(cyclegan.discriminator_loss(logits, others), [(0.5 + 1) / 2, (2 + 2) / 2])
    pictures = np.array([[0.5, -1.0, 0.0], [1.0, 1.0, 1.0]], np.float32).reshape(2, 1, 1, 3)
    wanted = np.array([[0.0, 0.5, 0.0], [1.0, 1.0, -1.0]], np.float32).reshape(2, 1, 1, 3)
    np.testing.assert_allclose(cyclegan.l1_loss(pictures, wanted), [2 / 3, 2 / 3], rtol=1e-6)
