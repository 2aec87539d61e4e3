"""The way from a Keras generator to the same network in PyTorch."""

import keras
import numpy as np
import torch
from torch import nn

from benchmarks.torch_generator import Concatenation, Sum, TorchGenerator
from cartoongan_tf.models import layer_graph
from cartoongan_tf.models.layers import InstanceNormalization, PictureRange, ReflectionPadding2D


def build(generator: keras.Model) -> TorchGenerator:
    """Build a generator in PyTorch, for inference, with the weights of a model from `build_generator`."""
    (photo, _), *nodes = layer_graph.layer_graph(generator).items()
    layers = {name: _layer(node.layer) for name, node in nodes}
    parents = {name: node.parents for name, node in nodes}
    return TorchGenerator(photo, layers, parents).eval().requires_grad_(False)


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
            return Sum()
        case keras.layers.Concatenate():
            return Concatenation()
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
