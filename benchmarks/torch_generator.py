"""A generator of this project in PyTorch, with the same weights: the peer in `benchmarks.inference`. Needs torch."""

import keras
import numpy as np
import torch
from torch import nn

from cartoongan_tf.models import layer_graph
from cartoongan_tf.models.layers import InstanceNormalization, PictureRange, ReflectionPadding2D


class TorchGenerator(nn.Module):
    """A generator of RGB [N, 3, H, W] in [-1, 1], from the same; H and W are multiples of 4 from 8 up."""

    def __init__(self, generator: keras.Model):
        """
        Args:
          generator: a model from `build_generator`.
        """
        super().__init__()
        (self._photo, _), *nodes = layer_graph.layer_graph(generator).items()
        self._parents = {name: node.parents for name, node in nodes}
        self._layers = nn.ModuleDict({name: _layer(node.layer) for name, node in nodes})

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        values = {self._photo: photo}
        for name, layer in self._layers.items():
            values[name] = layer(*(values[parent] for parent in self._parents[name]))
        return values[name]


class _Sum(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y


class _Concatenation(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, y], 1)


def _layer(layer: keras.layers.Layer) -> nn.Module:
    """Return a layer in PyTorch."""
    match layer:
        case keras.layers.Conv2DTranspose():
            kernel, bias = layer.get_weights()
            return _filled(nn.ConvTranspose2d(kernel.shape[3], kernel.shape[2], 3, 2), kernel, bias)
        case keras.layers.Conv2D():
            kernel, bias = layer.get_weights()
            side, _, inputs, outputs = kernel.shape
            padding = side // 2 if layer.padding == "same" else 0
            return _filled(nn.Conv2d(inputs, outputs, side, layer.strides, padding), kernel, bias)
        case InstanceNormalization():
            scale, shift = layer.get_weights()
            return _filled(nn.InstanceNorm2d(len(scale), layer.epsilon, affine=True), scale, shift)
        case keras.layers.ZeroPadding2D():
            return nn.ZeroPad2d(layer.padding[0][0])
        case ReflectionPadding2D():
            return nn.ReflectionPad2d(layer.padding)
        case keras.layers.Cropping2D():  # of the first row and column
            return nn.ZeroPad2d((-1, 0, -1, 0))
        case keras.layers.UpSampling2D():
            return nn.Upsample(scale_factor=2)
        case keras.layers.ReLU():
            return nn.ReLU()
        case keras.layers.Add():
            return _Sum()
        case keras.layers.Concatenate():
            return _Concatenation()
        case PictureRange():
            return nn.Hardtanh()
        case keras.layers.Activation():
            return nn.Tanh()
    raise ValueError(f"no such layer in PyTorch: {layer.name}")


def _filled(module: nn.Module, weight: np.ndarray, bias: np.ndarray) -> nn.Module:
    """Set a module's weights; kernels are HWIO for convolutions, and HWOI for transposed ones."""
    weight = weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight
    module.load_state_dict({"weight": torch.from_numpy(weight.copy()), "bias": torch.from_numpy(bias.copy())})
    return module


def run(generator: nn.Module, photo: np.ndarray) -> np.ndarray:
    """Return the cartoons of photos, float32 RGB [N, H, W, 3] in [-1, 1] both."""
    with torch.inference_mode():
        # The layout of NHWC arrays is that of channels_last.
        return generator(torch.from_numpy(photo).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
