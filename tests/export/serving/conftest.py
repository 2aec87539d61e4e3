import pytest
import tensorflow as tf

from export.serving import encoded_pictures, picture_headers


@pytest.fixture(scope="module")
def read():
    """The header of a file, and its pixels."""

    def graph(contents):
        header = picture_headers.read_header(contents)
        return header, encoded_pictures.decode(header)

    return tf.function(graph, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
