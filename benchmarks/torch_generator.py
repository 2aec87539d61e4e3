"""A generator of this project in PyTorch: the peer in `benchmarks.inference`. Needs torch, and no TensorFlow to run."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn


class TorchGenerator(nn.Module):
    """A generator of RGB [N, 3, H, W] in [-1, 1], from the same; H and W are multiples of 4 from 8 up."""

    def __init__(self, photo: str, layers: Mapping[str, nn.Module], parents: Mapping[str, tuple[str, ...]]):
        """
        Args:
          photo: name of the input.
          layers: the layers by name, each after its parents.
          parents: names of each layer's inputs.
        """
        super().__init__()
        self._photo = photo
        self._layers = nn.ModuleDict(layers)
        self._parents = dict(parents)

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        values = {self._photo: photo}
        for name, layer in self._layers.items():
            values[name] = layer(*(values[parent] for parent in self._parents[name]))
        return values[name]


class Sum(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y


class Concatenation(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, y], 1)


def run(generator: nn.Module, photo: np.ndarray) -> np.ndarray:
    """Return the cartoons of photos, float32 RGB [N, H, W, 3] in [-1, 1] both."""
    with torch.inference_mode():
        # The layout of NHWC arrays is that of channels_last.
        return generator(torch.from_numpy(photo).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
