"""Two folders of pictures -> a data folder of training records, made by all cores of this machine or by a cluster.

Each shard is renamed into its place when it is whole, and dataset.json comes last: a build that was cut off goes on
with the shards that are missing.
"""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import cv2

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.base.threads import map_ahead
from data_pipeline import shards
from data_pipeline.build_folder import BuildFolder
from data_pipeline.near_duplicates import NearDuplicates
from data_pipeline.prepare import PreparationConfig, Prepared, Skip, prepare
from data_pipeline.shards import Listing, Shard, ShardReport
from data_pipeline.storage import Folder

_PICTURES_AHEAD = 32  # prepared while an earlier, larger one is waited for


class Task(NamedTuple):
    """The shards to make of one kind of pictures.

    Attributes:
      kind: "photos" or "cartoons".
      source: where the pictures lie.
      shards: in their order, those that are done with their reports.
      preparation: what shapes the records.
      strict: let a file that cannot be read end the build.
    """

    kind: str
    source: Folder
    shards: list[tuple[Shard, ShardReport | None]]
    preparation: PreparationConfig
    strict: bool

    def prepare(self, name: str) -> Prepared | Skip:
        """See `prepare.prepare`. Raises InputError: the picture cannot be read, and the task is strict."""
        try:
            with self.source.open(name) as file:
                result = prepare(self.kind, file, name, self.preparation)
        except (FileNotFoundError, PermissionError) as error:
            result = Skip("unreadable", error.strerror)
        if self.strict and isinstance(result, Skip) and result.reason == "unreadable":
            raise InputError(f"{self.source}/{name}: {result.detail}; mend or remove it, or leave out --strict")
        return result


def build(
    sources: dict[str, Folder],
    output: Folder,
    preparation: PreparationConfig,
    make_shards: Callable[[Sequence[Task], BuildFolder], None],
    strict: bool = False,
    overwrite: bool = False,
) -> dict:
    """Build a data folder, or what is left of it.

    Args:
      sources: the folders of "photos" and "cartoons"; folders inside them are searched too.
      output: the data folder: a new or empty one, or one whose build was cut off.
      preparation: what shapes the records.
      make_shards: writes the shards of tasks that are missing: `in_threads`, or one that has a cluster do it.
      strict: let a file that cannot be read end the build.
      overwrite: begin anew where the folder holds other records.

    Returns:
      the content of dataset.json.

    Raises:
      InputError: a folder holds no picture that can be used, or the output folder is taken.
    """
    _check_apart(sources, output)
    listings = {kind: sources[kind].pictures() for kind in shards.KINDS}
    with output.locked():
        return _build(sources, listings, output, preparation, make_shards, strict, overwrite)


def _build(
    sources: dict[str, Folder],
    listings: dict[str, Listing],
    output: Folder,
    preparation: PreparationConfig,
    make_shards: Callable[[Sequence[Task], BuildFolder], None],
    strict: bool,
    overwrite: bool,
) -> dict:
    plan = shards.describe_plan(preparation, listings)
    folder = BuildFolder(output)
    if dataset := folder.begin(plan, overwrite):
        return dataset
    planned = {
        kind: shards.plan_shards(kind, listing.names, preparation.validation_fraction)
        for kind, listing in listings.items()
    }
    tasks = [
        Task(kind, sources[kind], [(shard, folder.report(shard)) for shard in all_shards], preparation, strict)
        for kind, all_shards in planned.items()
    ]
    make_shards(tasks, folder)
    reports = [(shard, folder.report(shard)) for all_shards in planned.values() for shard in all_shards]
    if missing := [shard.file for shard, report in reports if report is None]:
        raise InputError(f"{output}/{missing[0]}: was not written; do the workers see that folder, and no other build?")
    dataset = shards.describe_dataset(plan, reports)
    try:
        shards.check_not_empty(dataset)
    except InputError:
        folder.abandon()
        raise
    folder.finish(dataset)
    return dataset


def _check_apart(sources: dict[str, Folder], output: Folder) -> None:
    def place(folder: Folder) -> str:
        return str(folder) if "://" in str(folder) else os.path.realpath(str(folder))

    if place(sources["photos"]) == place(sources["cartoons"]):
        raise InputError(f"--photos_dir and --cartoons_dir are both {sources['photos']}; name one folder of each kind")
    for kind, source in sources.items():
        if f"{place(output)}/".startswith(f"{place(source)}/"):
            problem = f"lies in --{kind}_dir={source}, and would be searched for pictures; name a folder outside"
            raise InputError(f"--output_dir={output}: {problem}")


def in_threads(num_workers: int) -> Callable[[Sequence[Task], BuildFolder], None]:
    """Make shards on this machine, in so many threads that read, smooth and encode."""

    def make_shards(tasks: Sequence[Task], folder: BuildFolder) -> None:
        with _one_opencv_thread_each():
            for task in tasks:
                _make(task, folder, num_workers)

    return make_shards


@contextlib.contextmanager
def _one_opencv_thread_each() -> Iterator[None]:
    num_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(num_threads)


def _make(task: Task, folder: BuildFolder, num_workers: int) -> None:
    num_files = sum(len(shard.names) for shard, _ in task.shards)
    missing = [name for shard, report in task.shards if not report for name in shard.names]
    results = zip(missing, map_ahead(task.prepare, missing, num_workers, _PICTURES_AHEAD), strict=True)
    duplicates = NearDuplicates(task.preparation.duplicate_bits)
    with Bar(desc=task.kind, total=num_files, initial=num_files - len(missing), unit="picture") as progress:
        for shard, report in task.shards:
            if report:
                duplicates.add_all(report.hashes)
                continue
            report, own = ShardReport(), itertools.islice(results, len(shard.names))
            examples = shards.choose_examples(_counted(own, progress), duplicates.remember, report)
            folder.write_shard(shard, examples, report)


def _counted(results: Iterator, progress: Bar) -> Iterator:
    for result in results:
        yield result
        progress.update()
