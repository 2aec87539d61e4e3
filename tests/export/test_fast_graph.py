import keras
import numpy as np
import pytest
import tensorflow as tf

from export.fast_graph import fast_generator

ARCHITECTURES = ("paper", "light", "narrow")


@pytest.fixture(scope="module")
def fast_generators(generators):
    return {architecture: fast_generator(generators[architecture]) for architecture in ARCHITECTURES}


def _in_a_graph(fast):
    return tf.function(lambda photo: fast(photo)).get_concrete_function(tf.TensorSpec([None, None, None, 3]))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_is_the_same_function(generators, fast_generators, architecture):
    """Borders included, where the replaced layers differ most; eagerly and in a graph of free sizes."""
    fast = fast_generators[architecture]
    draw = _in_a_graph(fast)
    for shape in ((1, 8, 8, 3), (2, 12, 20, 3), (1, 64, 44, 3)):
        photo = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
        expected = np.asarray(generators[architecture](photo))
        np.testing.assert_allclose(np.asarray(fast(photo)), expected, atol=2e-4, err_msg=str(shape))
        np.testing.assert_allclose(draw(tf.constant(photo)).numpy(), expected, atol=2e-4, err_msg=str(shape))
        assert expected.std() > 0.1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_slow_operation_is_left(fast_generators, architecture):
    operations = {operation.type for operation in _in_a_graph(fast_generators[architecture]).graph.get_operations()}
    assert "Conv2D" in operations and not operations & {"Conv2DBackpropInput", "MirrorPad", "ResizeNearestNeighbor"}


def test_each_layer_knows_its_output_shape(fast_generators):
    for fast in fast_generators.values():
        for layer in fast.layers[1:]:
            if not isinstance(layer.input, list):
                shape = (1, 14, 10, layer.input.shape[3])
                output = layer(np.zeros(shape, np.float32))
                assert layer.compute_output_shape(shape) == tuple(output.shape), layer.name


def test_the_generator_itself_stays_as_it_is(generators):
    generator = generators["paper"]
    before = generator.get_weights()
    fast_generator(generator)
    for weights, expected in zip(generator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, expected)
    assert isinstance(generator.get_layer("up1_conv1"), keras.layers.Conv2DTranspose)
