"""The paper's generator in PyTorch, as in its authors' code: the peer of this project's generator.

Modules have the names of the released weights, so that their arrays can be loaded directly. Everything is NCHW.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

NUM_BLOCKS = 8


class TorchGenerator(nn.Module):
    """A generator of BGR [N, 3, H, W] in [-1, 1], from the same; H and W are multiples of 4 from 8 up."""

    def __init__(self):
        super().__init__()
        self.conv01_1 = _reflect_conv(3, 64, 7)
        self.in01_1 = _norm(64)
        for index, filters in ((2, 128), (3, 256)):
            self.add_module(f"conv{index:02}_1", nn.Conv2d(filters // 2, filters, 3, stride=2, padding=1))
            self.add_module(f"conv{index:02}_2", nn.Conv2d(filters, filters, 3, padding=1))
            self.add_module(f"in{index:02}_1", _norm(filters))
        for index in range(4, 4 + NUM_BLOCKS):
            for part in (1, 2):
                self.add_module(f"conv{index:02}_{part}", _reflect_conv(256, 256, 3))
                self.add_module(f"in{index:02}_{part}", _norm(256))
        for index, filters in ((1, 128), (2, 64)):
            up = nn.ConvTranspose2d(2 * filters, filters, 3, stride=2, padding=1, output_padding=1)
            self.add_module(f"deconv{index:02}_1", up)
            self.add_module(f"deconv{index:02}_2", nn.Conv2d(filters, filters, 3, padding=1))
            self.add_module(f"in{index + 11}_1", _norm(filters))
        self.deconv03_1 = _reflect_conv(64, 3, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.in01_1(self.conv01_1(x)))
        x = self._pair(x, "conv02", "in02_1")
        x = self._pair(x, "conv03", "in03_1")
        for index in range(4, 4 + NUM_BLOCKS):
            x = x + self._residual(x, f"{index:02}")
        x = self._pair(x, "deconv01", "in12_1")
        x = self._pair(x, "deconv02", "in13_1")
        return torch.tanh(self.deconv03_1(x))

    def _pair(self, x: torch.Tensor, convs: str, norm: str) -> torch.Tensor:
        x = getattr(self, f"{convs}_2")(getattr(self, f"{convs}_1")(x))
        return torch.relu(getattr(self, norm)(x))

    def _residual(self, x: torch.Tensor, index: str) -> torch.Tensor:
        x = torch.relu(getattr(self, f"in{index}_1")(getattr(self, f"conv{index}_1")(x)))
        return getattr(self, f"in{index}_2")(getattr(self, f"conv{index}_2")(x))


def _reflect_conv(in_channels: int, filters: int, kernel_size: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, filters, kernel_size, padding=kernel_size // 2, padding_mode="reflect")


def _norm(channels: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(channels, eps=1e-5, affine=True)


# The authors' norms use other names for their arrays than PyTorch's.
_THEIR_PART = {"weight": "scale", "bias": "shift"}


def _their_name(name: str) -> str:
    """Return the authors' name of an array: in01_1.weight -> in01_1.scale; convolutions keep their names."""
    module, part = name.split(".")
    return f"{module}.{_THEIR_PART[part]}" if module.startswith("in") else name


def random_weights(seed: int) -> dict[str, np.ndarray]:
    """Return arrays by the authors' names, with a trained generator's shapes and similar values."""
    rng = np.random.default_rng(seed)
    shapes = {_their_name(name): tuple(tensor.shape) for name, tensor in TorchGenerator().state_dict().items()}
    weights = {}
    for name, shape in shapes.items():
        values = rng.normal(1.0 if name.endswith("scale") else 0.0, 0.03, shape)
        weights[name] = values.astype(np.float32)
    return weights


def build(weights: Mapping[str, np.ndarray]) -> TorchGenerator:
    """Build a generator with these arrays (by the authors' names), for inference."""
    generator = TorchGenerator()
    state = {name: torch.from_numpy(weights[_their_name(name)].copy()) for name in generator.state_dict()}
    generator.load_state_dict(state)
    return generator.eval().requires_grad_(False)


def run(generator: TorchGenerator, photo: np.ndarray, memory_format: torch.memory_format) -> np.ndarray:
    """Return the cartoons of photos, float32 RGB [N, H, W, 3] in [-1, 1] both."""
    x = torch.from_numpy(photo[..., ::-1].transpose(0, 3, 1, 2).copy()).contiguous(memory_format=memory_format)
    with torch.inference_mode():
        return generator(x).numpy().transpose(0, 2, 3, 1)[..., ::-1]
