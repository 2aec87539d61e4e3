"""A generator as the graph of its layers, for code that runs it by other methods than Keras's.

The graph is read from a Keras model, through public attributes alone.
"""

import dataclasses
from typing import Any

import keras
from keras import ops

from cartoongan_tf.models.layers import InstanceNormalization, spatial_moments

Statistics = list[tuple[Any, Any]]  # mean and variance of each instance norm, in order: float32 [1, 1, 1, C]


@dataclasses.dataclass(frozen=True)
class Node:
    """A layer, and the names of the layers whose outputs are its inputs; the input layer has none."""

    layer: keras.layers.Layer
    parents: tuple[str, ...]


def layer_graph(generator: keras.Model) -> dict[str, Node]:
    """Return the layers of a functional model with one input and one output, by name.

    Each layer comes after its parents, and the output is the last one.
    """
    maker_of = {id(layer.output): layer.name for layer in generator.layers}
    nodes = {}
    for layer in generator.layers:
        inputs = [] if isinstance(layer, keras.layers.InputLayer) else keras.tree.flatten(layer.input)
        nodes[layer.name] = Node(layer, tuple(maker_of[id(tensor)] for tensor in inputs))
    output = maker_of[id(generator.outputs[0])]
    nodes[output] = nodes.pop(output)
    return nodes


def tensor_shapes(nodes: dict[str, Node], height: int, width: int) -> dict[str, tuple[int, int, int, int]]:
    """Return the shape of each layer's output, [1, H, W, C], for a photo of that size in pixels."""
    names = iter(nodes)
    shapes = {next(names): (1, height, width, 3)}
    for name in names:
        inputs = [shapes[parent] for parent in nodes[name].parents]
        shapes[name] = tuple(nodes[name].layer.compute_output_shape(inputs if len(inputs) > 1 else inputs[0]))
    return shapes


def norms(nodes: dict[str, Node]) -> dict[str, InstanceNormalization]:
    """Return the instance norms by name, in the order of the layers."""
    return {name: node.layer for name, node in nodes.items() if isinstance(node.layer, InstanceNormalization)}


def no_statistics(nodes: dict[str, Node]) -> Statistics:
    """Return statistics to begin a film with; their weight is 0 at its first frame."""
    return [(ops.zeros((1, 1, 1, norm.scale.shape[0])),) * 2 for norm in norms(nodes).values()]


def mix(mixing: Any, before: Any, own: Any):
    """Average statistics over time.

    Args:
      mixing: weights of the statistics before, and of those of each frame, a row for each frame: float32 [N, N + 1].
      before: statistics of the frames before, float32 [1, 1, 1, C].
      own: statistics of each frame, float32 [N, 1, 1, C].

    Returns:
      the averages for each frame, float32 [N, 1, 1, C].
    """
    return ops.tensordot(mixing, ops.concatenate([before, own], axis=0), axes=1)


def run_on_film(nodes: dict[str, Node], photo: Any, before: Statistics, mixing: Any) -> tuple[Any, Statistics]:
    """Run a generator on consecutive frames, each norm's statistics averaged over time.

    Args:
      nodes: result of `layer_graph`.
      photo: the frames, float32 RGB [N, H, W, 3] in [-1, 1].
      before: statistics that the call for the frames before returned, or `no_statistics`.
      mixing: weights of the statistics, as for `mix`.

    Returns:
      the cartoons, float32 RGB [N, H, W, 3] in [-1, 1], and the statistics of the last frame.
    """
    values: dict = {}
    after = []
    earlier = iter(before)
    for name, node in nodes.items():
        inputs = [values[parent] for parent in node.parents]
        if isinstance(node.layer, InstanceNormalization):
            own = spatial_moments(inputs[0])
            mixed = [mix(mixing, *pair) for pair in zip(next(earlier), own, strict=True)]
            after.append(tuple(statistic[-1:] for statistic in mixed))
            values[name] = node.layer.normalize(inputs[0], *mixed)
        elif inputs:
            values[name] = node.layer(inputs if len(inputs) > 1 else inputs[0])
        else:
            values[name] = photo
    return values[name], after
