"""The build of a data folder from two folders of pictures, by all cores of this machine or by a cluster.

Each shard is renamed into its place when it is complete, and dataset.json is written last. So an interrupted build
resumes with the shards that are missing.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import cv2

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.base.threads import map_ahead
from cartoongan_tf.media import folders, palettes, pictures
from cartoongan_tf.media.listings import Listing
from cartoongan_tf.media.storage import Folder, check_apart, place_of
from data_pipeline import shards
from data_pipeline.build_folder import BuildFolder
from data_pipeline.faces import Detector, installed_detector
from data_pipeline.near_duplicates import NearDuplicates
from data_pipeline.prepare import PreparationConfig, Prepared, Skip, prepare
from data_pipeline.shards import Shard, ShardReport
from data_pipeline.teachers import Teacher

_PICTURES_AHEAD = 32  # pictures that may be prepared while an earlier, larger one is not finished


class Task(NamedTuple):
    """The shards to make of one kind of pictures.

    Attributes:
      kind: "photos" or "cartoons".
      source: folder of the pictures.
      shards: all shards of the kind, in order.
      preparation: the flags that shape the records.
      strict: whether a file that cannot be read ends the build.
      teacher: who draws the pictures, which are photos then; None: nobody.
      detector: who finds the faces in the pictures, which are photos then; None: nobody.
    """

    kind: str
    source: Folder
    shards: Sequence[Shard]
    preparation: PreparationConfig
    strict: bool
    teacher: Teacher | None
    detector: Detector | None

    def prepare(self, name: str) -> Prepared | Skip:
        """Prepare one picture, see `prepare.prepare`.

        Raises:
          InputError: the picture cannot be read, and the task is strict; the teacher cannot draw it; or there is
            another detector on this machine.
        """
        try:
            with self.source.open(name) as file:
                result = prepare(self.kind, file, name, self.preparation, self.teacher, self.detector)
        except (FileNotFoundError, PermissionError) as error:
            result = Skip("unreadable", error.strerror or str(error))
        if self.strict and isinstance(result, Skip) and result.reason == "unreadable":
            raise InputError(f"{self.source}/{name}: {result.detail}; repair or remove it, or omit --strict")
        return result


# Makes the missing shards of all tasks, and returns the reports of all shards, those of finished ones too.
MakeShards = Callable[[Sequence[Task], BuildFolder], dict[Shard, ShardReport]]


def build(
    sources: Mapping[str, Folder],
    output: Folder,
    preparation: PreparationConfig,
    make_shards: MakeShards,
    strict: bool = False,
    overwrite: bool = False,
) -> dict:
    """Build a data folder, or the missing part of an interrupted build.

    Args:
      sources: folders of the "photos" and, unless there is a teacher alone, of the "cartoons"; subfolders are searched
        too.
      output: the data folder: new, empty, or left by an interrupted build.
      preparation: the flags that shape the records.
      make_shards: `in_threads(...)`, or `beam_builder.on_beam(...)` for a cluster.
      strict: whether a file that cannot be read ends the build.
      overwrite: whether to replace other records in the folder.

    Returns:
      The content of dataset.json.

    Raises:
      InputError: a folder holds no picture that can be used, the output folder is in use, or there is no such teacher.
    """
    _check_folders(sources, output)
    detector = installed_detector() if preparation.faces else None
    listings = {kind: source.pictures() for kind, source in sources.items()}
    teacher = _find_teacher(preparation, sources, listings)
    plan = shards.describe_plan(preparation, listings, teacher, detector)
    tasks = []
    for kind, listing in listings.items():
        planned = shards.plan_shards(kind, listing.names, preparation.validation_fraction)
        helpers = (teacher, detector) if kind == "photos" else (None, None)
        tasks.append(Task(kind, sources[kind], planned, preparation, strict, *helpers))
    with output.locked():
        folder = BuildFolder(output)
        finished_dataset = folder.begin(plan, overwrite)
        if finished_dataset:
            return finished_dataset
        reports = make_shards(tasks, folder)
        dataset = shards.describe_dataset(plan, reports)
        if problem := shards.explain_missing_examples(dataset):
            folder.abandon()
            raise InputError(problem)
        folder.finish(dataset)
        return dataset


def _find_teacher(
    preparation: PreparationConfig, sources: Mapping[str, Folder], listings: Mapping[str, Listing]
) -> Teacher | None:
    """Return the teacher, with the palette of the cartoons if it is drawn with one."""
    teacher = preparation.find_teacher()
    if teacher is None or not teacher.abstraction.palette_colors:
        return teacher
    teacher.abstraction.check_colors(str(sources.get("cartoons", "")))
    cartoons = []
    for name in folders.evenly_spaced(listings["cartoons"].names, palettes.ENOUGH_PICTURES):
        with contextlib.suppress(InputError, OSError), sources["cartoons"].open(name) as file:
            cartoons.append(pictures.read_picture(file, preparation.max_pixels, name=name))
    if not cartoons:
        raise InputError(f"--cartoons_dir={sources['cartoons']}: no picture in it can be read")
    return teacher.with_palette_of(cartoons)


def _check_folders(sources: Mapping[str, Folder], output: Folder) -> None:
    if len({place_of(str(source)) for source in sources.values()}) < len(sources):
        raise InputError(f"--photos_dir and --cartoons_dir are both {sources['photos']}; name one folder of each kind")
    check_apart(str(output), {f"{kind}_dir": str(source) for kind, source in sources.items()})


def in_threads(num_workers: int) -> MakeShards:
    """Return a function that makes shards on this machine, in `num_workers` threads."""

    def make_shards(tasks: Sequence[Task], folder: BuildFolder) -> dict[Shard, ShardReport]:
        reports: dict[Shard, ShardReport] = {}
        with _one_opencv_thread_each():
            for task in tasks:
                reports |= _make_shards_of_kind(task, folder, num_workers)
        return reports

    return make_shards


@contextlib.contextmanager
def _one_opencv_thread_each() -> Iterator[None]:
    num_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(num_threads)


def _make_shards_of_kind(task: Task, folder: BuildFolder, num_workers: int) -> dict[Shard, ShardReport]:
    finished = folder.reports(task.shards)
    names = [name for shard in task.shards for name in shard.names]
    missing = [name for shard in task.shards if shard not in finished for name in shard.names]
    # One stream over all missing shards, so that no thread waits for the end of a shard.
    prepared = map_ahead(task.prepare, missing, num_workers, _PICTURES_AHEAD)
    duplicates = NearDuplicates(task.preparation.duplicate_bits)
    reports = {}
    with Bar(desc=task.kind, total=len(names), initial=len(names) - len(missing), unit="picture") as progress:
        for shard in task.shards:
            if shard in finished:
                reports[shard] = finished[shard]
                duplicates.add_all(finished[shard].hashes)
            else:
                results = _take(shard.names, prepared, progress)
                reports[shard] = folder.write_shard(shard, shards.skip_duplicates(results, duplicates.remember))
    return reports


def _take(names: Sequence[str], prepared: Iterator[Prepared | Skip], progress: Bar) -> dict[str, Prepared | Skip]:
    """Take the results of these pictures from the stream of prepared ones."""
    results = {}
    for name in names:
        results[name] = next(prepared)
        progress.update()
    return results
