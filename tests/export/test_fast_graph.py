import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models.generator_file import load_generator
from export.fast_graph import fast_generator


@pytest.mark.parametrize("path", ["generator_path", "light_path"])
@pytest.mark.parametrize("num_pictures, height, width", [(1, 8, 8), (2, 12, 20), (1, 64, 44)])
def test_it_is_the_same_function(path, num_pictures, height, width, request):
    """Borders included, where the replaced layers differ most."""
    generator = load_generator(request.getfixturevalue(path))
    photo = np.random.default_rng(0).uniform(-1, 1, (num_pictures, height, width, 3)).astype(np.float32)
    fast = fast_generator(generator)
    expected = np.asarray(generator(photo))
    np.testing.assert_allclose(np.asarray(fast(photo)), expected, atol=2e-4)
    draw = tf.function(lambda photo: fast(photo), input_signature=[tf.TensorSpec([None, None, None, 3])])
    np.testing.assert_allclose(draw(photo).numpy(), expected, atol=2e-4)
    assert expected.std() > 0.1


@pytest.mark.parametrize("path", ["generator_path", "light_path"])
def test_no_slow_operation_is_left(path, request):
    fast = fast_generator(load_generator(request.getfixturevalue(path)))
    draw = tf.function(lambda photo: fast(photo)).get_concrete_function(tf.TensorSpec([None, None, None, 3]))
    operations = {operation.type for operation in draw.graph.get_operations()}
    assert "Conv2D" in operations and not operations & {"Conv2DBackpropInput", "MirrorPad", "ResizeNearestNeighbor"}


def test_the_generator_itself_stays_as_it_is(generator_path):
    generator = load_generator(generator_path)
    before = generator.get_weights()
    fast_generator(generator)
    for weights, expected in zip(generator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, expected)
    assert generator.get_layer("up1_conv1").__class__.__name__ == "Conv2DTranspose"
