"""What a person should know before training on measured records: each finding says what, why, and what to do.

Thresholds were calibrated on photos, on the soft paintings of Pepper&Carrot, on flat drawings, and on all of these with
grain, dimmed, faded and enlarged, at 96 and 256 pixels: `python -m benchmarks.swapped_folders` shows how well.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from data_pipeline.picture_statistics import Measured
from data_pipeline.prepare import PreparationConfig

MIN_EXAMPLES = 500
MIN_SOURCES = 100  # pictures that they are cut out of
MIN_PICTURES = 10
_FEW_EDGES, _EDGES_EVERYWHERE = 0.02, 0.8  # median share of edge pixels; of the edge region
_NO_CHANGE = 2.0  # grey levels, inside the region
_DARK, _BRIGHT = 45, 210  # mean grey level
_GREY = 0.06  # mean saturation
_ENLARGED_DETAIL, _MANY = 0.15, 0.2
_SWAPPED_MARGIN = 0.07


class Finding(NamedTuple):
    """A warning.

    Attributes:
      name: of its kind, for programs.
      text: for people.
    """

    name: str
    text: str


def find(photos: Measured, cartoons: Measured, preparation: PreparationConfig) -> list[Finding]:
    """What is wrong, or may be, with a training set; gravest first."""
    sets = {"photos": photos, "cartoons": cartoons}
    findings = list(_swapped(photos, cartoons))
    for kind, measured in sets.items():
        findings += _too_few(kind, measured, preparation)
        findings += _one_source(kind, measured)
    findings += [*_edges(cartoons, preparation), *_smoothing(cartoons, preparation)]
    for kind, measured in sets.items():
        findings += [*_light(kind, measured), *_grey(kind, measured), *_enlarged(kind, measured)]
    return findings


def look_swapped(photos: Measured, cartoons: Measured) -> bool:
    """Whether the photos look more drawn than the cartoons, by more than chance explains where both look alike."""
    num_photos, num_cartoons = photos.num_measured, cartoons.num_measured
    deviation = math.sqrt((num_photos + num_cartoons + 1) / (12 * num_photos * num_cartoons) / 2)  # of two measures
    return drawn_more(cartoons, photos) < 0.5 - max(_SWAPPED_MARGIN, 1.65 * deviation)


def drawn_more(cartoons: Measured, photos: Measured) -> float:
    """The probability that a cartoon looks more drawn than a photo: 1 for flat drawings with outlines, 0 if swapped.

    The mean over two measures, each of which holds where the other fails: dark outlines, whatever the colours (grain
    and enlarging take them away), and how little is grey, whatever the lines (faded colours).
    """
    return float(np.mean([share_above(cartoons, photos, name) for name in ("outlines", "least_colour")]))


def share_above(cartoons: Measured, photos: Measured, name: str) -> float:
    """The probability that the one of a random pair is above the other."""
    others = np.sort(photos.statistics[name])
    num_below = [np.searchsorted(others, cartoons.statistics[name], side) for side in ("left", "right")]
    return float(np.mean(num_below) / len(others))  # equal ones count half


def _swapped(photos: Measured, cartoons: Measured) -> Iterator[Finding]:
    if look_swapped(photos, cartoons):
        drawn = drawn_more(cartoons, photos)
        yield Finding(
            "swapped",
            f"The photos look more drawn than the cartoons: by outlines and colour, the cartoon is the drawn one in "
            f"{drawn:.0%} of random pairs, which should be well over half. If --photos_dir and --cartoons_dir were "
            "swapped, the network would learn to make photos of cartoons. Look at the contact sheet; if they were, "
            "build again.",
        )


def _too_few(kind: str, measured: Measured, preparation: PreparationConfig) -> Iterator[Finding]:
    if measured.num_examples >= MIN_EXAMPLES and measured.num_pictures >= MIN_SOURCES:
        return
    pictures = "" if measured.num_pictures == measured.num_examples else f", out of {measured.num_pictures} pictures"
    paper = "5,402" if kind == "photos" else "2,300 to 4,600 frames"
    yield Finding(
        f"few_{kind}",
        f"Only {measured.num_examples:,} {kind}{pictures}; the paper trained on {paper}, and a discriminator may "
        f"learn fewer than {MIN_EXAMPLES} by heart. {_how_to_get_more(kind, measured, preparation)}",
    )


def _how_to_get_more(kind: str, measured: Measured, preparation: PreparationConfig) -> str:
    more = "photos" if kind == "photos" else "films or episodes in the same style (data_pipeline.extract_frames)"
    has_room = measured.num_pictures >= MIN_SOURCES and measured.median("side_px") >= 2 * preparation.image_size
    crops = 4 * preparation.crops_per_image
    return f"Add more {more}" + (f", or cut more squares out of each: --crops_per_image={crops}." if has_room else ".")


def _one_source(kind: str, measured: Measured) -> Iterator[Finding]:
    if measured.num_pictures < MIN_PICTURES and measured.num_examples > measured.num_pictures:
        pictures = "one picture" if measured.num_pictures == 1 else f"{measured.num_pictures} pictures"
        yield Finding(
            f"one_source_{kind}",
            f"All {measured.num_examples} {kind} are cut out of {pictures}: the network would learn what these show, "
            f"not what {kind} look like. Add pictures of other scenes.",
        )


def _edges(cartoons: Measured, preparation: PreparationConfig) -> Iterator[Finding]:
    edges, region = cartoons.median("edge_share"), cartoons.median("region_share")
    if edges < _FEW_EDGES:
        yield Finding(
            "few_edges",
            f"Edges are nearly absent: Canny finds {edges:.1%} of a typical cartoon's pixels on an edge (ink on paint: "
            "5 to 15%), so the network hardly learns clear edges. For soft drawings lower the thresholds, e.g. "
            f"{_thresholds(preparation, 0.5, min)}.",
        )
    elif region > _EDGES_EVERYWHERE:
        yield Finding(
            "edges_everywhere",
            f"Edges are everywhere: {region:.0%} of a typical cartoon lies in the edge region, as grain and "
            "compression noise make it, so the smoothed cartoons are blurred all over and clear edges mean nothing. "
            f"Use a cleaner source, or raise the thresholds, e.g. {_thresholds(preparation, 2, max)}; a smaller "
            f"--edge_dilation_px than {preparation.edge_dilation_px} may help, too.",
        )


def _thresholds(preparation: PreparationConfig, factor: float, choose: Callable) -> str:
    """Canny's, changed by a factor, and at least back to the defaults."""
    low, high = (
        choose(round(factor * getattr(preparation, name)), getattr(PreparationConfig, name))
        for name in ("canny_low", "canny_high")
    )
    return f"--canny_low={low} --canny_high={high}"


