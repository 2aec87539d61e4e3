"""The frames of a film as cartoons that do not flicker where the film stands still."""

import numpy as np

from cartoongan_tf.inference.blending import blend_with_photo, keep_black_bars
from cartoongan_tf.inference.drawing_size import DrawingSize
from cartoongan_tf.inference.engine import Engine
from cartoongan_tf.inference.runtime import Statistics
from cartoongan_tf.inference.steady import StillRegions
from cartoongan_tf.media.shots import CutDetector


class FilmCartoonizer:
    """A cartoonizer for the frames of one film, in order.

    It owns all memory from frame to frame: the cut detector, the norms' statistics, the cartoon of still regions.
    Use a new one for each film.
    """

    def __init__(
        self,
        engine: Engine,
        size: DrawingSize,
        keep_statistics: float,
        keep_drawing: float,
        strength: float,
        keep_colors: bool,
    ):
        """
        Args:
          engine: the generator to run.
          size: the size at which to run it, and at which to find what stands still.
          keep_statistics, keep_drawing, strength, keep_colors: as in `Cartoonizer.film`.
        """
        self._engine = engine
        self._size = size
        self._keep_statistics = keep_statistics
        self._strength = strength
        self._keep_colors = keep_colors
        self._cuts = CutDetector()
        self._still_regions = StillRegions(keep_drawing)
        self._statistics: Statistics | None = None

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Cartoonize the next frames of the film.

        Args:
          frames: uint8 RGB [N, H, W, 3].

        Returns:
          uint8 RGB of the same shape.

        Raises:
          InputError: the frames are too large for the memory.
        """
        small = self._size.shrink(frames)
        height, width = small.shape[1:3]
        batch_size = self._engine.plan(height, width).batch_size
        batches = [small[start : start + batch_size] for start in range(0, len(small), batch_size)]
        cartoons = np.concatenate([self._next_batch(batch) for batch in batches])
        cartoons = self._size.enlarge(cartoons, frames)
        cartoons = np.stack([keep_black_bars(*pair) for pair in zip(frames, cartoons, strict=True)])
        return blend_with_photo(frames, cartoons, self._strength, self._keep_colors)

    def _next_batch(self, frames: np.ndarray) -> np.ndarray:
        shot_begins = [self._cuts.is_cut(frame) for frame in frames]
        cartoons = self._run(frames, shot_begins)
        steadied = []
        for frame, cartoon, begins in zip(frames, cartoons, shot_begins, strict=True):
            steadied.append(self._still_regions.steady(frame, cartoon, begins))
        return np.stack(steadied)

    def _run(self, frames: np.ndarray, shot_begins: list[bool]) -> np.ndarray:
        if not self._engine.keeps_statistics:
            return self._engine.run(frames)
        cartoons, self._statistics = self._engine.run_on_film(
            frames, shot_begins, self._statistics, self._keep_statistics
        )
        return cartoons
