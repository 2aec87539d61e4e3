"""The cost of running a generator, from its layers."""

import keras
import numpy as np
from keras import layers

from cartoongan_tf.models.layer_graph import layer_graph, tensor_shapes


def num_multiplications(generator: keras.Model, height: int, width: int) -> int:
    """Return the multiply-accumulates of its convolutions for a picture of that size in pixels."""
    nodes = layer_graph(generator)
    shapes = tensor_shapes(nodes, height, width)
    total = 0
    for name, node in nodes.items():
        if isinstance(node.layer, layers.Conv2DTranspose):  # each input pixel meets the complete kernel
            total += np.prod(shapes[node.parents[0]][1:3]) * np.prod(node.layer.kernel.shape)
        elif isinstance(node.layer, (layers.Conv2D, layers.DepthwiseConv2D)):
            total += np.prod(shapes[name][1:3]) * np.prod(node.layer.kernel.shape)
    return int(total)