def _smoothing(cartoons: Measured, preparation: PreparationConfig) -> Iterator[Finding]:
    change = cartoons.median("smoothing_change")
    if change < _NO_CHANGE and cartoons.median("edge_share") >= _FEW_EDGES:
        yield Finding(
            "no_smoothing",
            f"Smoothing has no visible effect: near edges a typical cartoon changes by {change:.1f} of 255 levels (ink "
            "on paint: 8 to 20), so the network is shown the same picture as right and as wrong. Blur more, e.g. "
            f"--smoothing_kernel_px={preparation.smoothing_kernel_px + 4} "
            f"--edge_dilation_px={preparation.edge_dilation_px + 2}.",
        )


def _light(kind: str, measured: Measured) -> Iterator[Finding]:
    brightness = measured.mean("brightness")
    if _DARK <= brightness <= _BRIGHT:
        return
    name, others = ("dark", "lighter") if brightness < _DARK else ("bright", "darker")
    yield Finding(
        f"{name}_{kind}",
        f"The {kind} are very {name}: their mean is {brightness:.0f} of 255 (usually 80 to 170), and what the network "
        f"draws depends on it. Add {others} ones, or leave out such scenes.",
    )


def _grey(kind: str, measured: Measured) -> Iterator[Finding]:
    saturation = measured.mean("saturation")
    if saturation < _GREY:
        why = "the network will draw in grey" if kind == "cartoons" else "the network will not know colours"
        yield Finding(
            f"grey_{kind}",
            f"The {kind} are grey: their mean saturation is {saturation:.0%} (usually 25 to 45%), so {why}. Unless "
            "that is what you want, use pictures in colour.",
        )


def _enlarged(kind: str, measured: Measured) -> Iterator[Finding]:
    share = float((measured.statistics["fine_detail"] < _ENLARGED_DETAIL).mean())
    if share > _MANY:
        yield Finding(
            f"enlarged_{kind}",
            f"{share:.0%} of the {kind} have no fine detail, as if enlarged to twice their size or more, or out of "
            "focus, and the network would learn that blur. Use larger originals, or build with a smaller --image_size; "
            "--min_side_px leaves out small pictures.",
        )
