"""Make shards by Apache Beam, where one machine is too small: the same records as `builder.in_threads` makes.

Pictures are prepared one by one, all over the cluster. Their hashes, some bytes each, meet in one place that tells the
duplicates; then each shard's examples meet to be written. What it runs on must see the pictures and the data folder.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from cartoongan_tf.errors import InputError
from data_pipeline import shards
from data_pipeline.build_folder import BuildFolder
from data_pipeline.builder import Task
from data_pipeline.near_duplicates import NearDuplicates
from data_pipeline.prepare import Prepared, Skip
from data_pipeline.shards import ShardReport

try:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
except ImportError:  # an extra, which one machine does without
    beam = None


class _Place(NamedTuple):
    """Of a picture: its shard's position among all of its kind, and its own in the shard."""

    shard: int
    position: int
    name: str


def on_beam(runner: str, options: Sequence[str]) -> Callable[[Sequence[Task], BuildFolder], None]:
    """Have a Beam runner make shards.

    Args:
      runner: Beam's name for it.
      options: its own, like ["--region=europe-west4"].

    Raises:
      InputError: Apache Beam is not installed.
    """
    if beam is None:
        raise InputError(f"--runner={runner}: needs Apache Beam, which is not installed; pip install '.[beam]'")

    def make_shards(tasks: Sequence[Task], folder: BuildFolder) -> None:
        with beam.Pipeline(options=PipelineOptions(list(options), runner=runner)) as pipeline:
            for task in tasks:
                _add(pipeline, task, folder)

    return make_shards


def _add(pipeline, task: Task, folder: BuildFolder) -> None:
    """Add one kind of pictures to the pipeline."""
    kind = task.kind
    missing = [
        _Place(index, position, name)
        for index, (shard, report) in enumerate(task.shards)
        for position, name in enumerate(shard.names)
        if not report
    ]
    prepared = (
        pipeline
        | f"{kind}: names" >> beam.Create(missing)
        | f"{kind}: spread" >> beam.Reshuffle()
        | f"{kind}: prepare" >> beam.Map(lambda place: (place, task.prepare(place.name)))
    )
    duplicates = (
        prepared
        | f"{kind}: hashes" >> beam.FlatMap(lambda pair: _hash_of(*pair))
        | f"{kind}: meet" >> beam.combiners.ToList()
        | f"{kind}: duplicates" >> beam.Map(_duplicates, task)
    )
    (
        prepared
        | f"{kind}: by shard" >> beam.Map(lambda pair: (pair[0].shard, pair))
        | f"{kind}: shards" >> beam.GroupByKey()
        | f"{kind}: write" >> beam.Map(_write, task, folder, beam.pvalue.AsSingleton(duplicates))
    )


def _hash_of(place: _Place, result: Prepared | Skip) -> list[tuple[_Place, int]]:
    return [(place, result.hash)] if isinstance(result, Prepared) else []


def _duplicates(hashes: list[tuple[_Place, int]], task: Task) -> dict[str, str]:
    """The names of pictures that show what an earlier one shows, with the earlier one's."""
    by_shard: dict[int, list] = {}
    for place, hash in sorted(hashes):
        by_shard.setdefault(place.shard, []).append((place.name, hash))
    known, found = NearDuplicates(task.preparation.duplicate_bits), {}
    for index, (_, report) in enumerate(task.shards):
        known.add_all(report.hashes if report else {})
        for name, hash in by_shard.get(index, []):
            if earlier := known.remember(name, hash):
                found[name] = earlier
    return found


def _write(
    shard: tuple[int, Iterable[tuple[_Place, Prepared | Skip]]],
    task: Task,
    folder: BuildFolder,
    duplicates: dict[str, str],
) -> None:
    index, results = shard
    report = ShardReport()
    ordered = [(place.name, result) for place, result in sorted(results, key=lambda pair: pair[0])]
    examples = shards.choose_examples(ordered, lambda name, _: duplicates.get(name), report)
    folder.write_shard(task.shards[index][0], examples, report)
