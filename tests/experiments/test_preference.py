import csv

import numpy as np
import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from experiments import preference, preference_count
from experiments.preference_count import ANSWER_FIELDS, KEY_FIELDS, Answer
from tests.helpers import draw


def _answers(shares, a="ink", b="pepper"):
    """An answer to each photo: what `a` won there."""
    return [Answer(f"{number}.jpg", a, b, share, {}) for number, share in enumerate(shares)]


def test_shares_count_wins_on_either_side_and_halves():
    answers = [*_answers([1, 1, 0.5, 0]), *_answers([0, 0], "pepper", "ink"), *_answers([1], "hayao", "ink")]
    share = preference_count.count(answers, "ink", "pepper")
    assert share.value == pytest.approx((1 + 1 + 0.5 + 0 + 1 + 1) / 6) and share.num_pairs == 6
    assert preference_count.count(answers, "pepper", "ink").value == pytest.approx(1 - share.value)
    assert preference_count.count(answers, "ink").value == pytest.approx(4.5 / 7)
    assert preference_count.count(answers, "hayao", "pepper") is None


def test_intervals_are_those_of_other_photos():
    """Coins decide 40 photos: the interval is as wide as chance makes it, however many viewers are asked."""
    coins = np.random.default_rng(0).integers(2, size=40).astype(float)
    share = preference_count.count(_answers(coins), "ink")
    assert share.low == pytest.approx(share.value - 0.155, abs=0.04)
    assert share.high == pytest.approx(share.value + 0.155, abs=0.04)
    many_viewers = preference_count.count(_answers(coins) * 10, "ink")
    assert many_viewers.high - many_viewers.low == pytest.approx(share.high - share.low, abs=1e-6)
    assert preference_count.count(_answers([1.0] * 10), "ink")[:3] == (1, 1, 1)


def test_each_pair_of_methods_is_shown_once_for_each_photo_on_either_side():
    pairs = preference.choose_pairs(["a", "b", "c"], "", 20, np.random.default_rng(0))
    assert len(pairs) == 60 == len({(pair.photo, *sorted(pair[1:])) for pair in pairs})
    assert 15 < sum(pair.a < pair.b for pair in pairs) < 45
    assert [pair.photo for pair in pairs] != sorted(pair.photo for pair in pairs)
    pairs = preference.choose_pairs(["a", "b", "c"], "b", 20, np.random.default_rng(0))
    assert len(pairs) == 40 and all("b" in pair[1:] for pair in pairs)
    with pytest.raises(InputError, match="--of=d"):
        preference.choose_pairs(["a", "b", "c"], "d", 20, np.random.default_rng(0))


@pytest.fixture
def shown(narrow_path, tmp_path):
    """A folder with the pairs of three photos, in the bundled style and by two classical methods."""
    for seed in range(3):
        pictures.write_picture(tmp_path / "photos" / f"day{seed}" / "photo.png", draw(seed, 40, 60))
    folder = tmp_path / "preference"
    flags = [f"--photos_dir={tmp_path / 'photos'}", f"--model=small={narrow_path}", f"--output_dir={folder}"]
    assert preference.main(["x", *flags, "--num_viewers=2"]) == 0
    return folder


def _read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_answers_are_counted(shown, capsys):
    key = {row["pair"]: row for row in _read(shown / "key.csv")}
    assert {row["photo"] for row in key.values()} == {f"day{seed}/photo.png" for seed in range(3)}
    assert list(key["1"]) == list(KEY_FIELDS) and len(key) == 9 == len(list((shown / "pairs").glob("*.jpg")))
    assert pictures.read_picture(shown / "pairs" / "001.jpg").shape[1] > 3 * 500
    orders = []
    for viewer in (1, 2):
        rows = _read(shown / f"answers-{viewer}.csv")
        orders.append([row["pair"] for row in rows])
        for row in rows:
            drawn = key[row["pair"]]
            row["better"] = {"small": "a", "stylization": "="}.get(drawn["a"], " B ")
            row["wrong_with_a"] = f"{drawn['a']} is too dark"
        with (shown / f"answers-{viewer}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ANSWER_FIELDS)
            writer.writeheader()
            writer.writerows(rows[:-1] if viewer == 2 else rows)
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1]) == sorted(key)
    assert preference.main(["x", f"--output_dir={shown}", "--count"]) == 0
    report = (shown / "report.md").read_text()
    assert report in capsys.readouterr().out and "17 answers on 3 photos" in report
    assert all(f"| {name} | " in report for name in ("small", "stylization", "abstraction"))
    (won,) = (float(line.split("|")[2].split("[")[0]) for line in report.splitlines() if line.startswith("| small"))
    expected = preference_count.count(preference_count.read_answers(shown), "small").value
    assert won == pytest.approx(100 * expected, abs=0.5)
    answered = [*orders[0], *orders[1][:-1]]
    assert report.count("stylization is too dark") == sum(key[pair]["a"] == "stylization" for pair in answered)


def test_what_cannot_be_counted_is_named(shown, capsys):
    assert preference.main(["x", f"--output_dir={shown}", "--count"]) == 1
    assert "fill in the column better" in capsys.readouterr().err
    path = shown / "answers-1.csv"
    path.write_text(path.read_text().replace(",,,", ",left,,", 1))
    assert preference.main(["x", f"--output_dir={shown}", "--count"]) == 1
    assert "'left'" in capsys.readouterr().err
    (shown / "answers-1.csv").write_text("number,answer\n1,A\n")
    assert preference.main(["x", f"--output_dir={shown}", "--count"]) == 1
    assert "number, answer" in capsys.readouterr().err


def test_flags_that_cannot_be_used(shown, tmp_path, capsys):
    for flags, status, complaint in (
        ([f"--output_dir={tmp_path / 'new'}"], 2, "--photos_dir is missing"),
        ([f"--output_dir={tmp_path / 'new'}", "--photos_dir=photos"], 2, "--model is missing"),
        ([f"--output_dir={tmp_path / 'new'}", "--count"], 1, "key.csv"),
        ([f"--output_dir={shown}", "--photos_dir=photos", "--model=pepper"], 1, "--output_dir"),
    ):
        assert preference.main(["x", *flags]) == status, flags
        assert complaint in capsys.readouterr().err, flags
