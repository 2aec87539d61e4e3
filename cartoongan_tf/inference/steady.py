"""Methods against flicker in cartoon films.

Two things make a cartoon flicker where the film does not move. Instance norm takes its statistics from each frame, so
a passer-by changes the colours of the wall behind; runtimes average the statistics over the frames of a shot.
The generator also draws different noise in each frame; `StillRegions` keeps most of the earlier cartoon where the film
has not changed. Both start again at a cut. docs/film.md has measurements of each.
"""

import cv2
import numpy as np

STEADINESS = 0.9  # share of the statistics, and of the cartoon where the film stands still, kept from frame to frame
STILL_LEVELS = 6.0  # grey levels of change around which still becomes moving; sensor noise is 1 to 3
NEIGHBOURHOOD_PX = 2.0  # sigma of the Gaussian over which change is averaged
# Moving things are drawn with a halo, which must move along; nothing so near to them counts as still.
_HALO = np.ones((7, 7), np.uint8)


class StillRegions:
    """The cartoon so far, kept where the film stands still.

    A frame is compared with the frames from which the kept cartoon was made.
    """

    def __init__(self, keep: float = STEADINESS):
        """
        Args:
          keep: share of the cartoon kept from frame to frame where nothing moves, from 0 to below 1.
        """
        self._keep = keep
        # The kept cartoon, and the frames it was made from averaged like it: float32 [H, W, 3].
        self._drawing = np.zeros((0, 0, 3), np.float32)
        self._film = self._drawing

    def steady(self, frame: np.ndarray, cartoon: np.ndarray, begins: bool) -> np.ndarray:
        """Return the cartoon to show for the next frame.

        Args:
          frame: uint8 RGB [H, W, 3].
          cartoon: the same of its cartoon.
          begins: whether a shot begins with this frame, so that nothing is kept.

        Returns:
          uint8 RGB [H, W, 3].
        """
        photo = frame.astype(np.float32)
        drawing = cartoon.astype(np.float32)
        if begins or frame.shape != self._film.shape:
            self._film = photo
            self._drawing = drawing
            return cartoon
        change = cv2.GaussianBlur(np.abs(photo - self._film).mean(-1), (0, 0), NEIGHBOURHOOD_PX)
        change = cv2.dilate(change, _HALO)
        keep = self._keep * np.exp(-np.square(change / STILL_LEVELS))[..., np.newaxis]
        self._film = photo + keep * (self._film - photo)
        self._drawing = drawing + keep * (self._drawing - drawing)
        return self._drawing.round().astype(np.uint8)
