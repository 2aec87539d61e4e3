"""Problems of a training set that a person should know before training. Each says what is wrong, why, and what to do.

The thresholds were calibrated on photos, on the soft paintings of Pepper&Carrot, on flat drawings, and on all of these
with grain, dimmed, faded and enlarged, at 96 and 256 pixels. `python -m benchmarks.swapped_folders` shows the result.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from data_pipeline.picture_statistics import MeasuredSet
from data_pipeline.prepare import PreparationConfig

MIN_EXAMPLES = 500
MIN_SOURCES = 100  # pictures that the examples are cut out of
MIN_PICTURES = 10
_FEW_EDGES = 0.02  # median share of pixels on an edge
_EDGES_EVERYWHERE = 0.8  # median share of pixels in the edge region
_NO_CHANGE = 2.0  # grey levels, in the edge region
_DARK = 45  # mean grey level
_BRIGHT = 210
_GREY = 0.06  # mean saturation
_ENLARGED_DETAIL = 0.15
_MANY_ENLARGED = 0.2  # share of the pictures
_SWAPPED_MARGIN = 0.07
_DRAWN_MEASURES = ("outlines", "least_colour")


class Problem(NamedTuple):
    """A problem of a training set.

    Attributes:
      name: its kind, for programs.
      text: its description, for people.
    """

    name: str
    text: str


def find(photos: MeasuredSet, cartoons: MeasuredSet | None, preparation: PreparationConfig) -> list[Problem]:
    """Find the possible problems of a training set, the most serious first; None: there are no cartoons."""
    sets = {"photos": photos}
    problems: list[Problem] = []
    if cartoons is not None:
        sets["cartoons"] = cartoons
        problems += _swapped(photos, cartoons)
    for kind, measured in sets.items():
        problems += _too_few(kind, measured, preparation)
        problems += _one_source(kind, measured)
    if cartoons is not None:
        problems += _edges(cartoons, preparation)
        problems += _smoothing(cartoons, preparation)
    for kind, measured in sets.items():
        problems += _light(kind, measured)
        problems += _grey(kind, measured)
        problems += _enlarged(kind, measured)
    return problems


def look_swapped(photos: MeasuredSet, cartoons: MeasuredSet) -> bool:
    """Return whether the photos look more drawn than the cartoons, by more than chance explains if both look alike."""
    num_photos = photos.num_measured
    num_cartoons = cartoons.num_measured
    # The standard deviation of `share_above` for equal sets (Mann and Whitney, 1947), for the mean of two measures.
    deviation = math.sqrt((num_photos + num_cartoons + 1) / (12 * num_photos * num_cartoons) / len(_DRAWN_MEASURES))
    return drawn_more(cartoons, photos) < 0.5 - max(_SWAPPED_MARGIN, 1.65 * deviation)


def drawn_more(cartoons: MeasuredSet, photos: MeasuredSet) -> float:
    """Return the probability that a cartoon looks more drawn than a photo.

    It is 1 for flat drawings with outlines, and 0 if the folders are swapped. It is the mean over two measures, each
    of which works where the other fails: dark outlines, whatever the colours (but grain and enlarging remove them), and
    the scarcity of grey, whatever the lines (but not if the colours are faded).
    """
    return float(np.mean([share_above(cartoons, photos, name) for name in _DRAWN_MEASURES]))


def share_above(first: MeasuredSet, second: MeasuredSet, name: str) -> float:
    """Return the probability that a random value of the first set is above one of the second; equal ones count half.

    Args:
      first, second: the sets.
      name: name of the statistic.
    """
    sorted_values = np.sort(second.statistics[name])
    num_below = np.searchsorted(sorted_values, first.statistics[name], "left")
    num_below_or_equal = np.searchsorted(sorted_values, first.statistics[name], "right")
    return float(np.mean([num_below, num_below_or_equal]) / len(sorted_values))


def _swapped(photos: MeasuredSet, cartoons: MeasuredSet) -> Iterator[Problem]:
    if look_swapped(photos, cartoons):
        drawn = drawn_more(cartoons, photos)
        yield Problem(
            "swapped",
            f"The photos look more drawn than the cartoons: by outlines and colour, the cartoon is the drawn one in "
            f"{drawn:.0%} of random pairs, which should be well over half. If --photos_dir and --cartoons_dir were "
            "swapped, the network would learn to turn cartoons into photos. Check the contact sheet; if they were "
            "swapped, build again.",
        )


def _too_few(kind: str, measured: MeasuredSet, preparation: PreparationConfig) -> Iterator[Problem]:
    if measured.num_examples >= MIN_EXAMPLES and measured.num_pictures >= MIN_SOURCES:
        return
    is_cropped = measured.num_pictures != measured.num_examples
    sources = f", cut out of {measured.num_pictures} pictures" if is_cropped else ""
    paper = "5,402" if kind == "photos" else "2,300 to 4,600 frames"
    yield Problem(
        f"few_{kind}",
        f"Only {measured.num_examples:,} {kind}{sources}. The paper trained on {paper}, and a discriminator may "
        f"memorize fewer than {MIN_EXAMPLES}. {_how_to_get_more(kind, measured, preparation)}",
    )


def _how_to_get_more(kind: str, measured: MeasuredSet, preparation: PreparationConfig) -> str:
    more = "photos" if kind == "photos" else "films or episodes in the same style (data_pipeline.extract_frames)"
    has_room = measured.num_pictures >= MIN_SOURCES and measured.median("side_px") >= 2 * preparation.image_size
    if not has_room:
        return f"Add more {more}."
    return f"Add more {more}, or cut more squares out of each: --crops_per_image={4 * preparation.crops_per_image}."


def _one_source(kind: str, measured: MeasuredSet) -> Iterator[Problem]:
    if measured.num_pictures < MIN_PICTURES and measured.num_examples > measured.num_pictures:
        pictures = "one picture" if measured.num_pictures == 1 else f"{measured.num_pictures} pictures"
        yield Problem(
            f"one_source_{kind}",
            f"All {measured.num_examples} {kind} are cut out of {pictures}: the network would learn what these show, "
            f"not what {kind} look like. Add pictures of other scenes.",
        )


def _edges(cartoons: MeasuredSet, preparation: PreparationConfig) -> Iterator[Problem]:
    edge_share = cartoons.median("edge_share")
    region_share = cartoons.median("region_share")
    if edge_share < _FEW_EDGES:
        yield Problem(
            "few_edges",
            f"Edges are nearly absent: Canny finds {edge_share:.1%} of a typical cartoon's pixels on an edge (ink on "
            "paint: 5 to 15%), so the network hardly learns clear edges. For soft drawings lower the thresholds, e.g. "
            f"{_thresholds(preparation, 0.5, min)}.",
        )
    elif region_share > _EDGES_EVERYWHERE:
        yield Problem(
            "edges_everywhere",
            f"Edges are everywhere: {region_share:.0%} of a typical cartoon lies in the edge region, often because of "
            "grain or compression noise. So the smoothed cartoons are blurred all over, and clear edges mean nothing. "
            f"Use a cleaner source, or raise the thresholds, e.g. {_thresholds(preparation, 2, max)}; an "
            f"--edge_dilation_px smaller than {preparation.edge_dilation_px} may help, too.",
        )


def _thresholds(preparation: PreparationConfig, factor: float, choose: Callable) -> str:
    """Return flags with Canny's thresholds, changed by a factor, and at least as far as the defaults.

    Args:
      preparation: the flags that the records were built with.
      factor: the factor.
      choose: `min` to lower the thresholds, `max` to raise them.
    """
    low = choose(round(factor * preparation.canny_low), PreparationConfig.canny_low)
    high = choose(round(factor * preparation.canny_high), PreparationConfig.canny_high)
    return f"--canny_low={low} --canny_high={high}"


def _smoothing(cartoons: MeasuredSet, preparation: PreparationConfig) -> Iterator[Problem]:
    change = cartoons.median("smoothing_change")
    if change < _NO_CHANGE and cartoons.median("edge_share") >= _FEW_EDGES:
        yield Problem(
            "no_smoothing",
            f"Smoothing has no visible effect: near edges a typical cartoon changes by {change:.1f} of 255 levels (ink "
            "on paint: 8 to 20), so the network is shown the same picture as right and as wrong. Blur more, e.g. "
            f"--smoothing_kernel_px={preparation.smoothing_kernel_px + 4} "
            f"--edge_dilation_px={preparation.edge_dilation_px + 2}.",
        )


def _light(kind: str, measured: MeasuredSet) -> Iterator[Problem]:
    brightness = measured.mean("brightness")
    if _DARK <= brightness <= _BRIGHT:
        return
    name = "dark" if brightness < _DARK else "bright"
    others = "lighter" if brightness < _DARK else "darker"
    yield Problem(
        f"{name}_{kind}",
        f"The {kind} are very {name}: their mean is {brightness:.0f} of 255 (usually 80 to 170), and the network's "
        f"cartoons depend on it. Add {others} ones, or remove such scenes.",
    )


def _grey(kind: str, measured: MeasuredSet) -> Iterator[Problem]:
    saturation = measured.mean("saturation")
    if saturation < _GREY:
        effect = "the network's cartoons will be grey" if kind == "cartoons" else "the network will not know colours"
        yield Problem(
            f"grey_{kind}",
            f"The {kind} are grey: their mean saturation is {saturation:.0%} (usually 25 to 45%), so {effect}. Use "
            "pictures in colour, unless that is intended.",
        )


def _enlarged(kind: str, measured: MeasuredSet) -> Iterator[Problem]:
    share = float((measured.statistics["fine_detail"] < _ENLARGED_DETAIL).mean())
    if share > _MANY_ENLARGED:
        yield Problem(
            f"enlarged_{kind}",
            f"{share:.0%} of the {kind} have no fine detail, as if out of focus or enlarged to at least twice their "
            "size, and the network would learn that blur. Use larger originals, or build with a smaller --image_size; "
            "--min_side_px skips small pictures.",
        )
