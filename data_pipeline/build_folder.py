"""A data folder while it is built: what is done already, and what must not be overwritten.

dataset.json              written last: the folder is finished
photos-train-00000.tfrecord ...
.build/plan.json          what the unfinished folder is made of
.build/NAME.json          what became of the pictures of shard NAME.tfrecord: that shard is whole
"""

import dataclasses
import hashlib
import json
import re
import sys
from collections.abc import Iterable

from cartoongan_tf.base.errors import InputError
from data_pipeline import records
from data_pipeline.prepare import Skip
from data_pipeline.shards import KINDS, SPLITS, Shard, ShardReport
from data_pipeline.storage import Folder

_PLAN = ".build/plan.json"
_OURS = re.compile(rf"\.build/.*|\.?({'|'.join(KINDS)})-.*\.(tfrecord|partial)|{re.escape(records.DATASET_FILE)}")


class BuildFolder:
    """The folder that --output_dir names."""

    def __init__(self, folder: Folder):
        self._folder = folder

    def begin(self, plan: dict, overwrite: bool) -> dict | None:
        """Make the folder ready for a build, or for the rest of it.

        Args:
          plan: of `shards.describe_plan`.
          overwrite: delete records that are there of another plan.

        Returns:
          the content of dataset.json if the build is finished already.

        Raises:
          InputError: other records or other files are there.
        """
        plan, names = json.loads(json.dumps(plan)), self._folder.names()
        dataset = self._read(records.DATASET_FILE, overwrite)
        found = self._read(_PLAN, overwrite) if dataset is None else dataset
        is_same = {name: (found or {}).get(name) for name in plan} == plan
        if is_same and dataset and self._is_whole(dataset):
            self._tidy(dataset)  # killed after its last act but one
            return dataset
        # Whenever this is cut off, dataset.json or the plan is there, which says whose records these are; and reports
        # of other records go before the plan that they do not belong to comes.
        if not is_same:
            self._check_room(names, found, plan, overwrite)
            self._remove(name for name in _ours(names) if name not in (records.DATASET_FILE, _PLAN))
        self._write(_PLAN, plan)
        if records.DATASET_FILE in names:
            self._folder.remove(records.DATASET_FILE)
        return None

    def _is_whole(self, dataset: dict) -> bool:
        """Whether all shards of a dataset.json are there as they were written; the first that is not is named."""
        for file, sha256 in _files_of(dataset).items():
            if not self._folder.exists(file) or self._sha256(file) != sha256:
                print(f"{self._folder}/{file}: missing or damaged; building again", file=sys.stderr)
                return False
        return True

    def _sha256(self, name: str) -> str:
        with self._folder.open(name) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _check_room(self, names: list[str], found: dict | None, plan: dict, overwrite: bool) -> None:
        ours = _ours(names)
        if len(names) > len(ours) and found is None:
            raise InputError(f"--output_dir={self._folder}: exists already and is not empty; name another, or empty it")
        is_begun = found is not None or any(name.endswith(".tfrecord") for name in ours)
        if is_begun and not overwrite:
            raise InputError(f"{self._difference(found or {}, plan)}; name another --output_dir, or add --overwrite")

    def _difference(self, found: dict, plan: dict) -> str:
        """What the records that were found differ in."""
        parameters, files = found.get("parameters", {}), found.get("input", {})
        changed = {name: value for name, value in plan["parameters"].items() if parameters.get(name) != value}
        if parameters and changed:
            now = " ".join(f"--{name}={value}" for name, value in changed.items())
            then = " ".join(f"--{name}={parameters.get(name)}" for name in changed)
            return f"{now}: {self._folder} was built with {then}"
        kind = next((kind for kind in KINDS if files.get(kind) != plan["input"][kind]), KINDS[0])
        if found.get("version") != plan["version"]:
            return f"{self._folder} was built by another version of this program"
        then, now = files.get(kind, {}).get("files"), plan["input"][kind]["files"]
        return f"--{kind}_dir: {self._folder} was built of other files ({then} {kind} then, {now} now)"

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            self._folder.remove(name)

    def report(self, shard: Shard) -> ShardReport | None:
        """What became of a shard's pictures, if the shard is whole."""
        content = self._read(_report_name(shard))
        if content is None or (content["examples"] and not self._folder.exists(shard.file)):
            return None
        skipped = {name: Skip(*skip) for name, skip in content["skipped"].items()}
        return ShardReport(**content | {"skipped": skipped})

    def write_shard(self, shard: Shard, examples: Iterable[dict], report: ShardReport) -> None:
        """Write a shard, if it has examples, and the report that fills while they are taken."""
        content = records.encode_shard(examples)
        if content:
            report.sha256 = hashlib.sha256(content).hexdigest()
            self._folder.write(shard.file, content)
        self._write(_report_name(shard), dataclasses.asdict(report))

    def finish(self, dataset: dict) -> None:
        """Make the folder one that training takes."""
        self._write(records.DATASET_FILE, dataset)
        self._tidy(dataset)

    def abandon(self) -> None:
        """Remove what was built: nothing can come of it."""
        self._remove(_ours(self._folder.names()))

    def _tidy(self, dataset: dict) -> None:
        """Remove what a finished folder does not need, last the plan."""
        needed = {*_files_of(dataset), records.DATASET_FILE}
        spare = [name for name in _ours(self._folder.names()) if name not in needed]
        self._remove(sorted(spare, key=_PLAN.__eq__))

    def _read(self, name: str, overwrite: bool = False) -> dict | None:
        if not self._folder.exists(name):
            return None
        try:
            with self._folder.open(name) as file:
                return dict(json.load(file))
        except (ValueError, TypeError) as error:
            if overwrite:
                return {}
            raise InputError(f"{self._folder}/{name}: damaged ({error}); begin anew by --overwrite") from error

    def _write(self, name: str, content: dict) -> None:
        self._folder.write(name, (json.dumps(content, indent=1) + "\n").encode())


def _ours(names: Iterable[str]) -> list[str]:
    """Those of a folder's files that builds write."""
    return [name for name in names if _OURS.fullmatch(name)]


def _report_name(shard: Shard) -> str:
    return f".build/{shard.file.removesuffix('.tfrecord')}.json"


def _files_of(dataset: dict) -> dict[str, str]:
    """The hashes of the shards, by their names."""
    described = [shard for kind in KINDS for split in SPLITS for shard in dataset[kind][split]["shards"]]
    return {shard["file"]: shard["sha256"] for shard in described}
