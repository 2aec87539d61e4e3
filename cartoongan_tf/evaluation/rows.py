"""Rows of the evaluation's tables."""

import dataclasses
import functools

import numpy as np

from cartoongan_tf.evaluation import distances
from cartoongan_tf.evaluation.distances import Estimate
from cartoongan_tf.evaluation.measures import Measures


@dataclasses.dataclass(frozen=True)
class Row:
    """The measures of one method.

    Attributes:
      name: name of the method.
      step: step of the run, if the method is a checkpoint of one.
      resampled: measures by name, float [1 + rounds]: on the pictures as they are, then on each resampling. The
        resamplings take the same pictures in all rows.
      secs_per_megapixel: median over the photos; None for the cartoons and the photos themselves.
      drawings: drawings to be shown, by the numbers of the photos, uint8 RGB [H, W, 3].
    """

    name: str
    step: int | None
    resampled: Measures
    secs_per_megapixel: float | None
    drawings: dict[int, np.ndarray]

    @functools.cached_property
    def estimates(self) -> dict[str, Estimate]:
        """The measures with their intervals, by name."""
        return {name: distances.estimate(values) for name, values in self.resampled.items()}


def difference(row: Row, other: Row, measure: str) -> Estimate:
    """Estimate by how much a row's measure exceeds another row's, from paired resamplings."""
    return distances.estimate(row.resampled[measure] - other.resampled[measure])
