"""Each warning: it appears where it should, names the remedy, and stays away elsewhere."""

import dataclasses

import numpy as np
import pytest

from data_pipeline import problems
from data_pipeline.picture_statistics import MeasuredSet
from data_pipeline.prepare import PreparationConfig

# By name: mean and deviation of photos, then of cartoons, as real ones have them.
USUAL = {
    "side_px": (600, 40, 560, 40),
    "brightness": (119, 30, 142, 30),
    "contrast": (50, 10, 45, 10),
    "saturation": (0.33, 0.1, 0.4, 0.1),
    "edge_share": (0.11, 0.03, 0.09, 0.03),
    "flat_share": (0.3, 0.1, 0.3, 0.1),
    "fine_detail": (0.43, 0.05, 0.39, 0.05),
    "outlines": (0.0, 0.2, 0.25, 0.2),
    "least_colour": (8, 5, 15, 6),
}
CARTOONS_ALONE = {"region_share": (0.38, 0.1), "smoothing_change": (9, 2), "changed_share": (0.37, 0.1)}


def _sets(num_measured=60, num_examples=3000, num_pictures=3000, seed=0):
    rng = np.random.default_rng(seed)

    def measured(values):
        statistics = {name: rng.normal(mean, deviation, num_measured) for name, (mean, deviation) in values.items()}
        return MeasuredSet(num_examples, num_pictures, {}, statistics)

    photos = measured({name: values[:2] for name, values in USUAL.items()})
    return photos, measured({name: values[2:] for name, values in USUAL.items()} | CARTOONS_ALONE)


def _with(measured, **statistics):
    changed = {name: np.full(measured.num_measured, value) for name, value in statistics.items()}
    return dataclasses.replace(measured, statistics=measured.statistics | changed)


def _find(photos, cartoons, **parameters):
    return {each.name: each.text for each in problems.find(photos, cartoons, PreparationConfig(**parameters))}


def _as_cartoons(photos, cartoons):
    """Photos in the cartoons' place: with their own look, and some smoothing."""
    missing = {name: cartoons.statistics[name] for name in CARTOONS_ALONE}
    return dataclasses.replace(photos, statistics=photos.statistics | missing)


def test_usual_sets_have_no_problem():
    for seed in range(5):
        assert not _find(*_sets(seed=seed)), seed


def test_swapped_folders():
    for seed in range(5):
        photos, cartoons = _sets(seed=seed)
        problems_found = _find(cartoons, _as_cartoons(photos, cartoons))
        assert list(problems_found) == ["swapped"], seed
        assert "--photos_dir and --cartoons_dir" in problems_found["swapped"]


def test_two_sets_of_one_kind_are_not_called_swapped():
    warned = 0
    for seed in range(40):
        photos, cartoons = _sets(seed=seed)
        others, _ = _sets(seed=1000 + seed)
        warned += "swapped" in _find(photos, _as_cartoons(others, cartoons))
    assert warned <= 6


def test_a_handful_of_pictures_is_not_judged_by_chance():
    warned = 0
    for seed in range(40):
        photos, cartoons = _sets(num_measured=4, seed=seed)
        warned += "swapped" in _find(photos, cartoons)
    assert warned <= 1


def _with_drawn_measures(measured, values):
    return dataclasses.replace(measured, statistics={name: np.array(values) for name in ("outlines", "least_colour")})


def test_drawn_more_is_a_share_of_pairs():
    photos, cartoons = _sets()
    assert problems.drawn_more(cartoons, photos) + problems.drawn_more(photos, cartoons) == pytest.approx(1)
    assert problems.drawn_more(photos, photos) == pytest.approx(0.5)
    assert problems.drawn_more(_with(cartoons, outlines=99, least_colour=-99), photos) == pytest.approx(0.5)
    some = _with_drawn_measures(photos, [1, 2, 3])
    others = _with_drawn_measures(photos, [2, 2, 0])
    assert problems.drawn_more(some, others) == pytest.approx((1 + 2 + 3) / 9)  # equal ones count half


