"""What there is to draw, and where each result goes: decided and checked before anything is drawn."""

import collections
import dataclasses
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import film, film_reader, folders, pictures

STREAM = Path("-")  # standard input, or standard output


@dataclasses.dataclass(frozen=True)
class Job:
    """One picture or film to draw.

    Attributes:
      source: the file, or STREAM.
      target: the file to write, or STREAM.
      folder: the folder that was named to draw the source; None where the source itself was named.
      output_folder: what becomes of that folder.
    """

    source: Path
    target: Path
    folder: Path | None = None
    output_folder: Path | None = None

    @property
    def is_film(self) -> bool:
        return _is_film(self.source)


def find_jobs(arguments: Sequence[str], output: str = "", suffix: str = "") -> list[Job]:
    """The jobs for what was named on a command line.

    Args:
      arguments: pictures, films, folders of them, or "-" for standard input.
      output: where the result goes, if not beside the source: a file, or a folder if there is one, if the name ends
        in / or if several arguments are given; "-" is standard output.
      suffix: of the pictures to write, like ".png"; where it is empty, each keeps its own.

    Raises:
      InputError: a folder is empty, or the output cannot take what is given.
    """
    sources = list(dict.fromkeys(map(Path, arguments)))
    if Path(output) == STREAM and any(_is_film(source) or source.is_dir() for source in sources):
        raise InputError("--output=-: standard output takes one picture, no film or folder; name a file or a folder")
    if len(sources) < 2 or not output:
        return [job for source in sources for job in _jobs(source, output, suffix)]
    if Path(output) == STREAM or Path(output).suffix.lower() in (
        *pictures.WRITABLE_SUFFIXES,
        *film_reader.FILM_SUFFIXES,
    ):
        raise InputError(f"--output={output}: names one result, but several sources are given; name a folder")
    return [job for source in sources for job in _jobs_into(source, Path(output), suffix)]


def _jobs_into(source: Path, folder: Path, suffix: str) -> list[Job]:
    """The jobs for one of several arguments, whose results go into a folder that need not be there yet."""
    if source != STREAM and source.is_dir():
        return _folder_jobs(source, folder / source.resolve().name, suffix)
    return [Job(source, folder / _cartoon_name(source, suffix))]


def _jobs(source: Path, output: str, suffix: str) -> list[Job]:
    """The jobs for an only argument, or for one of those whose results go beside them."""
    if source != STREAM and source.is_dir():
        return _folder_jobs(source, Path(output or f"{os.path.abspath(source)}-cartoon"), suffix)
    if output and (Path(output).is_dir() or output.endswith(os.sep)):
        return [Job(source, Path(output) / _cartoon_name(source, suffix))]
    if output or source == STREAM:
        if suffix and not _is_film(source) and Path(output).suffix and Path(output).suffix.lower() != suffix:
            raise InputError(f"--output={output} and --format={suffix[1:]} name two formats; leave one of them out")
        return [Job(source, Path(output) if output else STREAM)]
    return [Job(source, source.with_name(_cartoon_name(source, suffix)))]


def _cartoon_name(source: Path, suffix: str) -> str:
    return f"cartoon{suffix or '.png'}" if source == STREAM else f"{source.stem}-cartoon{_suffix(source, suffix)}"


def _folder_jobs(folder: Path, output_folder: Path, suffix: str) -> list[Job]:
    """A job for each file below a folder, its tree kept; what an earlier run wrote below it is left out."""
    results = output_folder.resolve()
    results = results if folder.resolve() in results.parents else None  # that is, inside the folder
    sources = [file for file in folders.list_files(folder) if results not in file.resolve().parents]
    targets = [output_folder / source.relative_to(folder).with_suffix(_suffix(source, suffix)) for source in sources]
    count = collections.Counter(targets)
    return [
        Job(source, target if count[target] == 1 else _with_both_suffixes(source, target), folder, output_folder)
        for source, target in zip(sources, targets, strict=True)
    ]


def _with_both_suffixes(source: Path, target: Path) -> Path:
    """a.bmp.png for a.bmp, where there is an a.png too."""
    return target if source.suffix == target.suffix else target.with_name(f"{source.name}{target.suffix}")


def _is_film(source: Path) -> bool:
    return source.suffix.lower() in film_reader.FILM_SUFFIXES


def _suffix(source: Path, suffix: str) -> str:
    """Of the result: as asked for, or the source's own where it can be written with it."""
    if _is_film(source):
        return film.output_suffix(source)
    return suffix or (source.suffix if source.suffix.lower() in pictures.WRITABLE_SUFFIXES else ".png")


def left_to_do(jobs: list[Job], overwrite: bool) -> list[Job]:
    """The jobs of which there is no result yet, each of them checked.

    What a folder's result holds already is left as it is, so that a run that was cut off goes on; with `overwrite` it
    is drawn anew.

    Raises:
      InputError: a source is not there; a result would be written over a source, over another result or, without
        `overwrite`, over a file that was not asked to be drawn over; or it cannot be written there.
    """
    sources = {job.source.resolve() for job in jobs if job.source != STREAM}
    job_of: dict[Path, Job] = {}
    for job in jobs:
        other = job_of.setdefault(job.target, job)
        if other.source != job.source:
            raise InputError(f"{job.source} and {other.source} would both become {job.target}; draw one with --output")
        if job.source != STREAM and not job.folder and not job.source.exists():
            raise InputError(f"{job.source}: no such picture, film or folder")
        if job.target != STREAM:
            _check_target(job, sources, overwrite)
    return [job for job in jobs if overwrite or job.folder is None or not job.target.exists()]


def summary(found: list[Job], to_do: list[Job], not_drawn: Collection[Job]) -> str:
    """What became of jobs, in a line; "" if a result went to standard output.

    Args:
      found: all of them.
      to_do: of these, the ones without a result before.
      not_drawn: of these, the ones that could not be drawn.

    Raises:
      InputError: none of them could be drawn.
    """
    if len(not_drawn) == len(found):
        raise InputError("nothing could be drawn")
    drawn = [job.target for job in to_do if job not in not_drawn]
    if STREAM in drawn:
        return ""
    more = f" and {len(drawn) - 1} more" if len(drawn) > 1 else ""
    parts = [f"Wrote {drawn[0]}{more}" if drawn else "Nothing was left to draw"]
    if len(found) > len(to_do):
        parts.append(f"kept {len(found) - len(to_do)} that were there (--overwrite draws them anew)")
    if not_drawn:
        parts.append(f"skipped {len(not_drawn)}")
    return "; ".join(parts)


def status(not_drawn: Collection[Job]) -> int:
    """The exit status: 1 if a file that was named itself could not be drawn."""
    return int(any(job.folder is None for job in not_drawn))


def _check_target(job: Job, sources: set[Path], overwrite: bool) -> None:
    target = job.target
    if target.resolve() in sources:
        raise InputError(f"{target}: that is one of the photos to draw; name another --output, or move it away")
    if target.is_dir():
        raise InputError(f"{target}: a folder, where the result of {job.source} would go; name another --output")
    if target.exists() and job.folder is None and not overwrite:
        raise InputError(f"{target}: exists already; give --overwrite to write over it, or name another --output")
    if not job.is_film:
        pictures.check_writable_suffix(target)
    place = atomic.nearest_existing(target.parent)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise InputError(f"{target}: {place} is not a folder that can be written to; name another --output")
