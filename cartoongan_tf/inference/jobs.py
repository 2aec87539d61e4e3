"""The files to cartoonize and their targets, decided and checked before any work is done."""

import collections
import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TypeVar

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError, NoPictureError
from cartoongan_tf.media import film_formats, folders, pictures

PathLike = TypeVar("PathLike", bound=PurePath)

STREAM = Path("-")  # standard input, or standard output


@dataclasses.dataclass(frozen=True)
class Job:
    """One picture or film to cartoonize.

    Attributes:
      source: file to read, or STREAM.
      target: file to write, or STREAM.
      folder: folder on the command line in which the source lies; None if the source itself was named.
      output_folder: folder for the results of that folder.
    """

    source: Path
    target: Path
    folder: Path | None = None
    output_folder: Path | None = None

    @property
    def is_film(self) -> bool:
        return film_formats.is_film(self.source)


def find_jobs(arguments: Sequence[str], output: str = "", suffix: str = "") -> list[Job]:
    """Return the jobs for the arguments of a command line.

    Args:
      arguments: pictures, films, folders of them, or "-" for standard input.
      output: place for the results, if not beside the source: a file, or a folder if it exists as one, if its name
        ends in / or if there are several arguments; "-" is standard output.
      suffix: suffix of the pictures to write, like ".png"; where it is empty, each keeps its own.

    Raises:
      InputError: a folder is empty, or the output cannot take these sources.
    """
    sources = list(dict.fromkeys(map(Path, arguments)))
    if Path(output) == STREAM and any(film_formats.is_film(source) or source.is_dir() for source in sources):
        raise InputError("--output=-: standard output takes one picture, no film or folder; name a file or a folder")
    if len(sources) < 2 or not output:
        return [job for source in sources for job in _jobs_beside(source, output, suffix)]
    file_suffixes = (*pictures.WRITABLE_SUFFIXES, *film_formats.READABLE_SUFFIXES)
    if Path(output) == STREAM or Path(output).suffix.lower() in file_suffixes:
        raise InputError(f"--output={output}: names one result, but there are several sources; name a folder")
    return [job for source in sources for job in _jobs_into(source, Path(output), suffix)]


def left_to_do(jobs: list[Job], overwrite: bool) -> list[Job]:
    """Return the jobs without a result, after checking all of them.

    Existing results of a folder are kept, so that an interrupted run resumes; with `overwrite` they are made again.

    Raises:
      InputError: a source does not exist; a result would overwrite a source, another result or, without `overwrite`,
        the target of a source that was named itself; or the target cannot be written.
    """
    sources = {job.source.resolve() for job in jobs if job.source != STREAM}
    job_of: dict[Path, Job] = {}
    for job in jobs:
        other = job_of.setdefault(job.target, job)
        if other.source != job.source:
            raise InputError(f"{job.source} and {other.source} would both become {job.target}; give one an --output")
        if job.source != STREAM and not job.folder and not job.source.exists():
            raise InputError(f"{job.source}: no such picture, film or folder")
        if job.target != STREAM:
            _check_target(job, sources, overwrite)
    return [job for job in jobs if overwrite or job.folder is None or not job.target.exists()]


def summary(all_jobs: list[Job], to_do: list[Job], failed: Mapping[Job, InputError]) -> str:
    """Return one line about the results; "" if a result went to standard output.

    Args:
      all_jobs: all jobs.
      to_do: the jobs that had no result before.
      failed: the jobs that could not be done, and why.

    Raises:
      InputError: all jobs failed.
    """
    if len(failed) == len(all_jobs):
        raise InputError("nothing could be cartoonized")
    written = [job.target for job in to_do if job not in failed]
    if STREAM in written:
        return ""
    parts = []
    if not written:
        parts.append("Nothing to do")
    elif len(written) == 1:
        parts.append(f"Wrote {written[0]}")
    else:
        parts.append(f"Wrote {written[0]} and {len(written) - 1} more")
    num_kept = len(all_jobs) - len(to_do)
    if num_kept:
        parts.append(f"kept {num_kept} existing results (--overwrite makes them again)")
    if failed:
        num_others = sum(isinstance(problem, NoPictureError) for problem in failed.values())
        parts.append(f"skipped {len(failed)}")
        if num_others:
            parts[-1] += f", {num_others} of them no picture{'s' * (num_others > 1)}"
    return "; ".join(parts)


