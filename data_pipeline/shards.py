"""Which pictures make which shard, and what dataset.json says of them: the same wherever the records are built.

A kind of pictures ("photos", "cartoons") is split by picture into "train" and "validation", and each of these into
shards of FILES_PER_SHARD files. So the shards depend on the folders' content and on the flags alone.
"""

import dataclasses
import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from cartoongan_tf.base.errors import InputError
from data_pipeline.prepare import PARTS, PreparationConfig, Prepared, Skip

KINDS = tuple(PARTS)
SPLITS = ("train", "validation")
_VERSION = 2  # of the records: raise it where the same pictures and flags give others
FILES_PER_SHARD = 64  # lost at most when a build is killed


class Listing(NamedTuple):
    """The files of one kind, in their order.

    Attributes:
      names: their paths below their folder, with "/".
      sizes: in bytes.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def fingerprint(self) -> dict:
        """What tells these files from others: their number, and a hash of their names and sizes."""
        text = "\n".join(f"{name}\0{size}" for name, size in zip(self.names, self.sizes, strict=True))
        return {"files": len(self.names), "sha256": hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()}


class Shard(NamedTuple):
    """A file of records, and the pictures that it is made of."""

    kind: str
    split: str
    number: int
    names: tuple[str, ...]

    @property
    def file(self) -> str:
        return f"{self.kind}-{self.split}-{self.number:05}.tfrecord"


@dataclasses.dataclass
class ShardReport:
    """What became of a shard's pictures.

    Attributes:
      examples: how many; none: there is no file.
      sha256: of the file.
      hashes: of the pictures used, by name; see `near_duplicates`.
      skipped: (reason, detail) of the others, by name.
    """

    examples: int = 0
    sha256: str = ""
    hashes: dict[str, int] = dataclasses.field(default_factory=dict)
    skipped: dict[str, Skip] = dataclasses.field(default_factory=dict)


def plan_shards(kind: str, names: Sequence[str], validation_fraction: float) -> list[Shard]:
    """The shards of one kind: those for training first, then those held out."""
    held_out = _held_out(names, validation_fraction)
    shards = []
    for split, is_held_out in zip(SPLITS, (False, True), strict=True):
        chosen = [name for name in names if (name in held_out) == is_held_out]
        parts = (chosen[start : start + FILES_PER_SHARD] for start in range(0, len(chosen), FILES_PER_SHARD))
        shards += [Shard(kind, split, number, tuple(part)) for number, part in enumerate(parts)]
    return shards


def _held_out(names: Sequence[str], fraction: float) -> set[str]:
    """Choose the names whose lots, from 0 to 1, are below the fraction.

    A lot hangs on its own name alone. So a picture that is trained on stays there when others are added: a run that
    goes on with more data is never judged by what it has learned. The price is that the share held out is the
    fraction by chance only, as the throw of a coin is.

    Of few names all lots or none may be below. Then the lowest one is held out, or the highest one trained on (of one
    name, that one), and pictures that are added can change which that is.
    """
    if not fraction or len(names) < 2:
        return set()
    by_lot = sorted(names, key=_draw_lot)
    num_below = sum(_draw_lot(name) < fraction for name in names)
    return set(by_lot[: min(max(num_below, 1), len(names) - 1)])


def _draw_lot(name: str) -> float:
    """Draw a number from 0 to 1, always the same for a name."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8]) / 2**64


def choose_examples(
    results: Iterable[tuple[str, Prepared | Skip]],
    earlier_duplicate: Callable[[str, int], str | None],
    report: ShardReport,
) -> Iterator[dict]:
    """The examples of a shard's pictures, in their order, without those of pictures that were there before.

    Args:
      results: each picture's name and what `prepare` made of it.
      earlier_duplicate: (name, hash) -> the name of an earlier picture that shows the same, if there is one; called
        for each picture in turn.
      report: is filled.
    """
    for name, result in results:
        if isinstance(result, Prepared):
            earlier = earlier_duplicate(name, result.hash)
            if earlier is None:
                report.hashes[name] = result.hash
                report.examples += len(result.examples)
                yield from result.examples
                continue
            result = Skip("duplicate", f"shows what {earlier} shows")
        report.skipped[name] = result


def describe_plan(preparation: PreparationConfig, listings: dict[str, Listing]) -> dict:
    """What decides the records: they are the same where this is the same."""
    return {
        "version": _VERSION,
        "parameters": preparation.parameters(),
        "input": {kind: listing.fingerprint() for kind, listing in listings.items()},
    }


def describe_dataset(plan: dict, reports: Sequence[tuple[Shard, ShardReport]]) -> dict:
    """The content of dataset.json."""
    return plan | {kind: _describe_kind([pair for pair in reports if pair[0].kind == kind]) for kind in KINDS}


def check_not_empty(dataset: dict) -> None:
    """Raise InputError, with reasons, where a kind of pictures gave nothing to train on."""
    for kind in KINDS:
        if not dataset[kind]["train"]["examples"]:
            skipped = dataset[kind]["skipped"]
            reasons = "".join(f"\n  {name}: {': '.join(skip)}" for name, skip in itertools.islice(skipped.items(), 5))
            raise InputError(f"none of the {len(skipped)} files among the {kind} can be used:{reasons}")


def _describe_kind(reports: Sequence[tuple[Shard, ShardReport]]) -> dict:
    skipped = {name: list(skip) for _, report in reports for name, skip in report.skipped.items()}
    splits = {split: [pair for pair in reports if pair[0].split == split] for split in SPLITS}
    return {
        **{split: _describe_split(pairs) for split, pairs in splits.items()},
        "num_skipped": dict(sorted(Counter(reason for reason, _ in skipped.values()).items())),
        "skipped": dict(sorted(skipped.items())),
    }


def _describe_split(reports: Sequence[tuple[Shard, ShardReport]]) -> dict:
    return {
        "pictures": sum(len(report.hashes) for _, report in reports),
        "examples": sum(report.examples for _, report in reports),
        "shards": [
            {"file": shard.file, "examples": report.examples, "sha256": report.sha256}
            for shard, report in reports
            if report.examples
        ],
    }
