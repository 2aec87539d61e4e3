"""The count of answers to `experiments.preference`: shares of pairs won, and what viewers found wrong."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.evaluation.distances import resampling_weights

KEY_FIELDS = ("pair", "photo", "a", "b")
ANSWER_FIELDS = ("pair", "better", "wrong_with_a", "wrong_with_b")
_SHARES = {"A": 1.0, "=": 0.5, "B": 0.0}  # what A wins
_NUM_RESAMPLINGS = 2000


class Answer(NamedTuple):
    """A viewer's answer to one pair.

    Attributes:
      photo: name of the photo.
      a, b: methods that drew it.
      share: what `a` won of the pair: 1, a half or 0.
      complaints: what is wrong with the drawing of each method, by its name.
    """

    photo: str
    a: str
    b: str
    share: float
    complaints: dict[str, str]


class Share(NamedTuple):
    """The share of pairs that a method won, with the bounds of its 95 % interval, 0 to 1."""

    value: float
    low: float
    high: float
    num_pairs: int


def read_answers(folder: Path) -> list[Answer]:
    """Read all answers that viewers gave; pairs that they left out are skipped.

    Raises:
      InputError: there is no key or no answer, or an answer cannot be understood.
    """
    key = {row["pair"]: row for row in _read_table(folder / "key.csv", KEY_FIELDS)}
    answers = []
    for path in sorted(folder.glob("answers-*.csv")):
        for row in _read_table(path, ANSWER_FIELDS):
            better = row["better"].strip().upper()
            if not better:
                continue
            if row["pair"] not in key or better not in _SHARES:
                raise InputError(
                    f"{path}: pair {row['pair']} has {row['better']!r}; write A, B or = for a pair of key.csv"
                )
            drawn = key[row["pair"]]
            complaints = {drawn["a"]: row["wrong_with_a"].strip(), drawn["b"]: row["wrong_with_b"].strip()}
            answers.append(Answer(drawn["photo"], drawn["a"], drawn["b"], _SHARES[better], complaints))
    if not answers:
        raise InputError(f"{folder}: no answer in any answers-N.csv; fill in the column better")
    return answers


def count(answers: Sequence[Answer], method: str, other: str = "") -> Share | None:
    """Return the share of pairs that a method won against another one, or against all; None without such a pair."""
    photos = sorted({answer.photo for answer in answers})
    won = np.zeros(len(photos))
    shown = np.zeros(len(photos))
    for answer in answers:
        names = (answer.a, answer.b)
        if method in names and (not other or other in names):
            number = photos.index(answer.photo)
            won[number] += answer.share if answer.a == method else 1 - answer.share
            shown[number] += 1
    if not shown.any():
        return None
    weights = resampling_weights(len(photos), _NUM_RESAMPLINGS, (0,))
    usable = weights @ shown > 0
    shares = (weights @ won)[usable] / (weights @ shown)[usable]
    low, high = np.percentile(shares[1:], [2.5, 97.5])
    return Share(float(shares[0]), float(low), float(high), int(shown.sum()))


def report(folder: Path) -> str:
    """Return the report of a folder's answers as Markdown; the methods in it are in the order of their shares.

    Raises:
      InputError: from `read_answers`.
    """
    answers = read_answers(folder)
    totals: dict[str, Share] = {}
    for method in {name for answer in answers for name in (answer.a, answer.b)}:
        if total := count(answers, method):
            totals[method] = total
    methods = sorted(totals, key=lambda method: (-totals[method].value, method))
    lines = [
        f"{len(answers)} answers on {len({answer.photo for answer in answers})} photos. Share of pairs that the row's "
        "method won, in %; in brackets 95 % of resamplings of the photos. No preference counts half.",
        "",
        f"| | against all | {' | '.join(methods)} |",
        f"|{' --- |' * (len(methods) + 2)}",
    ]
    for method in methods:
        against = [_cell(count(answers, method, other)) if other != method else "" for other in methods]
        lines.append(f"| {method} | {_cell(totals[method])} | {' | '.join(against)} |")
    complaints = defaultdict(list)
    for answer in answers:
        for method, text in answer.complaints.items():
            if text:
                complaints[method].append(f"- {answer.photo}: {text}")
    for method in methods:
        lines += ["", f"**What is wrong with {method}** ({len(complaints[method])})", "", *complaints[method]]
    return "\n".join([*lines, ""])


def _cell(share: Share | None) -> str:
    return "-" if share is None else f"{100 * share.value:.0f} [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _read_table(path: Path, fields: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error}); make the pairs first") from error
    if rows and not set(fields) <= set(rows[0]):
        raise InputError(f"{path}: its columns are {', '.join(rows[0])} and not {', '.join(fields)}")
    return [{field: row[field] or "" for field in fields} for row in rows]
