import keras
import numpy as np
import tensorflow as tf

from cartoongan_tf.models.discriminator import build_discriminator
from cartoongan_tf.models.layers import InstanceNormalization


def test_the_papers_discriminator_has_its_parameters():
    assert build_discriminator().count_params() == 1_129_665


def test_fresh_weights_and_slopes_are_the_authors():
    layers = build_discriminator().layers
    slopes = {layer.negative_slope for layer in layers if isinstance(layer, keras.layers.LeakyReLU)}
    assert slopes == {0.2}
    kernels = [layer.kernel for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    deviations = [float(np.std(kernel)) for kernel in kernels if np.size(kernel) > 10_000]
    np.testing.assert_allclose(deviations, 0.02, rtol=0.05)


def test_logits_are_a_quarter_of_the_picture():
    discriminator = build_discriminator(width=2)
    for size, logits in [(256, 64), (96, 24), (30, 8)]:
        assert discriminator(np.zeros((3, size, size, 3), np.float32)).shape == (3, logits, logits, 1)


def test_a_logit_sees_37_pixels(monkeypatch):
    """Without the norms, which see the whole picture, one logit depends on 37 x 37 pixels."""
    monkeypatch.setattr(InstanceNormalization, "call", lambda self, inputs: inputs)
    picture = tf.Variable(np.random.default_rng(0).normal(size=(1, 96, 96, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        logit = build_discriminator(width=4)(picture)[0, 12, 12, 0]
    rows, columns = np.nonzero(np.abs(tape.gradient(logit, picture)[0]).sum(-1))
    assert np.ptp(rows) + 1 == 37 and np.ptp(columns) + 1 == 37
