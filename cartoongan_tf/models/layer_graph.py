"""A generator as the graph of its layers, for code that runs it by other methods than Keras's.

The graph is read from a Keras model, through public attributes alone.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from cartoongan_tf.models.layers import InstanceNormalization, spatial_moments


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


def no_statistics(nodes: dict[str, Node]) -> np.ndarray:
    """Return statistics to begin a film with; nothing is kept of them at its first frame."""
    return np.zeros((1, 1, 1, sum(2 * norm.scale.shape[0] for norm in norms(nodes).values())), np.float32)


def split_statistics(nodes: dict[str, Node], statistics: Any) -> dict[str, tuple[Any, Any]]:
    """Return mean and variance of each norm by name, [1, 1, 1, C] each, from statistics as `run_on_film` takes them."""
    moments = {}
    start = 0
    for name, norm in norms(nodes).items():
        (channels,) = norm.scale.shape
        middle = start + channels
        end = middle + channels
        moments[name] = (statistics[..., start:middle], statistics[..., middle:end])
        start = end
    return moments


def averaging_matrix(keep: np.ndarray) -> np.ndarray:
    """Return the weights by which the statistics of N frames are averaged over time.

    Args:
      keep: share of the statistics before it that each frame keeps, float32 [N]; 0 where a shot begins.

    Returns:
      float32 [N, N + 1]: a row for each frame, with the weights of the earlier statistics (first column) and of each
      frame's own.
    """
    num_columns = len(keep) + 1
    rows = [np.eye(1, num_columns)[0]]
    for column, kept in enumerate(keep, 1):
        rows.append(kept * rows[-1] + (1 - kept) * np.eye(1, num_columns, column)[0])
    return np.stack(rows[1:]).astype(np.float32)


def average_frames(matrix: Any, before: Any, own: Any) -> Any:
    """Average statistics over time.

    Args:
      matrix: result of `averaging_matrix` for N frames.
      before: statistics of the frames before, float32 [1, 1, 1, C].
      own: statistics of each frame, float32 [N, 1, 1, C].

    Returns:
      the averages for each frame, float32 [N, 1, 1, C].
    """
    return ops.tensordot(matrix, ops.concatenate([before, own], axis=0), axes=1)


def average(before: Any, own: Any, keep: Any) -> Any:
    """Average the statistics of one frame with those before it, of which the share `keep` is kept."""
    return own + keep * (before - own)


def run_on_film(nodes: dict[str, Node], photo: Any, before: Any, mix: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """Run a generator on consecutive frames, each norm's statistics averaged over time.

    Args:
      nodes: result of `layer_graph`.
      photo: the frames, float32 RGB [N, H, W, 3] in [-1, 1].
      before: the statistics after the frames before, or `no_statistics`: float32 [1, 1, 1, S], mean and variance of
        each norm, one after another.
      mix: function from a norm's means or variances, those before, [1, 1, 1, C], and the frames' own, [N, 1, 1, C],
        to those to use, [N, 1, 1, C].

    Returns:
      the cartoons, float32 RGB [N, H, W, 3] in [-1, 1], and the statistics that were used, [N, 1, 1, S].
    """
    values: dict = {}
    used = []
    earlier = split_statistics(nodes, before)
    for name, node in nodes.items():
        inputs = [values[parent] for parent in node.parents]
        if isinstance(node.layer, InstanceNormalization):
            own = spatial_moments(inputs[0])
            averages = [mix(*pair) for pair in zip(earlier[name], own, strict=True)]
            used.extend(averages)
            values[name] = node.layer.normalize(inputs[0], *averages)
        elif inputs:
            values[name] = node.layer(inputs if len(inputs) > 1 else inputs[0])
        else:
            values[name] = photo
    return values[name], ops.concatenate(used, axis=-1) if used else before
