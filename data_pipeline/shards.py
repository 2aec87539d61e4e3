"""The assignment of pictures to shards, and the content of dataset.json. Both are the same wherever records are built.

The pictures of a kind ("photos", "cartoons") are divided into "train" and "validation", and each of these into shards
of FILES_PER_SHARD files. The shards depend on the content of the folders and on the flags alone.
"""

import dataclasses
import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from cartoongan_tf.media.listings import Listing
from data_pipeline.faces import Detector
from data_pipeline.prepare import PARTS, PreparationConfig, Prepared, Skip
from data_pipeline.teachers import Teacher

KINDS = tuple(PARTS)
SPLITS = ("train", "validation")
FILES_PER_SHARD = 64  # the most pictures that a killed build has to prepare again
_VERSION = 2  # raise it when the same pictures and flags give different records
_NUM_REASONS_SHOWN = 5


class Shard(NamedTuple):
    """A file of records, and the pictures that it is made of."""

    kind: str
    split: str
    number: int
    names: tuple[str, ...]

    @property
    def file(self) -> str:
        return f"{self.kind}-{self.split}-{self.number:05}.tfrecord"


@dataclasses.dataclass(frozen=True)
class ShardReport:
    """The outcome for each picture of a shard.

    Attributes:
      examples: number of examples; a shard without any has no file.
      sha256: hash of the file; "" without one.
      hashes: perceptual hash of each picture that was used, by name.
      skipped: reason for each of the other pictures, by name.
    """

    examples: int
    sha256: str
    hashes: dict[str, int]
    skipped: dict[str, Skip]


def plan_shards(kind: str, names: Sequence[str], validation_fraction: float) -> list[Shard]:
    """Divide the pictures of one kind into shards: those for training first, then those for validation."""
    held_out = _held_out(names, validation_fraction)
    names_by_split = {
        "train": [name for name in names if name not in held_out],
        "validation": [name for name in names if name in held_out],
    }
    shards = []
    for split, split_names in names_by_split.items():
        for number, start in enumerate(range(0, len(split_names), FILES_PER_SHARD)):
            shard_names = tuple(split_names[start : start + FILES_PER_SHARD])
            shards.append(Shard(kind, split, number, shard_names))
    return shards


def _held_out(names: Sequence[str], fraction: float) -> set[str]:
    """Choose the names whose lots, from 0 to 1, are below the fraction.

    A lot depends on its own name alone. So a picture that is trained on stays in training when others are added, and
    a run that resumes with more data is never validated on what it has learned. The price: the share held out equals
    the fraction only approximately.

    Of few names, all lots or none may be below the fraction. Then the lowest lot is held out, or the highest one is
    trained on. A single name is trained on. Added pictures can change which name that is.
    """
    if not fraction or len(names) < 2:
        return set()
    by_lot = sorted(names, key=_draw_lot)
    num_below = sum(_draw_lot(name) < fraction for name in names)
    return set(by_lot[: min(max(num_below, 1), len(names) - 1)])


def _draw_lot(name: str) -> float:
    """Draw a number from 0 to 1, always the same for a name."""
    digest = hashlib.sha256(_bytes_of(name)).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _bytes_of(text: str) -> bytes:
    """Encode file names, which need not be valid Unicode."""
    return text.encode("utf-8", "surrogateescape")


def skip_duplicates(
    results: Mapping[str, Prepared | Skip], find_earlier: Callable[[str, int], str | None]
) -> dict[str, Prepared | Skip]:
    """Replace the result of each picture that repeats an earlier one by the reason to skip it.

    Args:
      results: result of `prepare` for each picture, by name, in order.
      find_earlier: function (name, hash) -> the name of an earlier picture that shows the same, or None; called once
        for each prepared picture, in order.
    """
    kept = {}
    for name, result in results.items():
        earlier = find_earlier(name, result.hash) if isinstance(result, Prepared) else None
        kept[name] = Skip("duplicate", f"shows what {earlier} shows") if earlier is not None else result
    return kept


def describe_plan(
    preparation: PreparationConfig,
    listings: Mapping[str, Listing],
    teacher: Teacher | None = None,
    detector: Detector | None = None,
) -> dict:
    """Return everything that decides the records: equal plans give equal records."""
    plan = {
        "version": _VERSION,
        "parameters": preparation.parameters(),
        "input": {kind: listing.fingerprint() for kind, listing in listings.items()},
    }
    if teacher is not None:
        plan["teacher"] = {"name": teacher.name, "sha256": teacher.sha256}
    if detector is not None:
        plan["faces"] = detector._asdict()
    return plan


def describe_dataset(plan: dict, reports: Mapping[Shard, ShardReport]) -> dict:
    """Return the content of dataset.json."""
    return plan | {kind: _describe_kind(kind, reports) for kind in KINDS}


def explain_missing_examples(dataset: dict) -> str | None:
    """Return why a kind of pictures gives nothing to train on, or None if each kind that was asked for gives something.

    Args:
      dataset: content of dataset.json.
    """
    for kind in dataset["input"]:
        if not dataset[kind]["train"]["examples"]:
            skipped = dataset[kind]["skipped"]
            shown = itertools.islice(skipped.items(), _NUM_REASONS_SHOWN)
            reasons = "".join(f"\n  {name}: {reason}: {detail}" for name, (reason, detail) in shown)
            return f"none of the {len(skipped)} files among the {kind} can be used:{reasons}"
    return None


def _describe_kind(kind: str, reports: Mapping[Shard, ShardReport]) -> dict:
    skipped: dict[str, list] = {}
    for shard, report in reports.items():
        if shard.kind == kind:
            skipped |= {name: list(skip) for name, skip in report.skipped.items()}
    num_skipped = Counter(reason for reason, _ in skipped.values())
    return {
        **{split: _describe_split(kind, split, reports) for split in SPLITS},
        "num_skipped": dict(sorted(num_skipped.items())),
        "skipped": dict(sorted(skipped.items())),
    }


def _describe_split(kind: str, split: str, reports: Mapping[Shard, ShardReport]) -> dict:
    of_split = {shard.file: report for shard, report in reports.items() if (shard.kind, shard.split) == (kind, split)}
    return {
        "pictures": sum(len(report.hashes) for report in of_split.values()),
        "examples": sum(report.examples for report in of_split.values()),
        "shards": [
            {"file": file, "examples": report.examples, "sha256": report.sha256}
            for file, report in of_split.items()
            if report.examples
        ],
    }
