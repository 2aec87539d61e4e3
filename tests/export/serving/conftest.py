import pytest
import tensorflow as tf

from export.serving import encoded_pictures, picture_headers
from export.serving.problems import require_none


@pytest.fixture(scope="module")
def read():
    """The header of a file, and its pixels; an error if they cannot be had."""

    def graph(contents):
        header = picture_headers.read_header(contents)
        none = tf.zeros([0, 0, 4], tf.uint8)
        ratio = tf.constant(1, tf.int64)
        pixels, problem = tf.cond(
            header.problem == "", lambda: encoded_pictures.decode(header, ratio), lambda: (none, header.problem)
        )
        return header, require_none(problem, pixels)

    return tf.function(graph, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
