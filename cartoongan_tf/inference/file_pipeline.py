"""Draw picture files: reading and writing go on in threads while the model computes."""

import dataclasses
import functools
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.threads import map_ahead
from cartoongan_tf.inference.blending import blend_with_photo
from cartoongan_tf.inference.jobs import STREAM, Job
from cartoongan_tf.inference.steady import STEADINESS
from cartoongan_tf.media import pictures
from cartoongan_tf.media.pictures import Picture

if TYPE_CHECKING:
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from cartoongan_tf.inference.isolated import IsolatedCartoonizer

Draw = Callable[[np.ndarray], np.ndarray]

FILES_AHEAD = 2  # read before they are drawn, and as many waiting to be written: each holds its pixels in memory


@dataclasses.dataclass(frozen=True)
class RenderOptions:
    """How results look.

    Attributes:
      long_side: in pixels; larger pictures are drawn shrunk to it. 0: as large as they are.
      strength, keep_colors: see `Cartoonizer`.
      compare: show the photo to the left of its cartoon.
      steadiness: of films and animations; both shares of `Cartoonizer.film`.
    """

    long_side: int = 0
    strength: float = 1.0
    keep_colors: bool = False
    compare: bool = False
    steadiness: float = STEADINESS

    def film(self, cartoonizer: "Cartoonizer | IsolatedCartoonizer") -> Draw:
        """What draws the frames of one film."""
        return cartoonizer.film(self.steadiness, self.steadiness)

    def draw_frames(self, draw: Draw, frames: np.ndarray) -> np.ndarray:
        """Draw frames with a cartoonizer or a film: uint8 RGB [N, H, W, 3] -> what to show."""
        photos = np.stack([self.shrink(frame) for frame in frames])
        cartoons = blend_with_photo(photos, draw(photos), self.strength, self.keep_colors)
        return np.concatenate([photos, cartoons], axis=2) if self.compare else cartoons

    def draw_frame(self, draw: Draw, frame: np.ndarray) -> np.ndarray:
        """Draw a frame of a picture file, uint8 RGB or RGBA [H, W, 3 or 4], its alpha kept."""
        frame = self.shrink(frame)
        cartoon = self.draw_frames(draw, frame[np.newaxis, ..., :3])[0]
        alpha = np.concatenate([frame[..., 3:]] * (2 if self.compare else 1), axis=1)
        return np.concatenate([cartoon, alpha], axis=2)

    def shrink(self, frame: np.ndarray) -> np.ndarray:
        return pictures.shrink(frame, self.long_side) if self.long_side else frame


@dataclasses.dataclass(frozen=True)
class FileOptions:
    """How picture files are read and written.

    Attributes:
      max_pixels, quality: see `pictures.read` and `pictures.write`.
      suffix: of what goes to standard output, like ".png"; the picture's own where it is empty.
    """

    max_pixels: int = pictures.MAX_PIXELS
    quality: int = pictures.DEFAULT_QUALITY
    suffix: str = ""

    def read(self, job: Job) -> Picture:
        if job.source != STREAM:
            return pictures.read(job.source, self.max_pixels)
        return pictures.read(io.BytesIO(sys.stdin.buffer.read()), self.max_pixels)

    def write(self, job: Job, picture: Picture) -> None:
        if job.target != STREAM:
            pictures.write(job.target, picture, self.quality)
            return
        content = pictures.encode(picture, self.suffix or picture.suffix, self.quality, "standard output")
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def draw_pictures(
    jobs: Iterable[Job],
    cartoonizer: "Cartoonizer | IsolatedCartoonizer",
    look: RenderOptions,
    files: FileOptions,
    on_begin: Callable[[Job], None] = lambda job: None,
) -> Iterator[tuple[Job, InputError | None]]:
    """Draw picture files, in their order; `on_begin` is called with each before it is drawn.

    Yields:
      each job when its result is written, or with the reason why there is none.

    Raises:
      OSError: a result cannot be written: the disk is full, say.
    """
    read = map_ahead(lambda job: (job, _attempt(files.read, job)), jobs, FILES_AHEAD)

    def draw(job: Job, picture: Picture | InputError) -> Picture | InputError:
        on_begin(job)
        return _attempt(functools.partial(draw_named, job, draw_picture, cartoonizer, look), picture)

    drawn = ((job, draw(job, picture)) for job, picture in read)
    yield from map_ahead(lambda pair: (pair[0], _attempt(files.write, *pair)), drawn, FILES_AHEAD)


def draw_picture(cartoonizer: "Cartoonizer | IsolatedCartoonizer", look: RenderOptions, picture: Picture) -> Picture:
    """Draw all frames of a picture file: those of an animation steadily, as a film's."""
    draw = look.film(cartoonizer) if picture.durations_ms else cartoonizer
    return dataclasses.replace(picture, frames=[look.draw_frame(draw, frame) for frame in picture.frames])


def draw_named(job: Job, function: Callable, *values: Any) -> Any:
    """Return function(*values); where that raises InputError, name the job's source in it."""
    try:
        return function(*values)
    except InputError as error:
        raise InputError(f"{job.source}: {error}") from error


def _attempt(function: Callable, *values: Any) -> Any:
    """function(*values), or the InputError that it raises, or that one of the values is."""
    problem = next((value for value in values if isinstance(value, InputError)), None)
    if problem is not None:
        return problem
    try:
        return function(*values)
    except InputError as error:
        return error
