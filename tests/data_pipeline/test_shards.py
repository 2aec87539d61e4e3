"""The assignment of pictures to shards."""

import random

import pytest

from data_pipeline.near_duplicates import NearDuplicates
from data_pipeline.prepare import Prepared, Skip
from data_pipeline.shards import explain_missing_examples, plan_shards, skip_duplicates

FRACTIONS = (0.01, 0.1, 0.34, 0.5, 0.9)


def _split(names, fraction):
    """Return the names that are trained on, and those that are held out."""
    planned = plan_shards("photos", sorted(names), fraction)
    return [
        {name for shard in planned if shard.split == split for name in shard.names} for split in ("train", "validation")
    ]


def _names(count, seed=0):
    rng = random.Random(seed)
    return [f"{rng.choice('abc')}/{rng.randrange(10**9)}.jpg" for _ in range(count)]


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_a_picture_that_is_trained_on_is_never_held_out_when_others_are_added(fraction):
    """Where there are so few that one must be spared for training, as with 0.9, that one may change."""
    for seed in range(5):
        names = _names(1500, seed)
        trained = set()
        for size in (20, 21, 22, 25, 40, 41, 64, 65, 200, 999, 1500)[0 if fraction <= 0.5 else 6 :]:
            train, held_out = _split(names[:size], fraction)
            assert not trained & held_out, (seed, size)
            assert train and held_out and train | held_out == set(names[:size]) and not train & held_out
            trained = train


def test_the_fraction_is_met_but_for_chance():
    """Within three standard deviations of 2,000 lots."""
    for fraction in FRACTIONS:
        _, held_out = _split(_names(2000), fraction)
        deviation = (fraction * (1 - fraction) / 2000) ** 0.5
        assert abs(len(held_out) / 2000 - fraction) < 3 * deviation, fraction


def test_nothing_is_held_out_unless_it_is_asked_for():
    assert _split(_names(50), 0.0) == [set(_names(50)), set()]


def test_of_few_pictures_there_is_one_on_either_side():
    for seed in range(10):
        names = _names(3, seed)
        for fraction, num_held_out in ((0.001, 1), (0.999, 2)):
            train, held_out = _split(names, fraction)
            assert (len(train), len(held_out)) == (3 - num_held_out, num_held_out), (seed, fraction)
            assert _split(names[:1], fraction) == [set(names[:1]), set()]
            assert _split([], fraction) == [set(), set()]


def test_shards_hold_each_name_once_and_in_order(monkeypatch):
    monkeypatch.setattr("data_pipeline.shards.FILES_PER_SHARD", 4)
    names = [f"{number:02}.png" for number in range(30)]
    planned = plan_shards("cartoons", names, 0.3)
    for split in ("train", "validation"):
        shards = [shard for shard in planned if shard.split == split]
        assert [shard.file for shard in shards] == [
            f"cartoons-{split}-{number:05}.tfrecord" for number in range(len(shards))
        ]
        assert [len(shard.names) for shard in shards[:-1]] == [4] * (len(shards) - 1)
        names_of_split = [name for shard in shards for name in shard.names]
        assert names_of_split == sorted(names_of_split) and len(set(names_of_split)) == len(names_of_split)
    assert sorted(name for shard in planned for name in shard.names) == names


def test_results_of_duplicates_become_reasons_to_skip():
    remembered = NearDuplicates(max_bits=0)
    unreadable = Skip("unreadable", "damaged")
    results = {"a": Prepared([{}], 1), "b": unreadable, "c": Prepared([{}], 1), "d": Prepared([{}, {}], 2)}
    kept = skip_duplicates(results, remembered.remember)
    assert list(kept) == list(results)
    assert (kept["a"], kept["b"], kept["d"]) == (results["a"], unreadable, results["d"])
    assert kept["c"].reason == "duplicate" and " a " in kept["c"].detail


def test_a_kind_without_examples_is_explained():
    def dataset(num_photos, num_cartoons, asked_for=("photos", "cartoons")):
        skipped = {f"{number}.jpg": ["tiny", "8 x 8 pixels"] for number in range(7)}
        counts = {"photos": num_photos, "cartoons": num_cartoons}
        described = {kind: {"train": {"examples": count}, "skipped": skipped} for kind, count in counts.items()}
        return described | {"input": {kind: {} for kind in asked_for}}

    assert explain_missing_examples(dataset(1, 1)) is None
    assert explain_missing_examples(dataset(1, 0, asked_for=["photos"])) is None
    for counts, kind in (((0, 1), "photos"), ((1, 0), "cartoons")):
        problem = explain_missing_examples(dataset(*counts))
        assert kind in problem and "4.jpg" in problem and "5.jpg" not in problem
