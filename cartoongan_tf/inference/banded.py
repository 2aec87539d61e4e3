"""A generator on a picture of any size, exactly and in bounded memory: band after band of rows.

Instance norm needs the mean and variance of the whole picture at every layer, so tiles drawn one by one have seams,
whatever statistics they borrow. Here each norm's statistics are taken over all bands before any band passes it, at
full resolution. What lies between is computed anew for each band from the last stored tensors; stored are only
tensors of less than the picture's resolution: what a norm takes, and what a residual block gives. With the paper's
generator at most 192 bytes a pixel are stored at once, where the whole picture in one piece takes 1,000 or so.
"""

from collections.abc import Callable, Iterator

import keras
import numpy as np
from keras import layers, ops

from cartoongan_tf.models import kernel_limits, pixels
from cartoongan_tf.models.layer_graph import Node, Statistics, mix, norms, tensor_shapes
from cartoongan_tf.models.layers import InstanceNormalization, ReflectionPadding2D, spatial_moments

BAND_BYTES = 48 * 2**20  # of the largest tensor of a band
_TENSORS_OF_A_BAND = 8  # that live at once


def cartoonize(
    nodes: dict[str, Node],
    image: np.ndarray,
    before: Statistics | None = None,
    mixing: np.ndarray | None = None,
    on_progress: Callable[[float], None] = lambda done: None,
) -> tuple[np.ndarray, Statistics]:
    """`pixels.cartoonize` for one large picture, or for a large frame of a film.

    Args:
      nodes: of `layer_graph`.
      image: uint8 RGB [H, W, 3], H and W from 1 up.
      before, mixing: for a frame, as in `layer_graph.run_on_film` with N = 1.
      on_progress: called after each band with the share of the work that is done, from 0 to 1.

    Returns:
      uint8 RGB [H, W, 3], within rounding what the picture in one piece gives; and the norms' statistics.
    """
    height, width = image.shape[:2]
    padded = ops.convert_to_numpy(pixels.pad_to_fit(image[np.newaxis]))
    run = BandedRun(nodes, *padded.shape[1:3])
    if before is not None:
        run.mix_with = (dict(zip(norms(nodes), before, strict=True)), mixing)
    return run.draw(padded, on_progress)[:height, :width], [run.statistics[norm] for norm in norms(nodes)]


def peak_bytes(nodes: dict[str, Node], height: int, width: int) -> int:
    """About how much memory `cartoonize` takes at most beyond the model, for a picture of that size in pixels."""
    run = BandedRun(nodes, height, width)
    stored = [run.needed_from(step) | ({step} if run.is_stored(step) else set()) for step in run.steps()]
    band = min(_band_bytes(), max(run.num_bytes(name) for name in nodes))
    return max(sum(map(run.num_bytes, names)) for names in stored) + _TENSORS_OF_A_BAND * band + 12 * height * width


def _band_bytes() -> int:
    """Return what the largest tensor of a band may take."""
    return min(BAND_BYTES, 4 * kernel_limits.most_values_before_bands())


