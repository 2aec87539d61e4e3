"""Measures of training pictures: pure functions of their pixels. Does not import TensorFlow.

Two measures distinguish drawings from photos: `outlines` and `least_colour`. Others might (flat areas, noise, texture,
number of colours, strong edges relative to weak ones), and they do for flat drawings. But they hardly distinguish soft
paintings or not at all, and a film's grain reverses them.
"""

import dataclasses
from typing import NamedTuple

import cv2
import numpy as np

from data_pipeline.edge_smoothing import Smoothing, edge_pixels, edge_region

_FLAT_LEVELS = 4  # JPEG and PNG versions of a flat area differ by less
_LEAST_COLOUR_PERCENTILE = 20
_FINEST_FACTOR = 2
_COARSE_FACTOR = 8
_PERCENTILES = {"p10": 10, "median": 50, "p90": 90}


class PictureStatistics(NamedTuple):
    """Measures of a photo or a cartoon.

    Attributes:
      brightness: mean grey level, 0 to 255.
      contrast: standard deviation of the grey levels.
      saturation: mean saturation in HSV, 0 to 1.
      edge_share: share of the pixels on an edge that Canny finds, 0 to 1.
      flat_share: share of the pixels whose 3x3 neighbourhood has one grey level, within 4 levels; 0 to 1.
      fine_detail: detail lost at half the size divided by detail lost at an eighth. Pictures have 0.23 to 0.55; those
        enlarged to twice their size or more have less than 0.15.
      outlines: logarithm of thin dark lines relative to thin light lines; 0: as many dark as light ones.
      least_colour: chroma (CIELAB) of the greyest fifth of the pixels: photos have more pixels that are nearly grey.
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
    """Measures of a cartoon and its smoothed copy.

    Attributes:
      region_share: share of the pixels in the edge region, 0 to 1.
      smoothing_change: mean absolute difference in the region, in levels of 0 to 255; 0 without a region.
      changed_share: share of the pixels that differ, 0 to 1.
    """

    region_share: float
    smoothing_change: float
    changed_share: float


@dataclasses.dataclass(frozen=True)
class MeasuredSet:
    """The measures of a set of photos or of cartoons.

    Attributes:
      num_examples: number of records.
      num_pictures: number of pictures that they were cut out of.
      num_skipped: number of pictures that were skipped, by reason.
      statistics: float [N] for N evenly spaced examples, by the names above; `side_px` is the side of each example's
        square in its picture.
    """

    num_examples: int
    num_pictures: int
    num_skipped: dict[str, int]
    statistics: dict[str, np.ndarray]

    @property
    def num_measured(self) -> int:
        return len(next(iter(self.statistics.values())))

    def mean(self, name: str) -> float:
        """Return the mean of a statistic."""
        return float(self.statistics[name].mean())

    def median(self, name: str) -> float:
        """Return the median of a statistic."""
        return float(np.median(self.statistics[name]))

    def summary(self) -> dict:
        """Return the content for a JSON file."""
        return {
            "examples": self.num_examples,
            "pictures": self.num_pictures,
            "skipped": self.num_skipped,
            "measured": self.num_measured,
            "statistics": {name: self._summary_of(name) for name in self.statistics},
        }

    def _summary_of(self, name: str) -> dict[str, float]:
        summary = {"mean": self.mean(name)}
        for key, percent in _PERCENTILES.items():
            summary[key] = float(np.percentile(self.statistics[name], percent))
        return summary


def measure_picture(picture: np.ndarray, smoothing: Smoothing) -> PictureStatistics:
    """Measure a picture, uint8 RGB [H, W, 3], with the edge detection of `smoothing`."""
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
    """Measure the difference between a cartoon and its smoothed copy, both uint8 RGB [H, W, 3]."""
    region = edge_region(cartoon, smoothing)
    difference = cv2.absdiff(cartoon, smoothed)
    return SmoothingStatistics(
        region_share=float(region.mean()),
        smoothing_change=float(difference[region].mean()) if region.any() else 0.0,
        changed_share=float(difference.any(axis=-1).mean()),
    )


def _flat_share(grey: np.ndarray) -> float:
    neighbourhood = np.ones((3, 3), np.uint8)
    ranges = cv2.dilate(grey, neighbourhood) - cv2.erode(grey, neighbourhood)
    return float((ranges <= _FLAT_LEVELS).mean())


def _fine_detail(grey: np.ndarray) -> float:
    """Compare the detail that two sizes lose; a picture of one colour has 1."""
    levels = grey.astype(np.float32)
    lost_at_half = _lost_detail(levels, _FINEST_FACTOR)
    lost_at_eighth = _lost_detail(levels, _COARSE_FACTOR)
    return (lost_at_half + 0.01) / (lost_at_eighth + 0.01)


def _lost_detail(grey: np.ndarray, factor: int) -> float:
    """Return the mean absolute change of float32 [H, W] by scaling it down by a factor and up again."""
    height, width = grey.shape
    small = cv2.resize(grey, (max(1, width // factor), max(1, height // factor)), interpolation=cv2.INTER_AREA)
    return float(np.abs(grey - cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)).mean())


def _outlines(grey: np.ndarray) -> float:
    """Compare dark and light lines of up to 2 pixels, which closing and opening by a 3x3 cross remove."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    dark_lines = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, cross).mean()
    light_lines = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, cross).mean()
    return float(np.log((dark_lines + 0.5) / (light_lines + 0.5)))  # half a level, from rounding in flat areas


def _least_colour(picture: np.ndarray) -> float:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    chroma = np.hypot(lab[..., 1] - 128, lab[..., 2] - 128)
    return float(np.percentile(chroma, _LEAST_COLOUR_PERCENTILE))
