from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models import layers

FIXTURE = Path(__file__).parents[2] / "fixtures" / "tfa_instance_norm.npz"


def test_instance_norm_is_tensorflow_addons():
    recorded = np.load(FIXTURE)
    norm = layers.InstanceNormalization()
    norm.build(recorded["inputs"].shape)
    norm.set_weights([recorded["scale"], recorded["shift"]])
    inputs = tf.constant(recorded["inputs"])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = norm(inputs)
        loss = tf.reduce_sum(outputs * recorded["upstream"])
    gradients = tape.gradient(loss, [inputs, norm.scale.value, norm.shift.value])
    np.testing.assert_allclose(outputs, recorded["outputs"], atol=2e-6)
    for gradient, name in zip(gradients, ("input_gradient", "scale_gradient", "shift_gradient"), strict=True):
        np.testing.assert_allclose(gradient, recorded[name], rtol=1e-4, atol=1e-5)


def test_instance_norm_of_a_constant_picture_is_its_shift():
    norm = layers.InstanceNormalization()
    norm.build((None, None, None, 2))
    norm.set_weights([np.array([3.0, 4.0]), np.array([0.5, -2.0])])
    outputs = norm(np.full((1, 6, 5, 2), 7.0, np.float32))
    np.testing.assert_allclose(outputs, np.broadcast_to([0.5, -2.0], (1, 6, 5, 2)), atol=1e-5)


def test_reflection_padding_is_numpys():
    inputs = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype(np.float32)
    layer = layers.ReflectionPadding2D(3)
    expected = np.pad(inputs, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(layer(inputs), expected)
    assert layer.compute_output_shape(inputs.shape) == expected.shape
    assert layer.compute_output_shape((None, None, None, 3)) == (None, None, None, 3)


def _run(build, inputs, seed=0):
    """The outputs of one convolution, and its kernel and bias, drawn at random."""
    x = keras.Input(inputs.shape[1:])
    model = keras.Model(x, build(x))
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape).astype(np.float32) for w in model.get_weights()])
    return np.asarray(model(inputs)), *model.get_layer("c").get_weights()


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("padding, numpy_mode", [("zero", "constant"), ("reflect", "reflect")])
def test_conv_pads_alike_on_all_sides(strides, padding, numpy_mode):
    for height, width in [(8, 6), (7, 9)]:
        inputs = np.random.default_rng(1).normal(size=(1, height, width, 2)).astype(np.float32)
        outputs, kernel, bias = _run(lambda x: layers.conv(x, 4, 3, "c", strides, padding), inputs)
        padded = np.pad(inputs[0], ((1, 1), (1, 1), (0, 0)), mode=numpy_mode)
        expected = np.empty(outputs[0].shape)
        for row, column in np.ndindex(expected.shape[:2]):
            window = padded[strides * row :, strides * column :][:3, :3]
            expected[row, column] = np.einsum("hwi,hwio->o", window, kernel) + bias
        assert expected.shape[:2] == (-(-height // strides), -(-width // strides))
        np.testing.assert_allclose(outputs[0], expected, atol=1e-4, err_msg=f"{height} x {width}")


def test_upsampling_conv_is_pytorchs_transposed_convolution():
    """Padding 1, output padding 1: input pixel y, kernel row k go to output row 2 y - 1 + k."""
    inputs = np.random.default_rng(1).normal(size=(1, 4, 3, 2)).astype(np.float32)
    outputs, kernel, bias = _run(lambda x: layers.upsampling_conv(x, 5, "c"), inputs)
    expected = np.zeros((8, 6, 5)) + bias
    for y, x, i, j in np.ndindex(4, 3, 3, 3):
        row, column = 2 * y - 1 + i, 2 * x - 1 + j
        if 0 <= row < 8 and 0 <= column < 6:
            expected[row, column] += kernel[i, j] @ inputs[0, y, x]
    np.testing.assert_allclose(outputs[0], expected, atol=1e-4)