class BandedRun:
    """One picture on its way through the layers. A tensor is named by the layer that gives it."""

    def __init__(self, nodes: dict[str, Node], height: int, width: int):
        self._nodes = nodes
        self._photo, self._cartoon = next(iter(nodes)), next(reversed(nodes))
        self._shapes = tensor_shapes(nodes, height, width)
        self._norms_of: dict[str, list[str]] = {}
        for norm in norms(nodes):
            self._norms_of.setdefault(nodes[norm].parents[0], []).append(norm)
        self._stored: dict[str, np.ndarray] = {}
        self.statistics: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.mix_with = None
        self._on_progress: Callable[[float], None] = lambda share: None

    def draw(self, padded: np.ndarray, on_progress: Callable[[float], None]) -> np.ndarray:
        """uint8 RGB [1, H, W, 3], padded to fit -> uint8 RGB [H, W, 3]."""
        self._stored[self._photo] = padded[0]
        steps = self.steps()
        for number, step in enumerate(steps):
            self._on_progress = lambda share, number=number: on_progress((number + share) / (len(steps) + 1))
            needed = self.needed_from(step)
            self._stored = {name: array for name, array in self._stored.items() if name in needed}
            self._pass_over(step)
        self._on_progress = lambda share: on_progress((len(steps) + share) / (len(steps) + 1))
        cartoon = np.empty(padded.shape[1:], np.uint8)
        for start, stop, band in self._bands(self._cartoon):
            cartoon[start:stop] = pixels.to_uint8(band)[0]
        return cartoon

    def steps(self) -> list[str]:
        """The tensors that need a pass of their own over the picture, in order."""
        sums = {name for name, node in self._nodes.items() if len(node.parents) > 1 and self.is_stored(name)}
        return [name for name in self._nodes if name in self._norms_of or name in sums]

    def is_stored(self, name: str) -> bool:
        """Whether a step keeps its tensor: at the picture's own resolution it would be too large."""
        return self._shapes[name][1] < self._shapes[self._photo][1]

    def num_bytes(self, name: str) -> int:
        return int(np.prod(self._shapes[name])) * (1 if name == self._photo else 4)

    def needed_from(self, step: str) -> set[str]:
        """The tensors stored before a step that it or a later one, or the cartoon itself, is computed from."""
        steps = self.steps()
        later = steps[steps.index(step) :]
        earlier = {name for name in steps if name not in later and self.is_stored(name)} | {self._photo}
        needed, seen, to_look_at = set(), set(), [*later, self._cartoon]
        while to_look_at:
            name = to_look_at.pop()
            if name in earlier:
                needed.add(name)
            elif name not in seen:
                to_look_at.extend(self._nodes[name].parents)
            seen.add(name)
        return needed

    def _pass_over(self, step: str) -> None:
        """Compute a tensor band by band: store it where it is to be stored, and take the next norm's statistics."""
        kept = np.empty(self._shapes[step][1:], np.float32) if self.is_stored(step) else None
        moments = _RunningMoments()
        for start, stop, band in self._bands(step):
            if kept is not None:
                kept[start:stop] = band[0]
            if step in self._norms_of:
                moments.add(band)
        for norm in self._norms_of.get(step, ()):
            self.statistics[norm] = self._mixed(norm, moments.mean_and_variance())
        if kept is not None:
            self._stored[step] = kept

    def _mixed(self, norm: str, own: tuple[np.ndarray, np.ndarray]) -> tuple:
        if self.mix_with is None:
            return own
        before, mixing = self.mix_with
        return tuple(mix(mixing, *pair) for pair in zip(before[norm], own, strict=True))

    def _bands(self, name: str) -> Iterator[tuple[int, int, keras.KerasTensor]]:
        height = self._shapes[name][1]
        num_rows = self.num_rows(name)
        for start in range(0, height, num_rows):
            stop = min(start + num_rows, height)
            yield start, stop, self._rows(name, start, stop)
            self._on_progress(stop / height)

    def num_rows(self, name: str) -> int:
        """Return how many rows of a tensor a band has."""
        return max(1, int(_band_bytes() / self.widest_row_bytes(name)))

    def widest_row_bytes(self, name: str, top: str | None = None) -> float:
        """Bytes that a row of a tensor costs in the largest of the tensors that it is computed from."""
        top = top or name
        _, height, width, channels = self._shapes[name]
        own = 4.0 * width * channels * height / self._shapes[top][1]
        if name in self._stored:
            return own
        return max([own, *(self.widest_row_bytes(parent, top) for parent in self._nodes[name].parents)])

    def _rows(self, name: str, start: int, stop: int):
        """Rows `start` to `stop` of a tensor: stored, or computed from those rows of its parents that it takes."""
        if name == self._photo:
            return pixels.to_float(self._stored[name][np.newaxis, start:stop])
        if name in self._stored:
            return ops.convert_to_tensor(self._stored[name][np.newaxis, start:stop])
        layer, parents = self._nodes[name].layer, self._nodes[name].parents
        height = self._shapes[parents[0]][1]
        taken = _taken_rows(layer, start, stop, height)
        inputs = [self._rows(parent, *taken) for parent in parents]
        if isinstance(layer, InstanceNormalization):
            return layer.normalize(inputs[0], *self.statistics[name])
        return _call_on_rows(layer, inputs, taken, start, stop, height)


