from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cartoongan_tf.base.errors import InputError
from data_pipeline.frames import film_analysis, key_frames
from data_pipeline.frames.bars import PictureArea
from data_pipeline.frames.film_analysis import FilmAnalysis
from data_pipeline.frames.key_frames import FrameChoiceConfig, choose


def _film(sharpness, cuts=(0,), brightness=100, contrast=50, is_text=False, seed=0, frame_hashes=None, rate=2):
    """Make the analysis of a film at `rate` frames a second with these measures; each shot has its own hash."""
    frames = np.zeros(len(sharpness), film_analysis.FRAME_RECORD)
    frames["pts"] = np.arange(len(sharpness))
    frames["begins"][list(cuts)] = True
    frames["sharpness"] = sharpness
    frames["brightness"] = brightness
    frames["contrast"] = contrast
    frames["is_text"] = is_text
    rng = np.random.default_rng(seed)
    shot_hashes = rng.integers(0, 256, (len(sharpness), 32), np.uint8)[np.cumsum(frames["begins"]) - 1]
    frames["hash"] = shot_hashes if frame_hashes is None else frame_hashes
    return FilmAnalysis(frames, Fraction(1, rate), len(frames), (90, 160), PictureArea(0, 90, 0, 160), [])


def _taken(shots):
    return [index for shot in shots for index in shot.taken]


def _reasons(shots):
    return [reason for shot in shots for reason in shot.reasons]


def _choose(film, **flags):
    return choose([film], ["film"], FrameChoiceConfig(**flags))


def test_of_each_shot_the_sharpest_frame_is_taken():
    shots = _choose(_film([1.0, 1.3, 1.2, 0.9, 0.8, 1.1], cuts=(0, 3)))
    assert _taken(shots) == [1, 5]
    assert set(_reasons(shots)) == {"", "less sharp"}
    assert [(shot.first, shot.end) for shot in shots] == [(0, 3), (3, 6)]


def test_several_frames_come_from_equal_parts_of_the_shot():
    sharpness = [1.0, 1.5, 1.4, 1.1, 0.9, 1.0, 0.8, 1.2, 1.0]
    assert _taken(_choose(_film(sharpness), frames_per_shot=3, duplicate_bits=-1)) == [1, 3, 7]
    assert _taken(_choose(_film([1, 2], cuts=(0,)), frames_per_shot=5, duplicate_bits=-1)) == [0, 1]


def test_every_rule_has_its_reason_and_its_switch():
    values = {
        "sharpness": [1.0, 2.0, 0.3, 2.0, 2.0],
        "brightness": [100, 100, 100, 100, 5],
        "contrast": [50, 30, 50, 50, 50],
        "is_text": [False, False, False, True, False],
    }
    film = _film(**values)
    assert _reasons(_choose(film)) == ["", "faded", "blurred", "text", "black"]
    assert _taken(_choose(film, min_brightness=0)) == [4]
    assert _taken(_choose(film, drop_text=False)) == [3]
    assert "blurred" not in _reasons(_choose(film, min_sharpness=0))
    blank = _film([1, 1], contrast=[50, 3])
    assert _reasons(_choose(blank)) == ["", "black"]
    assert "black" not in _reasons(_choose(blank, min_contrast=0))


def test_a_fade_is_told_by_the_shots_own_best_contrast():
    fade = [10, 20, 29, 40, 40, 40, 20, 10]
    assert _reasons(_choose(_film([2, 2, 2, 1, 1.1, 1, 2, 2], contrast=fade)))[:3] == ["faded"] * 3
    pale = _film([2, 2, 2, 1, 1], contrast=[10, 10, 10, 40, 40], cuts=(0, 3))
    assert "faded" not in _reasons(_choose(pale))  # that is how the first shot is
    assert _taken(_choose(_film([1, 1], contrast=[30, 90], is_text=[False, True]))) == [0]  # a title's does not count


