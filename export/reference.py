"""The generator to export, as the reference that every exported file is compared with."""

import dataclasses
import functools
from collections.abc import Callable, Iterator

import keras
import numpy as np

from cartoongan_tf.inference.steady import STEADINESS
from cartoongan_tf.inference.tflite_model import TFLiteGenerator
from cartoongan_tf.models import pixels
from cartoongan_tf.models.layer_graph import average, layer_graph, no_statistics, run_on_film
from export import parity

Size = tuple[int, int] | None  # height and width in pixels; None: each photo's own


class Reference:
    """A generator, and the photos to compare exported files on.

    Attributes:
      generator: float32 RGB [N, H, W, 3] in [-1, 1] -> the same.
      photos: uint8 RGB [H, W, 3] each.
      keras_sha256: SHA-256 of the generator's .keras file.
    """

    def __init__(self, generator: keras.Model, photos: list[np.ndarray], keras_sha256: str = ""):
        self.generator = generator
        self.photos = photos
        self.keras_sha256 = keras_sha256
        self._cartoons: dict[Size, list[np.ndarray]] = {}
        self._films: dict[Size, list[np.ndarray]] = {}

    def drawn_photos(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the photos, cut to sizes that the generator takes, and their cartoons: uint8 RGB [H, W, 3] each."""
        photos = [parity.fitting(photo) for photo in self.photos]
        cartoons = self._cartoons_of(photos, None)
        return list(map(_to_picture, photos)), list(map(_to_picture, cartoons))

    def compare(
        self, run: Callable[[np.ndarray], np.ndarray], size: Size = None, max_photos: int | None = None
    ) -> parity.Parity:
        """Compare an exported file with the generator.

        Args:
          run: runs the file; float32 RGB [1, H, W, 3] in [-1, 1] -> the same.
          size: the size to bring all photos to.
          max_photos: number of photos to compare on, at most; None: all of them.
        """
        photos = [parity.fitting(photo, size) for photo in self.photos[:max_photos]]
        return parity.compare([run(photo) for photo in photos], self._cartoons_of(photos, size))

    def compare_tflite(self, run: TFLiteGenerator, size: Size = None, max_photos: int | None = None) -> parity.Parity:
        """Compare a .tflite file with the generator, otherwise as `compare`.

        If it has a signature for films, the least PSNR and SSIM count for two frames of a film, too.
        """
        of_photos = self.compare(run, size, max_photos)
        if run.no_statistics is None:
            return of_photos
        first = parity.fitting(self.photos[0], size)
        clip = (first, first[:, :, ::-1])
        cartoons = list(_draw_film(run.draw_frame, clip, run.no_statistics))
        of_film = parity.compare(cartoons, self._film_of(clip, size))
        return dataclasses.replace(
            of_photos,
            psnr_db=min(of_photos.psnr_db, of_film.psnr_db),
            ssim=min(of_photos.ssim, of_film.ssim),
        )

    def _cartoons_of(self, photos: list[np.ndarray], size: Size) -> list[np.ndarray]:
        """Return the cartoons of the first photos; the generator draws each once for each size."""
        cartoons = self._cartoons.setdefault(size, [])
        with parity.on_cpu():
            cartoons += [np.asarray(self.generator(photo)) for photo in photos[len(cartoons) :]]
        return cartoons[: len(photos)]

    def _film_of(self, clip: tuple[np.ndarray, ...], size: Size) -> list[np.ndarray]:
        if size not in self._films:
            self._films[size] = self._draw_frames(clip)
        return self._films[size]

    def _draw_frames(self, clip: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        nodes = layer_graph(self.generator)

        def draw_frame(photo, before, keep):
            return run_on_film(nodes, photo, before, functools.partial(average, keep=keep))

        with parity.on_cpu():
            return [np.asarray(cartoon) for cartoon in _draw_film(draw_frame, clip, no_statistics(nodes))]


def _to_picture(batch: np.ndarray) -> np.ndarray:
    return np.asarray(pixels.to_uint8(batch))[0]


def _draw_film(draw_frame: Callable, clip: tuple[np.ndarray, ...], statistics: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the cartoons of a film's frames; see `TFLiteGenerator.draw_frame`."""
    for number, photo in enumerate(clip):
        cartoon, statistics = draw_frame(photo, statistics, STEADINESS if number else 0.0)
        yield cartoon
