"""Teachers, which draw the photos that a generator learns to draw: a trained generator, or the classical abstraction.

A trained generator is loaded when it first draws, once in a process. So a teacher is small, and travels to the workers
of a cluster by its name.
"""

import functools
import hashlib
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cartoongan_tf import styles
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import palettes
from cartoongan_tf.media.abstraction import DEFAULT, Abstraction, abstract

if TYPE_CHECKING:
    from cartoongan_tf.inference.cartoonizer import Cartoonizer

ABSTRACTION = "abstraction"
# A model uses all cores, and its memory is that of one photo.
_one_at_a_time = threading.Lock()


class Teacher(NamedTuple):
    """A teacher, ready to draw in any thread or process.

    Attributes:
      name: "abstraction", or a model as `Cartoonizer.load` takes it.
      sha256: hash of the model's files; "" for the abstraction.
      abstraction: parameters of the abstraction.
      palette: RGB colours, 0 to 255, that the abstraction is drawn with; empty: the photo's own.
    """

    name: str
    sha256: str
    abstraction: Abstraction
    palette: tuple[tuple[int, ...], ...] = ()

    def with_palette_of(self, cartoons: Sequence[np.ndarray]) -> "Teacher":
        """Return this teacher with the main colours of some cartoons, uint8 RGB [H, W, 3] each."""
        palette = palettes.find_palette(cartoons, self.abstraction.palette_colors)
        return self._replace(palette=tuple(map(tuple, palette.tolist())))

    def draw(self, photo: np.ndarray) -> np.ndarray:
        """Draw a photo, always in one piece, so that the drawing does not depend on the memory that is free.

        Args:
          photo: uint8 RGB [H, W, 3].

        Returns:
          uint8 RGB [H, W, 3].

        Raises:
          InputError: the model cannot be loaded, is not the one of `sha256`, or has no memory for the photo.
        """
        if self.name == ABSTRACTION:
            return abstract(photo, self.abstraction, np.array(self.palette, np.uint8) if self.palette else None)
        with _one_at_a_time:
            cartoonizer = _load(self.name, self.sha256)
            try:
                return cartoonizer(photo)
            except InputError as error:
                height, width = photo.shape[:2]
                raise InputError(
                    f"--teacher={self.name}: cannot draw {width} x {height} pixels in one piece on this machine; lower "
                    "--image_size or --crops_per_image"
                ) from error


def find_teacher(name: str, abstraction: Abstraction = DEFAULT) -> Teacher:
    """Return the teacher that --teacher names.

    Raises:
      InputError: there is no such style and no such file.
    """
    return Teacher(name, "" if name == ABSTRACTION else _hash_model(name), abstraction)


@functools.lru_cache(maxsize=1)
def _load(name: str, sha256: str) -> "Cartoonizer":
    from cartoongan_tf.inference.cartoonizer import Cartoonizer

    if _hash_model(name) != sha256:
        raise InputError(f"--teacher={name}: not the file that the build began with; give all workers the same one")
    try:
        return Cartoonizer.load(name, method="whole")
    except InputError as error:
        raise InputError(f"--teacher={name}: {error}") from error


def _hash_model(name: str) -> str:
    """Return the SHA-256 of a model's file, or of all files in its folder with their names."""
    try:
        path = styles.find_model(name)
    except InputError as error:
        raise InputError(f"--teacher={name}: {error}; or give --teacher={ABSTRACTION}") from error
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    digest = hashlib.sha256()
    for file in files:
        if file != path:
            digest.update(f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
