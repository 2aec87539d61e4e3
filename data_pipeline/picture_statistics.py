"""What can be told of training pictures: pure functions of their pixels. Knows nothing of TensorFlow.

Two of the measures tell drawings from photos: `outlines` and `least_colour`. Others that might (flat areas, noise,
texture, number of colours, sharp edges against weak ones) tell flat drawings as well, but soft painting hardly or not
at all, and a film's grain turns them round.
"""

import dataclasses
from typing import NamedTuple

import cv2
import numpy as np

from data_pipeline.edge_smoothing import Smoothing, edge_pixels, edge_region

_FLAT_LEVELS = 4  # JPEG and PNG of a flat area differ by less
_LEAST_COLOUR_PERCENTILE = 20


class PictureStatistics(NamedTuple):
    """Of a photo or a cartoon.

    Attributes:
      brightness: mean grey level, 0 to 255.
      contrast: standard deviation of the grey levels.
      saturation: mean of HSV's, 0 to 1.
      edge_share: of the pixels, that Canny finds on an edge, 0 to 1.
      flat_share: of the pixels, whose 3x3 neighbourhood is of one grey, within 4 levels; 0 to 1.
      fine_detail: what is lost at half the size over what is lost at an eighth. Pictures are at 0.23 to 0.55; enlarged
        to twice their size or more, below 0.15.
      outlines: how much there is of thin dark lines over thin light ones, as a logarithm; 0: as much.
      least_colour: the chroma (CIELAB) that a fifth of the pixels keep below: photos have more that is nearly grey.
    """

    brightness: float
    contrast: float
    saturation: float
    edge_share: float
    flat_share: float
    fine_detail: float
    outlines: float
    least_colour: float


class SmoothingStatistics(NamedTuple):
    """Of a cartoon and its smoothed twin.

    Attributes:
      region_share: of the pixels, that lie in the edge region, 0 to 1.
      smoothing_change: mean absolute difference inside the region, in levels of 0 to 255; 0 without a region.
      changed_share: of the pixels, that differ; 0 to 1.
    """

    region_share: float
    smoothing_change: float
    changed_share: float


@dataclasses.dataclass(frozen=True)
class Measured:
    """A set of photos or of cartoons.

    Attributes:
      num_examples: how many records there are.
      num_pictures: how many pictures they were cut out of.
      num_skipped: pictures left out, by reason.
      statistics: float [N] for N examples spread over them, by the names above; `side_px` is the side of each one's
        square in the picture that it was cut out of.
    """

    num_examples: int
    num_pictures: int
    num_skipped: dict[str, int]
    statistics: dict[str, np.ndarray]

    @property
    def num_measured(self) -> int:
        return len(next(iter(self.statistics.values())))

    def mean(self, name: str) -> float:
        return float(self.statistics[name].mean())

    def median(self, name: str) -> float:
        return float(np.median(self.statistics[name]))

    def summary(self) -> dict:
        """What goes into a JSON file."""
        percentiles = {"p10": 10, "median": 50, "p90": 90}
        return {
            "examples": self.num_examples,
            "pictures": self.num_pictures,
            "skipped": self.num_skipped,
            "measured": self.num_measured,
            "statistics": {
                name: {"mean": self.mean(name)}
                | {key: float(np.percentile(values, percent)) for key, percent in percentiles.items()}
                for name, values in self.statistics.items()
            },
        }


def measure_picture(picture: np.ndarray, smoothing: Smoothing) -> PictureStatistics:
    """Measure a picture, uint8 RGB [H, W, 3]; edges are those that `smoothing` asks for."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    mean, deviation = cv2.meanStdDev(grey)
    return PictureStatistics(
        brightness=float(mean[0, 0]),
        contrast=float(deviation[0, 0]),
        saturation=float(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)[..., 1].mean()) / 255,
        edge_share=float(edge_pixels(picture, smoothing).mean()),
        flat_share=_flat_share(grey),
        fine_detail=_fine_detail(grey),
        outlines=_outlines(grey),
        least_colour=_least_colour(picture),
    )


def measure_smoothing(cartoon: np.ndarray, smoothed: np.ndarray, smoothing: Smoothing) -> SmoothingStatistics:
    """Measure what `smoothing` did to a cartoon, both uint8 RGB [H, W, 3]."""
    region = edge_region(cartoon, smoothing)
    difference = cv2.absdiff(cartoon, smoothed)
    return SmoothingStatistics(
        region_share=float(region.mean()),
        smoothing_change=float(difference[region].mean()) if region.any() else 0.0,
        changed_share=float(difference.any(axis=-1).mean()),
    )


def _flat_share(grey: np.ndarray) -> float:
    square = np.ones((3, 3), np.uint8)
    spread = cv2.dilate(grey, square) - cv2.erode(grey, square)
    return float((spread <= _FLAT_LEVELS).mean())


def _fine_detail(grey: np.ndarray) -> float:
    finest, coarse = (_lost_at(grey.astype(np.float32), factor) for factor in (2, 8))
    return (finest + 0.01) / (coarse + 0.01)  # of one colour: 1


def _lost_at(grey: np.ndarray, factor: int) -> float:
    """The mean absolute difference that scaling down by a factor, and up again, makes: float32 [H, W]."""
    height, width = grey.shape
    small = cv2.resize(grey, (max(1, width // factor), max(1, height // factor)), interpolation=cv2.INTER_AREA)
    return float(np.abs(grey - cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)).mean())


def _outlines(grey: np.ndarray) -> float:
    """Lines of up to 2 pixels: what closing by a cross of 3x3 fills, against what opening takes away."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    dark, light = (cv2.morphologyEx(grey, hat, cross).mean() for hat in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT))
    return float(np.log((dark + 0.5) / (light + 0.5)))  # half a level: what rounding makes in flat areas


def _least_colour(picture: np.ndarray) -> float:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    return float(np.percentile(np.hypot(lab[..., 1] - 128, lab[..., 2] - 128), _LEAST_COLOUR_PERCENTILE))
