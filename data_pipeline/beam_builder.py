"""Shards made by Apache Beam, where one machine is too small: the same records as `builder.in_threads` makes.

Pictures are prepared one by one, all over the cluster. Their hashes, some bytes each, are collected in one place that
finds the duplicates. Then the examples of each shard are collected to be written. The workers must see the folders of
pictures and the data folder.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import apache_beam as beam
import cv2

from cartoongan_tf.base.beam_runners import pipeline_on
from cartoongan_tf.base.errors import InputError
from data_pipeline import shards
from data_pipeline.build_folder import BuildFolder
from data_pipeline.builder import MakeShards, Task
from data_pipeline.near_duplicates import NearDuplicates
from data_pipeline.prepare import Prepared, Skip
from data_pipeline.shards import Shard, ShardReport


class Place(NamedTuple):
    """The place of a picture among all pictures of its kind; places sort in the order of the pictures.

    Attributes:
      shard: number of its shard among all shards of its kind.
      position: its number in the shard.
      name: its name.
    """

    shard: int
    position: int
    name: str


class _Picture(NamedTuple):
    """The result of preparing a picture."""

    place: Place
    result: Prepared | Skip


def on_beam(runner: str, options: Sequence[str]) -> MakeShards:
    """Return a function that lets a Beam runner make shards.

    Args:
      runner: Beam's name for the runner.
      options: the runner's own options, such as ["--region=europe-west4"].
    """

    def make_shards(tasks: Sequence[Task], folder: BuildFolder) -> dict[Shard, ShardReport]:
        with pipeline_on(runner, options) as pipeline:
            for task in tasks:
                _add_steps(pipeline, task, folder)
        return _read_reports(tasks, folder)

    return make_shards


def _read_reports(tasks: Sequence[Task], folder: BuildFolder) -> dict[Shard, ShardReport]:
    all_shards = [shard for task in tasks for shard in task.shards]
    reports = folder.reports(all_shards)
    for shard in all_shards:
        if shard not in reports:
            problem = "was not written; do the workers see that folder, and no other build?"
            raise InputError(f"{folder}/{shard.file}: {problem}")
    return reports


def _add_steps(pipeline, task: Task, folder: BuildFolder) -> None:
    """Add the steps for one kind of pictures to the pipeline.

    The names of all pictures are in its graph once; so no step may hold the task's shards with their names. The steps
    are lambdas because Beam would use the type hints of functions, and hashes do not fit its integers.
    """
    kind = task.kind
    finished = folder.reports(task.shards)
    finished_hashes = {number: finished[shard].hashes for number, shard in enumerate(task.shards) if shard in finished}
    places = _missing_places(task.shards, finished)
    nameless_shards = [shard._replace(names=()) for shard in task.shards]
    task = task._replace(shards=())
    max_bits = task.preparation.duplicate_bits

    pictures_by_shard = (
        pipeline
        | f"{kind}: names" >> beam.Create(places)
        | f"{kind}: distribute" >> beam.Reshuffle()
        | f"{kind}: prepare" >> beam.Map(lambda place: (place.shard, _prepare(task, place)))
    )
    duplicates = (
        pictures_by_shard
        | f"{kind}: hashes" >> beam.FlatMapTuple(lambda shard_number, picture: _hash_of(picture))
        | f"{kind}: collect hashes" >> beam.combiners.ToList()
        | f"{kind}: duplicates" >> beam.Map(lambda hashes: find_duplicates(hashes, finished_hashes, max_bits))
    )
    (
        pictures_by_shard
        | f"{kind}: shards" >> beam.GroupByKey()
        | f"{kind}: write"
        >> beam.Map(
            lambda numbered_pictures, earlier_names: _write(numbered_pictures, earlier_names, nameless_shards, folder),
            beam.pvalue.AsSingleton(duplicates),
        )
    )


def _missing_places(all_shards: Sequence[Shard], finished: Mapping[Shard, ShardReport]) -> list[Place]:
    """Return the places of the pictures in shards that are not finished."""
    places = []
    for number, shard in enumerate(all_shards):
        if shard not in finished:
            places += [Place(number, position, name) for position, name in enumerate(shard.names)]
    return places


def _prepare(task: Task, place: Place) -> _Picture:
    cv2.setNumThreads(1)  # the runner has workers enough
    return _Picture(place, task.prepare(place.name))


def _hash_of(picture: _Picture) -> list[tuple[Place, int]]:
    return [(picture.place, picture.result.hash)] if isinstance(picture.result, Prepared) else []


def find_duplicates(
    hashes: Iterable[tuple[Place, int]], finished_hashes: Mapping[int, dict[str, int]], max_bits: int
) -> dict[str, str]:
    """Find the pictures that repeat an earlier one.

    Args:
      hashes: place and hash of each picture that was prepared, in any order.
      finished_hashes: hashes of the pictures in finished shards, by name, by the number of the shard.
      max_bits: see `NearDuplicates`.

    Returns:
      The name of the earlier picture, by the name of the one that repeats it.
    """
    new_hashes: dict[int, dict[str, int]] = {}
    for place, hash in sorted(hashes):
        new_hashes.setdefault(place.shard, {})[place.name] = hash
    pictures = NearDuplicates(max_bits)
    earlier_names = {}
    for shard_number in sorted({*finished_hashes, *new_hashes}):
        pictures.add_all(finished_hashes.get(shard_number, {}))
        for name, hash in new_hashes.get(shard_number, {}).items():
            if earlier := pictures.remember(name, hash):
                earlier_names[name] = earlier
    return earlier_names


def _write(
    numbered_pictures: tuple[int, Iterable[_Picture]],
    earlier_names: Mapping[str, str],
    all_shards: Sequence[Shard],
    folder: BuildFolder,
) -> None:
    """Write one shard.

    Args:
      numbered_pictures: the number of the shard, and its pictures in any order.
      earlier_names: result of `find_duplicates`.
      all_shards: all shards of the kind.
      folder: the folder to write to.
    """
    shard_number, pictures = numbered_pictures
    results = {place.name: result for place, result in sorted(pictures, key=lambda picture: picture.place)}
    unique_results = shards.skip_duplicates(results, lambda name, _: earlier_names.get(name))
    folder.write_shard(all_shards[shard_number], unique_results)
