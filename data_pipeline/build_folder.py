"""A data folder during its build: what is finished already, and what must not be overwritten.

dataset.json              written last: the folder is finished
photos-train-00000.tfrecord ...
.build/plan.json          what the records of the unfinished folder are made from
.build/NAME.json          report of shard NAME.tfrecord, written after it: the shard is complete
"""

import dataclasses
import hashlib
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import cast

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import values_of
from cartoongan_tf.media.storage import Folder
from data_pipeline import records
from data_pipeline.prepare import PreparationConfig, Prepared, Skip
from data_pipeline.shards import KINDS, SPLITS, Shard, ShardReport

_PLAN = ".build/plan.json"
_SHARDS = rf"\.?({'|'.join(KINDS)})-.*\.(tfrecord|partial)"
_DATASET = rf"{re.escape(records.DATASET_FILE)}(\..*\.partial)?"
_OURS = re.compile(rf"\.build/.*|{_SHARDS}|{_DATASET}")


class BuildFolder:
    """The folder that --output_dir names."""

    def __init__(self, folder: Folder):
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def begin(self, plan: dict, overwrite: bool) -> dict | None:
        """Make the folder ready for a build, or for the rest of an interrupted one.

        Args:
          plan: result of `shards.describe_plan`.
          overwrite: whether to delete records of another plan.

        Returns:
          The content of dataset.json if the build is finished already, else None.

        Raises:
          InputError: the folder holds other records or other files.
        """
        plan = json.loads(json.dumps(plan))  # as it is read back
        names = self._folder.names()
        dataset = self._read(records.DATASET_FILE, overwrite)
        earlier = self._read(_PLAN, overwrite) if dataset is None else dataset
        is_same = earlier is not None and {name: earlier.get(name) for name in plan} == plan
        if is_same and dataset and self._is_complete(dataset):
            self._tidy(dataset)  # the last run may have been killed before it had tidied up
            return dataset
        # Whenever a run is interrupted, dataset.json or the plan is there and tells whose records these are. So reports
        # of other records are removed before the plan that they do not belong to is written.
        if not is_same:
            self._check_may_replace(names, earlier, plan, overwrite)
            self._remove(name for name in _ours(names) if name not in (records.DATASET_FILE, _PLAN))
        self._write(_PLAN, plan)
        if records.DATASET_FILE in names:
            self._folder.remove(records.DATASET_FILE)
        return None

    def _is_complete(self, dataset: dict) -> bool:
        """Return whether all shards of a dataset.json are as they were written; report the first that is not."""
        for file, sha256 in _shard_hashes(dataset).items():
            if not self._folder.exists(file) or self._sha256(file) != sha256:
                print(f"{self._folder}/{file}: missing or damaged; building again", file=sys.stderr)
                return False
        return True

    def _sha256(self, name: str) -> str:
        with self._folder.open(name) as file:
            return hashlib.file_digest(cast(io.BufferedReader, file), "sha256").hexdigest()

    def _check_may_replace(self, names: list[str], earlier: dict | None, plan: dict, overwrite: bool) -> None:
        """Raise InputError unless the folder's files may be replaced.

        Args:
          names: all files in the folder.
          earlier: dataset.json or the plan of the records in it, if it has either.
          plan: the new plan.
          overwrite: whether to delete records of another plan.
        """
        ours = _ours(names)
        if len(names) > len(ours) and earlier is None:
            raise InputError(f"--output_dir={self._folder}: already exists and is not empty; name another, or empty it")
        has_records = earlier is not None or any(name.endswith(".tfrecord") for name in ours)
        if has_records and not overwrite:
            difference = self._difference(earlier or {}, plan)
            raise InputError(f"{difference}; name another --output_dir, or add --overwrite")

    def _difference(self, earlier: dict, plan: dict) -> str:
        """Return how the records in the folder differ from the plan."""
        defaults = values_of(PreparationConfig())
        before = defaults | earlier.get("parameters", {})
        now = defaults | plan["parameters"]
        changed = [name for name, value in now.items() if before[name] != value]
        if "parameters" in earlier and changed:
            new_flags = " ".join(f"--{name}={now[name]}" for name in changed)
            old_flags = " ".join(f"--{name}={before[name]}" for name in changed)
            return f"{new_flags}: {self._folder} was built with {old_flags}"
        if earlier.get("teacher") != plan.get("teacher"):
            return f"--teacher={plan['teacher']['name']}: {self._folder} was built with another model of that name"
        if earlier.get("faces") != plan.get("faces"):
            return f"--faces: {self._folder} was built with another version of {plan['faces']['name']}"
        if earlier.get("version") != plan["version"]:
            return f"{self._folder} was built by another version of this program"
        files = earlier.get("input", {})
        kind = next((kind for kind in KINDS if files.get(kind) != plan["input"].get(kind)), KINDS[0])
        old_count, new_count = (listed.get(kind, {}).get("files", 0) for listed in (files, plan["input"]))
        return f"--{kind}_dir: {self._folder} was built from other files ({old_count} {kind} then, {new_count} now)"

    def reports(self, shards: Iterable[Shard]) -> dict[Shard, ShardReport]:
        """Return the reports of those of the shards that are complete."""
        reports = {}
        for shard in shards:
            content = self._read(_report_name(shard))
            if content is None or (content["examples"] and not self._folder.exists(shard.file)):
                continue
            skipped = {name: Skip(*reason) for name, reason in content["skipped"].items()}
            reports[shard] = ShardReport(**content | {"skipped": skipped})
        return reports

    def write_shard(self, shard: Shard, results: Mapping[str, Prepared | Skip]) -> ShardReport:
        """Write a shard, if there are examples for it, and then its report.

        Args:
          shard: the shard.
          results: result for each of its pictures, by name, in order; duplicates are skipped already.
        """
        used = {name: result for name, result in results.items() if isinstance(result, Prepared)}
        content = records.encode_shard(example for picture in used.values() for example in picture.examples)
        if content:
            self._folder.write(shard.file, content)
        report = ShardReport(
            examples=sum(len(picture.examples) for picture in used.values()),
            sha256=hashlib.sha256(content).hexdigest() if content else "",
            hashes={name: picture.hash for name, picture in used.items()},
            skipped={name: result for name, result in results.items() if isinstance(result, Skip)},
        )
        self._write(_report_name(shard), dataclasses.asdict(report))
        return report

    def finish(self, dataset: dict) -> None:
        """Write dataset.json, which makes the folder one that training accepts, and tidy up."""
        self._write(records.DATASET_FILE, dataset)
        self._tidy(dataset)

    def abandon(self) -> None:
        """Remove everything that was built, because it cannot be used."""
        self._remove(_ours(self._folder.names()))

    def _tidy(self, dataset: dict) -> None:
        """Remove the files that a finished folder does not need."""
        needed = {*_shard_hashes(dataset), records.DATASET_FILE}
        self._remove(name for name in _ours(self._folder.names()) if name not in needed)

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._folder.remove(name)

    def _read(self, name: str, overwrite: bool = False) -> dict | None:
        """Read a JSON file: None if there is none; {} if it is damaged and may be overwritten."""
        if not self._folder.exists(name):
            return None
        try:
            with self._folder.open(name) as file:
                return dict(json.load(file))
        except (ValueError, TypeError) as error:
            if overwrite:
                return {}
            raise InputError(f"{self._folder}/{name}: damaged ({error}); start again with --overwrite") from error

    def _write(self, name: str, content: dict) -> None:
        self._folder.write(name, (json.dumps(content, indent=1) + "\n").encode())


def _ours(names: Iterable[str]) -> list[str]:
    """Return those of a folder's files that builds write."""
    return [name for name in names if _OURS.fullmatch(name)]


def _report_name(shard: Shard) -> str:
    return f".build/{shard.file.removesuffix('.tfrecord')}.json"


def _shard_hashes(dataset: dict) -> dict[str, str]:
    """Return the SHA-256 of each shard in a dataset.json, by file name."""
    entries = [entry for kind in KINDS for split in SPLITS for entry in dataset[kind][split]["shards"]]
    return {entry["file"]: entry["sha256"] for entry in entries}
