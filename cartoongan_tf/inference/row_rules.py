"""Rules for computing some rows of a layer's output from the rows of its input that they depend on."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
from keras import layers, ops

from cartoongan_tf.models.layers import InstanceNormalization, PictureRange, ReflectionPadding2D


class Rows(NamedTuple):
    """Rows `start` to `stop` of a tensor."""

    start: int
    stop: int

    @property
    def number(self) -> int:
        return self.stop - self.start


class RowRule(Protocol):
    """The rule of one layer. `height` is always the number of rows of its whole input."""

    def needed(self, rows: Rows, height: int) -> Rows:
        """Return the rows of the input on which some rows of the output depend."""

    def output(self, inputs: list, needed: Rows, rows: Rows, height: int) -> Any:
        """Compute rows of the output.

        Args:
          inputs: each of the layer's inputs, float32 [1, needed.number, W, C].
          needed: the rows that the inputs hold, as `needed` returned them.
          rows: the rows to compute.

        Returns:
          float32 [1, rows.number, W', C'].
        """


def rule_for(layer: keras.layers.Layer) -> RowRule:
    """Return the rule of a layer.

    Raises:
      TypeError: there is no rule for layers of this kind.
    """
    match layer:
        case layers.Conv2DTranspose():
            return _TransposedConvolution(layer)
        case layers.Conv2D() | layers.DepthwiseConv2D() if layer.padding == "same":
            return _SameConvolution(layer)
        case layers.Conv2D() | layers.DepthwiseConv2D():
            return _ValidConvolution(layer)
        case layers.UpSampling2D():
            return _UpSampling(layer)
        case layers.ZeroPadding2D():
            return _ZeroPadding(layer)
        case ReflectionPadding2D():
            return _ReflectionPadding(layer)
        case layers.Cropping2D():
            return _Cropping(layer)
        case (
            layers.ReLU()
            | layers.Activation()
            | layers.Add()
            | layers.Concatenate()
            | InstanceNormalization()
            | PictureRange()
        ):
            return _RowByRow(layer)
    raise TypeError(f"cannot run in bands: no rule for the rows of a {type(layer).__name__}")


@dataclass(frozen=True)
class _RowByRow:
    """A layer whose rows depend on the same rows of its inputs."""

    layer: keras.layers.Layer

    def needed(self, rows: Rows, height: int) -> Rows:
        return rows

    def output(self, inputs: list, needed: Rows, rows: Rows, height: int) -> Any:
        return self.layer(inputs if len(inputs) > 1 else inputs[0])


@dataclass(frozen=True)
class _TransposedConvolution:
    layer: layers.Conv2DTranspose

    def needed(self, rows: Rows, height: int) -> Rows:
        kernel = self.layer.kernel_size[0]
        stride = self.layer.strides[0]
        first = -((kernel - 1 - rows.start) // stride)
        return Rows(max(0, first), min(height, (rows.stop - 1) // stride + 1))

    def output(self, inputs: list, needed: Rows, rows: Rows, height: int) -> Any:
        first = rows.start - needed.start * self.layer.strides[0]
        return self.layer(inputs[0])[:, first : first + rows.number]


@dataclass(frozen=True)
class _SameConvolution:
    """A convolution of stride 1 with zeros around the picture."""

    layer: layers.Conv2D | layers.DepthwiseConv2D

    def needed(self, rows: Rows, height: int) -> Rows:
        radius = self.layer.kernel_size[0] // 2
        return Rows(max(0, rows.start - radius), min(height, rows.stop + radius))

    def output(self, inputs: list, needed: Rows, rows: Rows, height: int) -> Any:
        first = rows.start - needed.start  # the rows before are wrong: they took zeros for the picture's rows
        return self.layer(inputs[0])[:, first : first + rows.number]


@dataclass(frozen=True)
class _ValidConvolution:
    layer: layers.Conv2D | layers.DepthwiseConv2D

    def needed(self, rows: Rows, height: int) -> Rows:
        stride = self.layer.strides[0]
        return Rows(rows.start * stride, (rows.stop - 1) * stride + self.layer.kernel_size[0])

    def output(self, inputs: list, needed: Rows, rows: Rows, height: int) -> Any:
        return self.layer(inputs[0])


@dataclass(frozen=True)
class _UpSampling:
    layer: layers.UpSampling2D

    def needed(self, rows: Rows, height: int) -> Rows:
        factor = self.layer.size[0]
        return Rows(rows.start // factor, (rows.stop - 1) // factor + 1)

    def output(self, inputs: list, needed: Rows, rows: Rows, height: int) -> Any:
        first = rows.start - needed.start * self.layer.size[0]
        return self.layer(inputs[0])[:, first : first + rows.number]


@dataclass(frozen=True)
class _ZeroPadding:
    layer: layers.ZeroPadding2D

    def needed(self, rows: Rows, height: int) -> Rows:
        top = self.layer.padding[0][0]
        return Rows(max(0, rows.start - top), max(1, min(height, rows.stop - top)))

    def output(self, inputs: list, needed: Rows, rows: Rows, height: int) -> Any:
        (top, _), sides = self.layer.padding
        above = max(0, top - rows.start)
        below = max(0, rows.stop - top - height)
        return ops.pad(inputs[0], ((0, 0), (above, below), sides, (0, 0)))


@dataclass(frozen=True)
class _ReflectionPadding:
    layer: ReflectionPadding2D

    def needed(self, rows: Rows, height: int) -> Rows:
        sources = self._sources(rows, height)
        return Rows(int(sources.min()), int(sources.max()) + 1)

    def output(self, inputs: list, needed: Rows, rows: Rows, height: int) -> Any:
        reflected = ops.take(inputs[0], self._sources(rows, height) - needed.start, axis=1)
        sides = (self.layer.padding, self.layer.padding)
        return ops.pad(reflected, ((0, 0), (0, 0), sides, (0, 0)), mode="reflect")

    def _sources(self, rows: Rows, height: int) -> np.ndarray:
        """Return the row of the input that each of the padded picture's rows repeats."""
        sources = np.abs(np.arange(rows.start, rows.stop) - self.layer.padding)
        return np.minimum(sources, 2 * (height - 1) - sources)


@dataclass(frozen=True)
class _Cropping:
    layer: layers.Cropping2D

    def needed(self, rows: Rows, height: int) -> Rows:
        top = self.layer.cropping[0][0]
        return Rows(rows.start + top, rows.stop + top)

    def output(self, inputs: list, needed: Rows, rows: Rows, height: int) -> Any:
        left, right = self.layer.cropping[1]
        return inputs[0][:, :, left : inputs[0].shape[2] - right]
