"""The files of the frames that were chosen, written from their films."""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.base.threads import map_ahead
from cartoongan_tf.media import pictures
from cartoongan_tf.media.film_reader import opened
from data_pipeline.frames import film_analysis
from data_pipeline.frames.frame_set import ChosenFrame


def write_frames(folder: Path, frames: Sequence[ChosenFrame], long_side: int) -> None:
    """Write the frames that do not exist yet, each completely or not at all, with progress bars on standard error.

    Raises:
      InputError: a film has changed since it was analysed.
      OSError: the folder cannot be written.
    """
    missing = [frame for frame in frames if not (folder / frame.file).exists()]
    for _, frames_of_film in itertools.groupby(missing, key=lambda frame: frame.film.key):
        files = _pictures(folder, list(frames_of_film), long_side)
        for _ in map_ahead(lambda file: pictures.write_picture(*file), files, film_analysis.NUM_THREADS):
            pass


def _pictures(folder: Path, frames: Sequence[ChosenFrame], long_side: int) -> Iterator[tuple[Path, np.ndarray]]:
    """Yield the path and the picture, uint8 RGB [H, W, 3], of each of these frames, all of one film.

    The film is read from the start, and frames are recognized by their times.
    """
    film = frames[0].film
    paths_by_pts = {frame.pts: folder / frame.file for frame in frames}
    num_frames_to_read = max(frame.index for frame in frames) + 1
    with opened(film.path) as reader:
        progress = Bar(reader.frames(), desc=f"write from {film.path.name}", total=num_frames_to_read, unit="frame")
        for frame in progress:
            if path := paths_by_pts.pop(frame.time.pts, None):
                picture = film.analysis.picture_area.crop(frame.picture())
                yield path, _resize(picture, reader.aspect, long_side)
            if not paths_by_pts:
                return
    raise InputError(f"{film.path}: has changed since it was analysed; give the command again")


def _resize(picture: np.ndarray, aspect: Fraction, long_side: int) -> np.ndarray:
    """Make the pixels of a picture square, and shrink it.

    Args:
      picture: uint8 RGB [H, W, 3].
      aspect: width of its pixels divided by their height.
      long_side: longer side of the result, in pixels; 0 keeps the size.
    """
    height, width = picture.shape[:2]
    size = (round(width * max(aspect, 1)), round(height / min(aspect, 1)))
    if size != (width, height):
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    return pictures.shrink(picture, long_side) if long_side else picture
