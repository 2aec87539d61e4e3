"""Options for drawing files: the look of the cartoons, and how files are read and written."""

import dataclasses
import functools
import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cartoongan_tf.inference.jobs import STREAM, Job
from cartoongan_tf.inference.steady import STEADINESS
from cartoongan_tf.media import pictures
from cartoongan_tf.media.pictures import Picture

if TYPE_CHECKING:
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from cartoongan_tf.inference.isolated import IsolatedCartoonizer

    AnyCartoonizer = Cartoonizer | IsolatedCartoonizer

Draw = Callable[[np.ndarray], np.ndarray]  # uint8 RGB [N, H, W, 3] -> the same


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