class _RunningMoments:
    """Mean and variance of a tensor from those of its bands, merged in float64 (Chan, Golub, LeVeque 1983)."""

    def __init__(self):
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def add(self, band) -> None:
        """Add a band, float32 [1, rows, W, C]."""
        count = band.shape[1] * band.shape[2]
        mean, variance = (ops.convert_to_numpy(moment).astype(np.float64) for moment in spatial_moments(band))
        delta = mean - self._mean
        total = self._count + count
        self._mean = self._mean + delta * (count / total)
        self._squares = self._squares + variance * count + delta**2 * (self._count * count / total)
        self._count = total

    def mean_and_variance(self) -> tuple[np.ndarray, np.ndarray]:
        """float32 [1, 1, 1, C] each; the variance is the biased one."""
        return self._mean.astype(np.float32), (self._squares / self._count).astype(np.float32)


def _taken_rows(layer: keras.layers.Layer, start: int, stop: int, height: int) -> tuple[int, int]:
    """The rows of its input, `height` high, that a layer takes to give its rows `start` to `stop`."""
    match layer:
        case layers.Conv2DTranspose():
            kernel, stride = layer.kernel_size[0], layer.strides[0]
            return max(0, -((kernel - 1 - start) // stride)), min(height, (stop - 1) // stride + 1)
        case layers.Conv2D() | layers.DepthwiseConv2D() if layer.padding == "same":
            radius = layer.kernel_size[0] // 2
            return max(0, start - radius), min(height, stop + radius)
        case layers.UpSampling2D():
            return start // layer.size[0], (stop - 1) // layer.size[0] + 1
        case layers.Conv2D() | layers.DepthwiseConv2D():
            return start * layer.strides[0], (stop - 1) * layer.strides[0] + layer.kernel_size[0]
        case layers.ZeroPadding2D():
            top = layer.padding[0][0]
            return max(0, start - top), max(1, min(height, stop - top))
        case ReflectionPadding2D():
            rows = _reflected(layer.padding, start, stop, height)
            return int(rows.min()), int(rows.max()) + 1
        case layers.Cropping2D():
            top = layer.cropping[0][0]
            return start + top, stop + top
        case layers.ReLU() | layers.Activation() | layers.Add() | layers.Concatenate() | InstanceNormalization():
            return start, stop
    raise TypeError(f"cannot draw in bands: no rule for the rows of a {type(layer).__name__}")


def _call_on_rows(layer, inputs: list, taken: tuple[int, int], start: int, stop: int, height: int):
    """A layer's rows `start` to `stop` from the rows `taken` of its inputs."""
    x = inputs[0]
    match layer:
        case layers.Conv2DTranspose():
            first = start - taken[0] * layer.strides[0]
            return layer(x)[:, first : first + stop - start]
        case layers.Conv2D() | layers.DepthwiseConv2D() if layer.padding == "same":  # of stride 1
            first = start - taken[0]  # the rows before it are wrong, unless they are the picture's first
            return layer(x)[:, first : first + stop - start]
        case layers.UpSampling2D():
            first = start - taken[0] * layer.size[0]
            return layer(x)[:, first : first + stop - start]
        case layers.ZeroPadding2D():
            (top, _), sides = layer.padding
            above, below = max(0, top - start), max(0, stop - top - height)
            return ops.pad(x, ((0, 0), (above, below), sides, (0, 0)))
        case ReflectionPadding2D():
            rows = _reflected(layer.padding, start, stop, height) - taken[0]
            sides = (layer.padding, layer.padding)
            return ops.pad(ops.take(x, rows, axis=1), ((0, 0), (0, 0), sides, (0, 0)), mode="reflect")
        case layers.Cropping2D():
            left, right = layer.cropping[1]
            return x[:, :, left : x.shape[2] - right]
    return layer(inputs if len(inputs) > 1 else x)


def _reflected(padding: int, start: int, stop: int, height: int) -> np.ndarray:
    """The input rows behind the rows `start` to `stop` of a picture padded by reflection."""
    rows = np.abs(np.arange(start, stop) - padding)
    return np.minimum(rows, 2 * (height - 1) - rows)
