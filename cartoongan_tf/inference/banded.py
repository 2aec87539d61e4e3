"""A generator run on a picture of any size in bounded memory: one band of rows after another.

Instance norm needs the mean and variance of the whole picture at every layer, so tiles that are run one by one have
seams, whatever statistics they borrow. Here each norm's statistics are taken over all bands, at full resolution, before
any band passes the norm. Everything between is computed again for each band from the last stored tensors. Only tensors
of less than the picture's resolution are stored: the inputs of norms, and the outputs of residual blocks. With the
paper's generator at most 192 bytes a pixel are stored at once, compared with about 1,000 for the picture in one piece.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from keras import ops

from cartoongan_tf.inference.band_plan import BandPlan
from cartoongan_tf.inference.row_rules import Rows, rule_for
from cartoongan_tf.models import pixels
from cartoongan_tf.models.layer_graph import Node, average, no_statistics, norms, split_statistics
from cartoongan_tf.models.layers import InstanceNormalization, spatial_moments
from cartoongan_tf.models.picture_sizes import fitting_side, pad_to_fit

Moments = tuple[np.ndarray, np.ndarray]  # mean and biased variance, float32 [1, 1, 1, C]


def cartoonize(
    nodes: dict[str, Node],
    image: np.ndarray,
    before: np.ndarray | None = None,
    keep: float = 0.0,
    on_progress: Callable[[float], None] = lambda done: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Run `pixels.cartoonize` in bands on one large picture, or on a large frame of a film.

    Args:
      nodes: the layers, from `layer_graph`.
      image: uint8 RGB [H, W, 3], H and W from 1 up.
      before: for a frame, the statistics after the frame before, as in `layer_graph.run_on_film`.
      keep: the share of them that is kept, from 0 to below 1.
      on_progress: called after each band with the completed share of the work, from 0 to 1.

    Returns:
      uint8 RGB [H, W, 3], within rounding the result for the picture in one piece; and the norms' statistics.
    """
    height, width = image.shape[:2]
    padded = pad_to_fit(image)
    earlier = split_statistics(nodes, no_statistics(nodes) if before is None else before)
    run = _BandedRun(BandPlan.for_size(nodes, *padded.shape[:2]), padded, earlier, keep, on_progress)
    cartoon = run.cartoon()
    moments = [moment for norm in norms(nodes) for moment in run.statistics[norm]]
    return cartoon[:height, :width], np.concatenate(moments, axis=-1) if moments else no_statistics(nodes)


def peak_bytes(nodes: dict[str, Node], height: int, width: int) -> int:
    """Return about the most memory that `cartoonize` takes beyond the model, for a picture of that size in pixels."""
    return BandPlan.for_size(nodes, fitting_side(height), fitting_side(width)).peak_bytes()


class _BandedRun:
    """A picture that passes the layers in bands.

    Attributes:
      statistics: mean and variance of each norm that has been passed.
    """

    def __init__(
        self,
        plan: BandPlan,
        padded: np.ndarray,
        earlier: dict[str, Moments],
        keep: float,
        on_progress: Callable[[float], None],
    ):
        """
        Args:
          plan: the plan for the picture's size.
          padded: uint8 RGB [H, W, 3], padded to fit the generator.
          earlier: each norm's statistics before this frame of a film.
          keep, on_progress: as in `cartoonize`.
        """
        self._plan = plan
        self._stored = {plan.photo: padded}
        self._earlier = earlier
        self._keep = keep
        self._on_progress = on_progress
        self.statistics: dict[str, Moments] = {}

    def cartoon(self) -> np.ndarray:
        """Return the cartoon of the padded picture, uint8 RGB [H, W, 3]."""
        steps = self._plan.steps()
        num_passes = len(steps) + 1
        for number, step in enumerate(steps):
            needed = self._plan.needed_from(step)
            self._stored = {name: array for name, array in self._stored.items() if name in needed}
            self._pass_over(step, number, num_passes)
        cartoon = np.empty(self._plan.shapes[self._plan.photo][1:], np.uint8)
        for rows, band in self._bands(self._plan.cartoon, len(steps), num_passes):
            cartoon[rows.start : rows.stop] = pixels.to_uint8(band)[0]
        return cartoon

    def _pass_over(self, step: str, number: int, num_passes: int) -> None:
        """Compute a tensor band by band: store it where the plan does, and take its statistics for the next norm."""
        norms_of_step = self._plan.norms_of(step)
        whole = np.empty(self._plan.shapes[step][1:], np.float32) if self._plan.is_stored(step) else None
        moments = _RunningMoments()
        for rows, band in self._bands(step, number, num_passes):
            if whole is not None:
                whole[rows.start : rows.stop] = band[0]
            if norms_of_step:
                moments.add(band)
        for norm in norms_of_step:
            self.statistics[norm] = self._averaged(norm, moments.mean_and_variance())
        if whole is not None:
            self._stored[step] = whole

    def _averaged(self, norm: str, moments: Moments) -> Moments:
        """Return a norm's statistics averaged with those of the frames before."""
        mean, variance = moments
        earlier_mean, earlier_variance = self._earlier[norm]
        return average(earlier_mean, mean, self._keep), average(earlier_variance, variance, self._keep)

    def _bands(self, name: str, pass_number: int, num_passes: int) -> Iterator[tuple[Rows, Any]]:
        """Yield a tensor in bands: its rows, and the tensor float32 [1, rows, W, C]."""
        height = self._plan.shapes[name][1]
        num_rows = self._plan.num_rows(name, self._stored)
        for start in range(0, height, num_rows):
            rows = Rows(start, min(start + num_rows, height))
            yield rows, self._compute(name, rows)
            self._on_progress((pass_number + rows.stop / height) / num_passes)

    def _compute(self, name: str, rows: Rows) -> Any:
        """Return rows of a tensor: stored ones, or computed from the rows of its inputs that they depend on."""
        if name in self._stored:
            stored_rows = self._stored[name][np.newaxis, rows.start : rows.stop]
            return pixels.to_float(stored_rows) if name == self._plan.photo else ops.convert_to_tensor(stored_rows)
        layer = self._plan.nodes[name].layer
        parents = self._plan.nodes[name].parents
        height = self._plan.shapes[parents[0]][1]
        rule = rule_for(layer)
        needed = rule.needed(rows, height)
        inputs = [self._compute(parent, needed) for parent in parents]
        if isinstance(layer, InstanceNormalization):
            return layer.normalize(inputs[0], *self.statistics[name])
        return rule.output(inputs, needed, rows, height)


class _RunningMoments:
    """Mean and variance of a tensor from those of its bands, merged in float64 (Chan, Golub, LeVeque 1983)."""

    def __init__(self):
        self._count = 0
        self._mean = np.float64(0)
        self._squares = np.float64(0)  # sum of squared differences from the mean

    def add(self, band: Any) -> None:
        """Add a band, float32 [1, rows, W, C]."""
        count = band.shape[1] * band.shape[2]
        band_mean, band_variance = spatial_moments(band)
        mean = ops.convert_to_numpy(band_mean).astype(np.float64)
        variance = ops.convert_to_numpy(band_variance).astype(np.float64)
        delta = mean - self._mean
        total = self._count + count
        self._mean = self._mean + delta * (count / total)
        self._squares = self._squares + variance * count + delta**2 * (self._count * count / total)
        self._count = total

    def mean_and_variance(self) -> Moments:
        mean = np.asarray(self._mean, np.float32)
        variance = np.asarray(self._squares / self._count, np.float32)
        return mean, variance
