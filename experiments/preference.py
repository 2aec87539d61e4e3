"""Which cartoon of a photo do people prefer? Pairs to show to them, and the count of their answers.

    python -m experiments.preference --model=ink,pepper,hayao.keras --photos_dir=held --output_dir=preference
    python -m experiments.preference --output_dir=preference --count

The first command draws each photo with each method, and writes pairs/001.jpg and so on: two drawings A and B with the
photo between them, unlabelled, in random order. Each viewer gets one answers-N.csv, in an order of its own, and fills
in which cartoon of the photo is better (A, B, or = for neither) and what is wrong with each. key.csv says who drew
them: keep it from viewers. The second command writes report.md: shares of pairs won, with 95 % intervals from
resampling the photos, and what viewers found wrong.
"""

import csv
import dataclasses
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cartoongan_tf.base import atomic, program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.evaluation import classical_filters
from cartoongan_tf.media import picture_set, pictures, sheets
from cartoongan_tf.media.abstraction import abstract
from experiments import preference_count
from experiments.preference_count import ANSWER_FIELDS, KEY_FIELDS

if TYPE_CHECKING:
    from cartoongan_tf.evaluation.evaluator import Draw

_TILE_PX = 560
CLASSICAL: "dict[str, Draw]" = {"stylization": classical_filters.stylization, "abstraction": abstract}


@dataclasses.dataclass(frozen=True)
class PreferenceConfig(Config):
    output_dir: str = option("Folder of the pairs, the answers and the report.")
    count: bool = option("Count the answers in --output_dir, instead of making pairs.", False)
    photos_dir: str = option("Folder of photos that no model was trained on.", "")
    model: str = option("Models to compare, separated by commas; NAME=MODEL names one.", "")
    classical: bool = option(f"Compare {' and '.join(CLASSICAL)}, too.", True)
    of: str = option("Compare the method of this name with all others, and not these among themselves.", "")
    max_photos: int = option("Use at most this many photos, spread over the folder.", 24, at_least=2)
    num_viewers: int = option("Number of viewers.", 3, at_least=1)
    long_side: int = option("Shrink the photos to this longer side, in pixels.", 640, at_least=32)
    seed: int = option("Seed of the order and of the sides.", 0, at_least=0)

    def __post_init__(self):
        super().__post_init__()
        for name in () if self.count else ("photos_dir", "model"):
            if not getattr(self, name):
                raise InputError(f"--{name} is missing; to count answers, give --count")


class Pair(NamedTuple):
    """Two methods that drew the same photo: the number of the photo, and the names of both."""

    photo: int
    a: str
    b: str


def main(argv=None) -> int:
    return program.run(PreferenceConfig, _run, __doc__, argv)


def _run(config: PreferenceConfig, _) -> None:
    folder = Path(config.output_dir)
    if config.count:
        text = preference_count.report(folder)
        with atomic.replacing(folder / "report.md") as temporary:
            temporary.write_text(text, encoding="utf-8")
        print(text)
        return
    if (folder / "key.csv").exists():
        raise InputError(f"--output_dir: {folder} has pairs already, and perhaps answers; name a new folder")
    _write_pairs(config, folder)


def _write_pairs(config: PreferenceConfig, folder: Path) -> None:
    program.start_tensorflow()
    from cartoongan_tf.inference.named_models import load_named_models

    photos = picture_set.read_pictures(config.photos_dir, config.long_side, 1, config.max_photos)
    methods: dict[str, Draw] = dict(load_named_models(config.model))
    if config.classical:
        methods |= CLASSICAL
    drawings = {}
    for name, draw in Bar(methods.items(), desc="drawing", unit="method"):
        drawings[name] = [draw(photo) for photo in photos.pixels]
    rng = np.random.default_rng(config.seed)
    pairs = choose_pairs(list(methods), config.of, len(photos.files), rng)
    for number, (photo, a, b) in enumerate(pairs, 1):
        shown = [("A", [drawings[a][photo]]), ("the photo", [photos.pixels[photo]]), ("B", [drawings[b][photo]])]
        sheet = sheets.contact_sheet(shown, _TILE_PX, 4 * _TILE_PX)
        pictures.write_picture(folder / "pairs" / f"{number:03}.jpg", sheet)
    for viewer in range(1, config.num_viewers + 1):
        rows = [[number + 1, "", "", ""] for number in rng.permutation(len(pairs))]
        _write_table(folder / f"answers-{viewer}.csv", ANSWER_FIELDS, rows)
    names = [file.relative_to(config.photos_dir).as_posix() for file in photos.files]
    key = [[number, names[pair.photo], pair.a, pair.b] for number, pair in enumerate(pairs, 1)]
    _write_table(folder / "key.csv", KEY_FIELDS, key)
    print(f"Wrote {len(pairs)} pairs to {folder}. Give each viewer an answers-N.csv and pairs/, and not key.csv.")


def choose_pairs(methods: Sequence[str], of: str, num_photos: int, rng: np.random.Generator) -> list[Pair]:
    """Return all pairs of methods on all photos, in random order, each method on a random side.

    Raises:
      InputError: `of` is none of the methods, or there are fewer than two.
    """
    if of and of not in methods:
        raise InputError(f"--of={of}: not among the methods {', '.join(methods)}")
    if len(methods) < 2:
        raise InputError("--model: name two models, or leave out --noclassical")
    pairs = []
    for names in itertools.combinations(methods, 2):
        if not of or of in names:
            for photo in range(num_photos):
                a, b = rng.permutation(names)
                pairs.append(Pair(photo, str(a), str(b)))
    return [pairs[number] for number in rng.permutation(len(pairs))]


def _write_table(path: Path, fields: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with atomic.replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([fields, *rows])


if __name__ == "__main__":
    sys.exit(main())