def status(failed: Collection[Job]) -> int:
    """Return the exit status: 1 if a file that was named itself could not be cartoonized."""
    return int(any(job.folder is None for job in failed))


def _jobs_into(source: Path, folder: Path, suffix: str) -> list[Job]:
    """Return the jobs for one of several arguments, with results in a folder that need not exist yet."""
    if source != STREAM and source.is_dir():
        return _folder_jobs(source, folder / source.resolve().name, suffix)
    return [Job(source, folder / _cartoon_name(source, suffix))]


def _jobs_beside(source: Path, output: str, suffix: str) -> list[Job]:
    """Return the jobs for the only argument, or for one of several without an output."""
    if source != STREAM and source.is_dir():
        return _folder_jobs(source, Path(output or f"{os.path.abspath(source)}-cartoon"), suffix)
    if output and (Path(output).is_dir() or output.endswith(os.sep)):
        return [Job(source, Path(output) / _cartoon_name(source, suffix))]
    if output:
        output_suffix = Path(output).suffix
        if suffix and not film_formats.is_film(source) and output_suffix and output_suffix.lower() != suffix:
            raise InputError(f"--output={output} and --format={suffix[1:]} name two formats; leave one of them out")
        return [Job(source, Path(output))]
    if source == STREAM:
        return [Job(source, STREAM)]
    return [Job(source, source.with_name(_cartoon_name(source, suffix)))]


def _cartoon_name(source: Path, suffix: str) -> str:
    return f"cartoon{suffix or '.png'}" if source == STREAM else f"{source.stem}-cartoon{_suffix(source, suffix)}"


def _folder_jobs(folder: Path, output_folder: Path, suffix: str) -> list[Job]:
    """Return a job for each file below a folder, with targets in the same tree; earlier results in it are skipped."""
    sources = folders.list_files(folder)
    results = output_folder.resolve()
    if folder.resolve() in results.parents:
        sources = [file for file in sources if results not in file.resolve().parents]
    targets = targets_in_tree([source.relative_to(folder) for source in sources], suffix)
    return [
        Job(source, output_folder / target, folder, output_folder)
        for source, target in zip(sources, targets, strict=True)
    ]


def targets_in_tree(sources: Sequence[PathLike], suffix: str) -> list[PathLike]:
    """Return the place of each source's result below a folder, where sources lie at the same places below theirs.

    Args:
      sources: all sources, relative to their folder.
      suffix: as of `find_jobs`.
    """
    targets = [source.with_suffix(_suffix(source, suffix)) for source in sources]
    count = collections.Counter(targets)
    return [
        _with_both_suffixes(source, target) if count[target] > 1 else target
        for source, target in zip(sources, targets, strict=True)
    ]


def _with_both_suffixes(source: PathLike, target: PathLike) -> PathLike:
    """Return a.bmp.png for a.bmp, used where there is also an a.png."""
    return target if source.suffix == target.suffix else target.with_name(f"{source.name}{target.suffix}")


def _suffix(source: PurePath, suffix: str) -> str:
    """Return the suffix of the result: the one asked for, or the source's own if it can be written."""
    if film_formats.is_film(source):
        return film_formats.output_suffix(source)
    return suffix or (source.suffix if source.suffix.lower() in pictures.WRITABLE_SUFFIXES else ".png")


def _check_target(job: Job, sources: set[Path], overwrite: bool) -> None:
    target = job.target
    if target.resolve() in sources:
        raise InputError(f"{target}: is one of the photos to cartoonize; name another --output, or move it away")
    if target.is_dir():
        raise InputError(f"{target}: a folder, where the result of {job.source} would go; name another --output")
    if target.exists() and job.folder is None and not overwrite:
        raise InputError(f"{target}: already exists; give --overwrite to replace it, or name another --output")
    if not job.is_film:
        pictures.check_writable_suffix(target)
    check_place(target)


def check_place(target: Path) -> None:
    """Raise InputError unless a file can be written there."""
    place = atomic.nearest_existing(target.parent)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise InputError(f"{target}: {place} is not a folder that can be written to; name another --output")