def test_shots_with_black_between_them_are_two():
    light = [0, 0, 90, 90, 0, 0, 90, 90, 0]
    shots = _choose(_film([1] * 9, brightness=light, frame_hashes=_different(9)))
    assert [(shot.first, shot.end) for shot in shots] == [(0, 6), (6, 9)]
    assert _taken(shots) == [2, 6]


def _different(num_frames):
    return np.random.default_rng(5).integers(0, 256, (num_frames, 32), np.uint8)


def test_a_picture_seen_before_in_any_film_is_dropped():
    near = np.zeros((4, 32), np.uint8)
    near[1, :5] = 255  # 40 bits
    near[2, :6] = 255  # 48 bits, but 8 from frame 1
    near[3, 16:] = 255
    first = _film([1] * 4, cuts=range(4), frame_hashes=near)
    second = _film([1], frame_hashes=near[3:])
    shots = choose([first, second], ["a", "b"], FrameChoiceConfig())
    duplicates = ["", "near-duplicate of a-00-00-00.000", "", "", "near-duplicate of a-00-00-01.500"]
    assert _reasons(shots) == duplicates
    assert len(_taken(_choose(first, duplicate_bits=-1))) == 4
    assert key_frames.totals(shots) == {"near-duplicate": 2}


def test_the_frames_of_a_quick_fade_are_no_shots_though_each_looks_like_a_cut():
    contrast = [50] * 6 + [40, 28, 16] + [50] * 6
    film = _film([1.0, 1.2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.1, 1, 1, 1], contrast=contrast, cuts=(0, 6, 7, 8, 9), rate=12)
    shots = _choose(film)
    assert _taken(shots) == [1, 11] and [shot.first for shot in shots] == [0, 6]
    assert _reasons(shots)[7:9] == ["faded"] * 2


def test_the_limit_is_spread_over_all_of_the_set():
    expected = {
        0: list(range(10)),
        1: [5],
        2: [2, 7],
        3: [1, 5, 8],
        7: [0, 2, 3, 5, 6, 7, 9],
        10: list(range(10)),
        11: list(range(10)),
    }
    for max_frames, indices in expected.items():
        shots = _choose(_film([1] * 10, cuts=range(10)), max_frames=max_frames)
        assert _taken(shots) == indices, max_frames
        assert _reasons(shots).count("over --max_frames") == 10 - len(indices)


def test_spans_say_from_when_to_when():
    film = _film([1, 1, 2, 1], brightness=[0, 0, 90, 90], rate=10)
    (shot,) = _choose(film)
    assert key_frames.spans(shot, film) == [
        {"from": 0.0, "to": 0.2, "why": "black"},
        {"from": 0.3, "to": 0.4, "why": "less sharp"},
    ]


def test_a_film_of_nothing_usable_has_no_frame():
    shots = _choose(_film([0.1, 0.2], contrast=[2, 50]))
    assert _taken(shots) == [] and _reasons(shots) == ["black", "blurred"]


def test_timecodes():
    timecodes = {0: "00:00:00.000", 754.567: "00:12:34.567", 59.9996: "00:01:00.000", 36000.5: "10:00:00.500"}
    for secs, text in timecodes.items():
        assert key_frames.timecode(secs) == text
        assert key_frames.frame_name("film", secs) == f"film-{text.replace(':', '-')}"


def test_films_of_one_name_have_frames_of_several():
    films = [Path("a/film.mp4"), Path("b/Film.mkv"), Path("other.mp4"), Path("c/film.mp4")]
    names = key_frames.film_names(films)
    assert names[0] == "film" and names[2] == "other" and len({name.casefold() for name in names}) == 4
    assert names[1].startswith("Film-") and names[3].startswith("film-")
    assert key_frames.film_names(films[:2]) == names[:2]  # whatever comes after them


def test_impossible_flags_are_named():
    impossible = {"frames_per_shot": 0, "max_frames": -1, "duplicate_bits": -2, "min_sharpness": -0.1}
    for flag, value in impossible.items():
        with pytest.raises(InputError, match=f"--{flag}={value}"):
            FrameChoiceConfig(**{flag: value})
