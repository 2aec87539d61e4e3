"""Cartoons of picture and film files; reading and writing go on in threads while the model computes."""

import dataclasses
import functools
import io
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from cartoongan_tf.base.errors import InputError, first_line
from cartoongan_tf.base.progress import PictureBar
from cartoongan_tf.base.threads import map_ahead
from cartoongan_tf.inference.jobs import STREAM, Job
from cartoongan_tf.inference.steady import STEADINESS
from cartoongan_tf.media import pictures
from cartoongan_tf.media.pictures import Picture

if TYPE_CHECKING:
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from cartoongan_tf.inference.isolated import IsolatedCartoonizer

    AnyCartoonizer = Cartoonizer | IsolatedCartoonizer

Draw = Callable[[np.ndarray], np.ndarray]  # uint8 RGB [N, H, W, 3] -> the same
Outcome = tuple[Job, InputError | None]  # a job, and the reason why it has no result

_FILES_AHEAD = 2  # number of files read ahead, and of results waiting to be written: each holds its pixels in memory


@dataclasses.dataclass(frozen=True)
class RenderOptions:
    """Options for the look of cartoons.

    Attributes:
      long_side: longer side in pixels to which larger pictures are shrunk first; 0 keeps their size.
      strength, keep_colors: as in `Cartoonizer.__call__`.
      compare: whether to show the photo to the left of its cartoon.
      steadiness: share kept from frame to frame of films and animations, as both shares of `Cartoonizer.film`.
    """

    long_side: int = 0
    strength: float = 1.0
    keep_colors: bool = False
    compare: bool = False
    steadiness: float = STEADINESS

    def picture_drawer(self, cartoonizer: "AnyCartoonizer") -> Draw:
        """Return the function that cartoonizes pictures."""
        return functools.partial(cartoonizer, strength=self.strength, keep_colors=self.keep_colors)

    def film_drawer(self, cartoonizer: "AnyCartoonizer") -> Draw:
        """Return the function that cartoonizes the frames of one film."""
        return cartoonizer.film(self.steadiness, self.steadiness, self.strength, self.keep_colors)

    def render_frames(self, draw: Draw, frames: np.ndarray) -> np.ndarray:
        """Shrink and cartoonize frames, beside their photos if asked: uint8 RGB [N, H, W, 3] -> [N, H2, W2, 3]."""
        photos = np.stack([self.shrink(frame) for frame in frames])
        cartoons = draw(photos)
        return np.concatenate([photos, cartoons], axis=2) if self.compare else cartoons

    def render_frame(self, draw: Draw, frame: np.ndarray) -> np.ndarray:
        """Render a frame of a picture file, uint8 RGB or RGBA [H, W, 3 or 4], and keep its alpha."""
        photo = self.shrink(frame)
        cartoon = self.render_frames(draw, photo[np.newaxis, ..., :3])[0]
        alpha = photo[..., 3:]
        if self.compare:
            alpha = np.concatenate([alpha, alpha], axis=1)
        return np.concatenate([cartoon, alpha], axis=2)

    def render_picture(self, cartoonizer: "AnyCartoonizer", picture: Picture) -> Picture:
        """Render all frames of a picture file; those of an animation as a film, so that they do not flicker."""
        is_animation = bool(picture.durations_ms)
        draw = self.film_drawer(cartoonizer) if is_animation else self.picture_drawer(cartoonizer)
        return dataclasses.replace(picture, frames=[self.render_frame(draw, frame) for frame in picture.frames])

    def shrink(self, frame: np.ndarray) -> np.ndarray:
        """Shrink a frame, uint8 RGB or RGBA [H, W, 3 or 4], to the longer side asked for."""
        return pictures.shrink(frame, self.long_side) if self.long_side else frame


@dataclasses.dataclass(frozen=True)
class FileOptions:
    """Options for reading and writing files.

    Attributes:
      max_pixels: as in `pictures.read`.
      quality: as in `pictures.write` and `film.draw_film`.
      keep_metadata: whether to keep the date and the place of pictures and films.
      suffix: suffix of the format for standard output, like ".png"; the picture's own where it is empty.
      batch_size: number of frames of a film to cartoonize at once.
    """

    max_pixels: int = pictures.MAX_PIXELS
    quality: int = pictures.DEFAULT_QUALITY
    keep_metadata: bool = False
    suffix: str = ""
    batch_size: int = 4

    def read(self, job: Job) -> Picture:
        """Read the picture of a job; raises as `pictures.read`."""
        source = job.source if job.source != STREAM else io.BytesIO(sys.stdin.buffer.read())
        return pictures.read(source, self.max_pixels, with_metadata=self.keep_metadata)

    def write(self, job: Job, picture: Picture) -> None:
        """Write the result of a job; raises as `pictures.write`."""
        if job.target != STREAM:
            pictures.write(job.target, picture, self.quality)
            return
        content = pictures.encode(picture, self.suffix or picture.suffix, self.quality, "standard output")
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


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
        return job, _attempt(job, files.read, job)

    def draw(job: Job, picture: Picture | InputError) -> tuple[Job, Picture | InputError]:
        bar.begin(job.source.name)
        return job, _attempt(job, _naming_source, job, render.render_picture, cartoonizer, picture)

    def write(drawn: tuple[Job, Picture | InputError]) -> Outcome:
        job, picture = drawn
        problem = _attempt(job, files.write, job, picture)
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
        yield job, _attempt(job, _cartoonize_film, job, cartoonizer, render, files)


def _cartoonize_film(job: Job, cartoonizer: "AnyCartoonizer", render: RenderOptions, files: FileOptions) -> None:
    from cartoongan_tf.media import film

    render_frames = functools.partial(render.render_frames, render.film_drawer(cartoonizer))
    draw = functools.partial(_naming_source, job, render_frames)
    report = film.draw_film(job.source, job.target, draw, files.batch_size, files.quality, files.keep_metadata)
    for remark in report.remarks():
        print(f"{job.source}: {remark}", file=sys.stderr)


def _naming_source(job: Job, function: Callable, *values: Any) -> Any:
    """Return function(*values); name the job's source in an InputError that it raises."""
    try:
        return function(*values)
    except InputError as error:
        raise InputError(f"{job.source}: {error}") from error


def _attempt(job: Job, function: Callable, *values: Any) -> Any:
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


def _report_skipped(problem: InputError) -> None:
    tqdm.write(f"Skipped {problem}", file=sys.stderr)
