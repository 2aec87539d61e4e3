"""Make shards by Apache Beam, where one machine is too small: the same records as `builder.in_threads` makes.

Pictures are prepared one by one, all over the cluster. Their hashes, some bytes each, meet in one place that tells the
duplicates; then each shard's examples meet to be written. What it runs on must see the pictures and the data folder.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import apache_beam as beam
import cv2
from apache_beam.options.pipeline_options import PipelineOptions

from cartoongan_tf.base.errors import InputError
from data_pipeline import shards
from data_pipeline.build_folder import BuildFolder
from data_pipeline.builder import Task
from data_pipeline.near_duplicates import NearDuplicates
from data_pipeline.prepare import Prepared, Skip
from data_pipeline.shards import Shard, ShardReport


class _Place(NamedTuple):
    """Of a picture: its shard's number among all of its kind, and its own in the shard."""

    shard: int
    position: int
    name: str


def on_beam(runner: str, options: Sequence[str]) -> Callable[[Sequence[Task], BuildFolder], None]:
    """Have a Beam runner make shards.

    Args:
      runner: Beam's name for it.
      options: its own, like ["--region=europe-west4"].
    """

    def make_shards(tasks: Sequence[Task], folder: BuildFolder) -> None:
        try:
            with beam.Pipeline(options=PipelineOptions(list(options), runner=runner)) as pipeline:
                for task in tasks:
                    _add(pipeline, task, folder)
        except InputError:
            raise
        except (RuntimeError, ValueError, ImportError) as error:  # no cluster, an option, a worker that failed
            raise InputError(f"--runner={runner}: {error}; Beam's own options follow after --") from error

    return make_shards


def _add(pipeline, task: Task, folder: BuildFolder) -> None:
    """Add one kind of pictures to the pipeline.

    The names of all pictures go into its graph once, not with every step. Lambdas, as Beam would take functions' type
    hints for its own, and hashes do not fit its integers.
    """
    kind, bare = task.kind, task._replace(shards=[])
    missing = [
        _Place(index, position, name)
        for index, (shard, report) in enumerate(task.shards)
        for position, name in enumerate(shard.names)
        if not report
    ]
    nameless = [shard._replace(names=()) for shard, _ in task.shards]
    known = {index: report.hashes for index, (_, report) in enumerate(task.shards) if report}
    max_bits = task.preparation.duplicate_bits
    prepared = (
        pipeline
        | f"{kind}: names" >> beam.Create(missing)
        | f"{kind}: spread" >> beam.Reshuffle()
        | f"{kind}: prepare" >> beam.Map(lambda place: (place.shard, (place, _prepare(bare, place))))
    )
    duplicates = (
        prepared
        | f"{kind}: hashes" >> beam.FlatMap(lambda item: _hash_of(*item[1]))
        | f"{kind}: meet" >> beam.combiners.ToList()
        | f"{kind}: duplicates" >> beam.Map(lambda hashes: _duplicates(hashes, known, max_bits))
    )
    (
        prepared
        | f"{kind}: shards" >> beam.GroupByKey()
        | f"{kind}: write"
        >> beam.Map(
            lambda item, found: _write(nameless[item[0]], item[1], folder, found), beam.pvalue.AsSingleton(duplicates)
        )
    )


def _prepare(task: Task, place: _Place) -> Prepared | Skip:
    cv2.setNumThreads(1)  # the runner has workers enough
    return task.prepare(place.name)


def _hash_of(place: _Place, result: Prepared | Skip) -> list[tuple[_Place, int]]:
    return [(place, result.hash)] if isinstance(result, Prepared) else []


def _duplicates(hashes: list[tuple[_Place, int]], known: dict[int, dict[str, int]], max_bits: int) -> dict[str, str]:
    """The names of pictures that show what an earlier one shows, with the earlier one's.

    Args:
      hashes: of all pictures that were prepared, in any order.
      known: of the pictures of shards that are done, by name, by the shard's number.
      max_bits: see `NearDuplicates`.
    """
    new: dict[int, dict[str, int]] = {}
    for place, hash in sorted(hashes):
        new.setdefault(place.shard, {})[place.name] = hash
    duplicates, found = NearDuplicates(max_bits), {}
    for index in sorted({*known, *new}):
        duplicates.add_all(known.get(index, {}))
        for name, hash in new.get(index, {}).items():
            if earlier := duplicates.remember(name, hash):
                found[name] = earlier
    return found


def _write(
    shard: Shard,
    results: Iterable[tuple[_Place, Prepared | Skip]],
    folder: BuildFolder,
    duplicates: dict[str, str],
) -> None:
    report = ShardReport()
    ordered = [(place.name, result) for place, result in sorted(results, key=lambda pair: pair[0])]
    folder.write_shard(shard, shards.choose_examples(ordered, lambda name, _: duplicates.get(name), report), report)
