"""Draw the frames of a film so that what stands still in it stands still in the cartoon.

Two things make a cartoon flicker where the film does not move. Instance norm takes its statistics from each frame, so
a passer-by changes the colours of the wall behind: here they are averaged over the frames of a shot. And the generator
draws noise anew in each frame: here, where the film shows what it showed before, the cartoon keeps most of what it
drew before. Both begin anew at a cut. docs/film.md has what each of them does, measured.
"""

from collections.abc import Callable

import cv2
import numpy as np

from cartoongan_tf.media.shots import CutDetector

STEADINESS = 0.9  # share of the statistics, and of the drawing where the film stands still, kept from frame to frame
STILL_LEVELS = 6.0  # grey levels of change around which still becomes moving; sensor noise is 1 to 3
NEIGHBOURHOOD_PX = 2.0  # change is looked at over so many pixels (a Gaussian's sigma)
# What moves is drawn with a halo around it, which must move along: around it nothing counts as still.
_AROUND = np.ones((7, 7), np.uint8)


class StillRegions:
    """Keeps a drawing where the film stands still. A frame is compared with what the kept drawing was drawn from."""

    def __init__(self, keep: float = STEADINESS):
        self._keep = keep
        self._film = self._drawing = None

    def steady(self, frame: np.ndarray, cartoon: np.ndarray, begins: bool) -> np.ndarray:
        """uint8 RGB [H, W, 3] each -> the cartoon to show. `begins`: nothing before counts."""
        frame, drawn = frame.astype(np.float32), cartoon.astype(np.float32)
        if begins or self._film is None or frame.shape != self._film.shape:
            self._film, self._drawing = frame, drawn
            return cartoon
        change = cv2.GaussianBlur(np.abs(frame - self._film).mean(-1), (0, 0), NEIGHBOURHOOD_PX)
        change = cv2.dilate(change, _AROUND)
        keep = self._keep * np.exp(-np.square(change / STILL_LEVELS))[..., np.newaxis]
        self._film = frame + keep * (self._film - frame)
        self._drawing = drawn + keep * (self._drawing - drawn)
        return self._drawing.round().astype(np.uint8)


class SteadyDrawer:
    """Draws the frames of one film, in order. It remembers: use a new one for each film."""

    def __init__(self, draw: Callable, batch_limit: Callable[[int, int], int], keep_drawing: float = STEADINESS):
        """
        Args:
          draw: (uint8 RGB [N, H, W, 3], for each frame whether a shot begins with it, the norms' statistics before or
            None) -> (the cartoons, the statistics after).
          batch_limit: (H, W) -> how many such frames can be drawn at once.
          keep_drawing: where the film stands still, the share of the drawing that stays.
        """
        self._draw, self._batch_limit = draw, batch_limit
        self._cuts, self._still, self._statistics = CutDetector(), StillRegions(keep_drawing), None

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Draw the film's next frames: uint8 RGB [N, H, W, 3] -> the same."""
        limit = self._batch_limit(*frames.shape[1:3])
        parts = [self._draw_part(frames[start : start + limit]) for start in range(0, len(frames), limit)]
        return np.concatenate(parts)

    def _draw_part(self, frames: np.ndarray) -> np.ndarray:
        begins = [self._cuts.is_cut(frame) for frame in frames]
        cartoons, self._statistics = self._draw(frames, begins, self._statistics)
        return np.stack([self._still.steady(*pair) for pair in zip(frames, cartoons, begins, strict=True)])


def mixing_matrix(begins: list[bool], keep: float = STEADINESS) -> np.ndarray:
    """How the statistics of N frames are averaged over time.

    Args:
      begins: for each frame, whether a shot begins with it.
      keep: the share of the statistics that stays from one frame of a shot to the next.

    Returns:
      float32 [N, N + 1]: a row for each frame, with the weights of what was before (first column) and of each frame.
    """
    rows = [np.eye(1, len(begins) + 1)[0]]
    for index, shot_begins in enumerate(begins, 1):
        own = np.eye(1, len(begins) + 1, index)[0]
        rows.append(own if shot_begins else keep * rows[-1] + (1 - keep) * own)
    return np.stack(rows[1:]).astype(np.float32)
