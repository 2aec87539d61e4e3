"""A generator that runs on pictures and frames of any size, within the limits of the machine."""

from collections.abc import Callable

import numpy as np

from cartoongan_tf.base import memory
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.planning import USABLE_SHARE, Method, Plan, Planner
from cartoongan_tf.inference.runtime import Runtime, Statistics


class Engine:
    """A runtime with the choice between one piece and parts; may be used from several threads."""

    def __init__(self, runtime: Runtime, method: Method, on_progress: Callable[[float], None]):
        """
        Args:
          runtime, method, on_progress: as in `Cartoonizer`.

        Raises:
          InputError: the runtime has no bands, and the method asks for them.
        """
        if method == "banded" and not runtime.has_bands:
            raise InputError(f"{runtime.name} cannot run in bands; give the .keras file, or another --method")
        self._runtime = runtime
        self._planner = Planner(runtime, method)
        self._on_progress = on_progress

    @property
    def keeps_statistics(self) -> bool:
        """Whether `run_on_film` averages the norms' statistics over time."""
        return self._runtime.has_statistics

    def plan(self, height: int, width: int) -> Plan:
        """Return the plan for pictures or frames of a size; see `Planner.plan`."""
        return self._planner.plan(height, width)

    def run(self, photos: np.ndarray) -> np.ndarray:
        """Run on pictures, each by itself: uint8 RGB [N, H, W, 3] -> the same.

        Raises:
          InputError: they are too large for the memory, or the device ran out of it.
        """
        height, width = photos.shape[1:3]
        plan = self.plan(height, width)
        if not plan.in_bands:
            try:
                return self._run_in_one_piece(photos, plan.batch_size)
            except MemoryError as error:  # a GPU's, most often: its memory cannot be asked for beforehand
                self._planner.require_bands(error)
        with memory.promised(self._runtime.banded_bytes(height, width), USABLE_SHARE):
            cartoons = []
            for photo in photos:
                cartoon, _ = self._runtime.draw_in_bands(photo, None, 0.0, self._on_progress)
                cartoons.append(cartoon)
            return np.stack(cartoons)

    def _run_in_one_piece(self, photos: np.ndarray, batch_size: int) -> np.ndarray:
        height, width = photos.shape[1:3]
        num_at_once = min(batch_size, len(photos))
        with memory.promised(num_at_once * self._planner.one_piece_bytes(height, width), USABLE_SHARE):
            batches = [photos[start : start + batch_size] for start in range(0, len(photos), batch_size)]
            cartoons = [self._runtime.draw(batch) for batch in batches]
        return cartoons[0] if len(cartoons) == 1 else np.concatenate(cartoons)

    def run_on_film(
        self, frames: np.ndarray, shot_begins: list[bool], statistics: Statistics | None, keep: float
    ) -> tuple[np.ndarray, Statistics | None]:
        """Run on the next frames of a film, the norms' statistics averaged over the frames of a shot.

        Args:
          frames: uint8 RGB [N, H, W, 3], N at most the batch size of `plan`.
          shot_begins: for each frame, whether a shot begins with it.
          statistics: the statistics after the frames before; None at the beginning.
          keep: the share of the statistics kept from frame to frame, from 0 to below 1.

        Returns:
          uint8 RGB [N, H, W, 3], and the statistics after these frames.

        Raises:
          InputError: as `run`.
        """
        height, width = frames.shape[1:3]
        keeps = np.where(shot_begins, 0.0, keep).astype(np.float32)
        if not self.plan(height, width).in_bands:
            try:
                return self._runtime.draw_film(frames, statistics, keeps)
            except MemoryError as error:
                self._planner.require_bands(error)
        cartoons = []
        for frame, kept in zip(frames, keeps, strict=True):
            cartoon, statistics = self._runtime.draw_in_bands(frame, statistics, kept, self._on_progress)
            cartoons.append(cartoon)
        return np.stack(cartoons), statistics
