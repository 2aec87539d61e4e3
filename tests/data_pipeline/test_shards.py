"""Which pictures are held out."""

import random

import pytest

from data_pipeline.shards import plan_shards

FRACTIONS = (0.01, 0.1, 0.34, 0.5, 0.9)


def _split(names, fraction):
    """The names that are trained on, and those that are held out."""
    planned = plan_shards("photos", sorted(names), fraction)
    return [
        {name for shard in planned if shard.split == split for name in shard.names} for split in ("train", "validation")
    ]


def _names(count, seed=0):
    rng = random.Random(seed)
    return [f"{rng.choice('abc')}/{rng.randrange(10**9)}.jpg" for _ in range(count)]


@pytest.mark.parametrize("fraction", FRACTIONS)
@pytest.mark.parametrize("seed", range(5))
def test_what_is_trained_on_is_never_held_out_when_pictures_are_added(fraction, seed):
    """Where there are so few that one must be spared for training, as with 0.9, that one may change."""
    names, trained = _names(1500, seed), set()
    for size in (20, 21, 22, 25, 40, 41, 64, 65, 200, 999, 1500)[0 if fraction <= 0.5 else 6 :]:
        train, held_out = _split(names[:size], fraction)
        assert not trained & held_out, size
        assert train and held_out and train | held_out == set(names[:size]) and not train & held_out
        trained = train


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_the_fraction_is_met_but_for_chance(fraction):
    """Within three standard deviations of 2,000 throws."""
    _, held_out = _split(_names(2000), fraction)
    deviation = (fraction * (1 - fraction) / 2000) ** 0.5
    assert abs(len(held_out) / 2000 - fraction) < 3 * deviation


def test_nothing_is_held_out_unless_it_is_asked_for():
    assert _split(_names(50), 0.0) == [set(_names(50)), set()]


@pytest.mark.parametrize("fraction", [0.001, 0.999])
@pytest.mark.parametrize("seed", range(10))
def test_of_few_pictures_there_is_one_on_either_side(fraction, seed):
    names = _names(3, seed)
    train, held_out = _split(names, fraction)
    assert sorted((len(train), len(held_out))) == [1, 2] and len(held_out) == (1 if fraction < 0.5 else 2)
    assert _split(names[:1], fraction) == [set(names[:1]), set()]
    assert _split([], fraction) == [set(), set()]
