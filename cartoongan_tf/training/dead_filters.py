"""Filters of a generator that a ReLU holds at 0 for good: no gradient passes, so they learn no more."""

from typing import NamedTuple

import keras
import numpy as np

from cartoongan_tf.models import pixels


class DeadFilters(NamedTuple):
    """The share of a layer's filters, 0 to 1, that give 0 in all places of some photos."""

    layer: str
    share: float


def find_dead_filters(generator: keras.Model, photos: np.ndarray) -> DeadFilters:
    """Return the layer with the largest share of dead filters, among the layers of the class ReLU.

    Args:
      generator: a generator; one without such layers has no dead filters.
      photos: uint8 RGB [N, S, S, 3]; a filter that is alive in any of them is alive.
    """
    layers = [layer for layer in generator.layers if isinstance(layer, keras.layers.ReLU)]
    if not layers:
        return DeadFilters("", 0.0)
    activations = keras.Model(generator.input, [[layer.output] for layer in layers])
    alive = [np.zeros(layer.output.shape[-1], bool) for layer in layers]
    for photo in photos:  # one by one, which takes little memory
        for filters, (output,) in zip(alive, activations(pixels.to_float(photo[np.newaxis])), strict=True):
            filters |= np.asarray(keras.ops.any(output > 0, axis=(0, 1, 2)))
    shares = [1 - float(filters.mean()) for filters in alive]
    worst = int(np.argmax(shares))
    return DeadFilters(layers[worst].name, shares[worst])
