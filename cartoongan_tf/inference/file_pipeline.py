"""Cartoons of picture and film files; reading and writing go on in threads while the model computes."""

import functools
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from cartoongan_tf.base.errors import InputError, first_line
from cartoongan_tf.base.progress import PictureBar
from cartoongan_tf.base.threads import map_ahead
from cartoongan_tf.inference.file_options import Draw, FileOptions, RenderOptions
from cartoongan_tf.inference.jobs import Job
from cartoongan_tf.media.pictures import Picture

if TYPE_CHECKING:
    from cartoongan_tf.inference.file_options import AnyCartoonizer

Outcome = tuple[Job, InputError | None]  # a job, and the reason why it has no result

_FILES_AHEAD = 2  # number of files read ahead, and of results waiting to be written: each holds its pixels in memory


def find_bad_films(jobs: Iterable[Job]) -> dict[Job, InputError]:
    """Return the films that cannot be cartoonized, and why; takes a moment, so call it before a model is loaded."""
    problems = {}
    for job in jobs:
        if job.is_film:
            from cartoongan_tf.media import film

            try:
                film.check_film(job.source, job.target)
            except InputError as problem:
                problems[job] = problem
                _report_skipped(problem)
    return problems


def cartoonize_files(
    jobs: Iterable[Job],
    cartoonizer: "AnyCartoonizer",
    render: RenderOptions,
    files: FileOptions,
    bar: PictureBar,
) -> dict[Job, InputError]:
    """Cartoonize picture files, then films; a file that cannot be used is reported and skipped.

    Args:
      jobs: files to read and write.
      bar: progress bar over the pictures among them; each film has a bar of its own.

    Returns:
      the jobs without a result, and why.

    Raises:
      OSError: a result cannot be written, because the disk is full for example.
    """
    jobs = list(jobs)
    films = [job for job in jobs if job.is_film]
    stills = [job for job in jobs if not job.is_film]
    problems: dict[Job, InputError] = {}
    outcomes = itertools.chain(
        _cartoonize_pictures(stills, cartoonizer, render, files, bar),
        _cartoonize_films(films, cartoonizer, render, files),
    )
    for job, problem in outcomes:
        if problem is not None:
            problems[job] = problem
            _report_skipped(problem)
    return problems


def _cartoonize_pictures(
    jobs: list[Job], cartoonizer: "AnyCartoonizer", render: RenderOptions, files: FileOptions, bar: PictureBar
) -> Iterator[Outcome]:
    """Yield each picture's outcome when its result is written, in order."""

    def read(job: Job) -> tuple[Job, Picture | InputError]:
        return job, attempt(job, files.read, job)

    def draw(job: Job, picture: Picture | InputError) -> tuple[Job, Picture | InputError]:
        bar.begin(job.source.name)
        return job, attempt(job, _naming_source, job, render.render_picture, cartoonizer, picture)

    def write(drawn: tuple[Job, Picture | InputError]) -> Outcome:
        job, picture = drawn
        problem = attempt(job, files.write, job, picture)
        if isinstance(picture, Picture) and picture.remark:
            tqdm.write(f"{job.source}: {picture.remark}", file=sys.stderr)
        return job, problem

    drawn_pictures = itertools.starmap(draw, map_ahead(read, jobs, _FILES_AHEAD))
    with bar:
        for outcome in map_ahead(write, drawn_pictures, _FILES_AHEAD):
            bar.end()
            yield outcome


def _cartoonize_films(
    jobs: list[Job], cartoonizer: "AnyCartoonizer", render: RenderOptions, files: FileOptions
) -> Iterator[Outcome]:
    """Yield each film's outcome when its result is written, in order."""
    for job in jobs:
        result = attempt(job, cartoonize_film, job, cartoonizer, render, files)
        if isinstance(result, InputError):
            yield job, result
            continue
        for remark in result:
            print(f"{job.source}: {remark}", file=sys.stderr)
        yield job, None


def cartoonize_picture(job: Job, cartoonizer: "AnyCartoonizer", render: RenderOptions, files: FileOptions) -> list[str]:
    """Cartoonize one picture file, and return the remarks on it; raises as `pictures.read` and `pictures.write`."""
    picture = _naming_source(job, render.render_picture, cartoonizer, files.read(job))
    files.write(job, picture)
    return [picture.remark] if picture.remark else []


def cartoonize_film(job: Job, cartoonizer: "AnyCartoonizer", render: RenderOptions, files: FileOptions) -> list[str]:
    """Cartoonize one film, and return the remarks on it; raises as `film.draw_film`."""
    from cartoongan_tf.media import film

    draw = frame_drawer(job, cartoonizer, render)
    report = film.draw_film(job.source, job.target, draw, files.batch_size, files.quality, files.keep_metadata)
    return report.remarks()


def frame_drawer(job: Job, cartoonizer: "AnyCartoonizer", render: RenderOptions) -> Draw:
    """Return the function that draws the frames of one film in order, as `film.draw_film` takes it."""
    render_frames = functools.partial(render.render_frames, render.film_drawer(cartoonizer))
    return functools.partial(_naming_source, job, render_frames)


def attempt(job: Job, function: Callable, *values: Any) -> Any:
    """Return function(*values), or the reason why the job has no result: an InputError, raised or one of the values.

    What nobody foresaw costs one job, too, but for a disk that cannot be written. The error returned is a new one: the
    one raised holds its traceback, and so the pixels of the picture.
    """
    for value in values:
        if isinstance(value, InputError):
            return value
    try:
        return function(*values)
    except InputError as error:
        return type(error)(str(error))
    except OSError:
        raise
    except Exception as error:
        problem = f"{type(error).__name__}: {first_line(error)}"
        return InputError(f"{job.source}: {problem}; nobody foresaw that: please report it, with the file")


def _naming_source(job: Job, function: Callable, *values: Any) -> Any:
    """Return function(*values); name the job's source in an InputError that it raises."""
    try:
        return function(*values)
    except InputError as error:
        raise InputError(f"{job.source}: {error}") from error


def _report_skipped(problem: InputError) -> None:
    tqdm.write(f"Skipped {problem}", file=sys.stderr)