@pytest.mark.parametrize("kind, other", [("photos", "cartoons"), ("cartoons", "photos")])
def test_too_few_pictures_and_how_to_get_more(kind, other):
    def find(examples, pictures, **parameters):
        sets = dict(zip(("photos", "cartoons"), _sets(), strict=True))
        sets[kind] = dataclasses.replace(sets[kind], num_examples=examples, num_pictures=pictures)
        texts = _find(**sets, **parameters)
        assert f"few_{other}" not in texts
        return texts.get(f"few_{kind}")

    assert find(500, 500) is None
    text = find(120, 120)
    assert f"120 {kind}" in text and "--crops_per_image=4" in text
    assert "--crops_per_image" not in find(120, 120, image_size=512)  # the pictures have no room for more
    assert ("5,402" in text) == (kind == "photos") and ("films" in text) == (kind == "cartoons")
    text = find(300, 120, crops_per_image=4)
    assert f"300 {kind}" in text and "120 pictures" in text and "--crops_per_image=16" in text
    assert "--crops_per_image" not in find(30, 30)
    assert f"5,000 {kind}" in find(5000, 30) and "30 pictures" in find(5000, 30)


@pytest.mark.parametrize("kind", ["photos", "cartoons"])
def test_all_from_one_source(kind):
    def find(examples, pictures):
        sets = dict(zip(("photos", "cartoons"), _sets(), strict=True))
        sets[kind] = dataclasses.replace(sets[kind], num_examples=examples, num_pictures=pictures)
        return _find(**sets)

    name = f"one_source_{kind}"
    assert "one picture" in find(600, 1)[name] and "4 pictures" in find(600, 4)[name]
    assert name not in find(600, 10) and name not in find(4, 4)


def test_edges_nearly_absent():
    photos, cartoons = _sets()
    text = _find(photos, _with(cartoons, edge_share=0.01), canny_low=60)["few_edges"]
    assert "1.0%" in text and "--canny_low=30 --canny_high=100" in text
    high = _find(photos, _with(cartoons, edge_share=0.01), canny_low=400, canny_high=900)["few_edges"]
    assert "--canny_low=100 --canny_high=200" in high
    assert "few_edges" not in _find(photos, _with(cartoons, edge_share=0.03))
    assert "few_edges" not in _find(_with(photos, edge_share=0.001), cartoons)


def test_edges_everywhere():
    photos, cartoons = _sets()
    text = _find(photos, _with(cartoons, region_share=0.95))["edges_everywhere"]
    assert "95%" in text and "--canny_low=200 --canny_high=400" in text
    low = _find(photos, _with(cartoons, region_share=0.95), canny_low=1, canny_high=5)["edges_everywhere"]
    assert "--canny_low=100 --canny_high=200" in low
    assert "edges_everywhere" not in _find(photos, _with(cartoons, region_share=0.7))


def test_smoothing_without_effect():
    photos, cartoons = _sets()
    text = _find(photos, _with(cartoons, smoothing_change=1.0))["no_smoothing"]
    assert "1.0 of 255" in text and "--smoothing_kernel_px=9 --edge_dilation_px=7" in text
    assert "no_smoothing" not in _find(photos, _with(cartoons, smoothing_change=3.0))
    without_edges = _find(photos, _with(cartoons, smoothing_change=0.0, edge_share=0.0))
    assert list(without_edges) == ["few_edges"]  # which is why


def test_light_and_colour():
    photos, cartoons = _sets()
    for name, statistic, unusual, usual in (
        ("dark", "brightness", 30, 60),
        ("bright", "brightness", 230, 190),
        ("grey", "saturation", 0.01, 0.1),
    ):
        assert list(_find(_with(photos, **{statistic: unusual}), cartoons)) == [f"{name}_photos"]
        assert list(_find(photos, _with(cartoons, **{statistic: unusual}))) == [f"{name}_cartoons"]
        assert not _find(_with(photos, **{statistic: usual}), _with(cartoons, **{statistic: usual})), name


def test_many_enlarged_pictures():
    photos, cartoons = _sets()
    detail = photos.statistics["fine_detail"].copy()
    detail[:20] = 0.1
    text = _find(_with(photos, fine_detail=detail), cartoons)["enlarged_photos"]
    assert "33%" in text and "--image_size" in text
    detail[5:20] = 0.3
    assert not _find(_with(photos, fine_detail=detail), cartoons)
