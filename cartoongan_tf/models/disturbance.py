"""Small disturbances of a photo, after which its drawing must be the same drawing (--stability_weight).

The paper leaves such "sequential constraints", for films, to future work. A disturbed photo is seen through a window a
little smaller than itself, at a random place, so that it moves without anything made up at its borders. It gets a
sensor's noise, and is lighter or darker, as films are from frame to frame.
"""

from keras import ops

MOVES_PX = 8  # sides of the window are so much smaller; a multiple of the 4 that a generator takes
NUM_DRAWS = 4  # random numbers for a photo
_MOST_NOISE = 3.0 / 127.5  # standard deviation; 3 of 255 levels
_MOST_BRIGHTER = 5.0 / 127.5
_BORDER_PX = 8  # here a drawing depends on what lies beyond the window, or its reflection


def disturb(photo, draws, noise):
    """Disturb photos, each in its own way.

    Args:
      photo: float32 RGB [B, S, S, 3] in [-1, 1].
      draws: uniform random numbers from 0 to less than 1, float32 [B, NUM_DRAWS].
      noise: normal random numbers, float32 [B, S - MOVES_PX, S - MOVES_PX, 3].

    Returns:
      float32 RGB [B, S - MOVES_PX, S - MOVES_PX, 3] in [-1, 1].
    """
    brightness, strength = (draws[:, index, None, None, None] for index in (2, 3))
    disturbed = through_window(photo, draws) + (2.0 * brightness - 1.0) * _MOST_BRIGHTER
    return ops.clip(disturbed + strength * _MOST_NOISE * noise, -1.0, 1.0)


def through_window(pictures, draws):
    """Cut out of pictures [B, S, S, C] what `disturb` sees of photos with these draws."""
    first = ops.cast(draws[:, :2] * (MOVES_PX + 1), "int32")
    rows = _cut(pictures, first[:, 0], axis=1)
    return _cut(rows, first[:, 1], axis=2)


def inside(pictures):
    """Cut the borders off, where a drawing of the whole photo and one of the window may differ."""
    return pictures[:, _BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX]


def _cut(pictures, first, axis: int):
    """Cut MOVES_PX pixels off a side of each picture, `first` [B] of them at its beginning.

    A sum of slices has a gradient that is fast and always the same; that of a gather is neither.
    """
    size = pictures.shape[axis] - MOVES_PX
    is_first = ops.one_hot(first, MOVES_PX + 1, dtype=pictures.dtype)[..., None, None, None]
    slices = [
        pictures[:, start : start + size] if axis == 1 else pictures[:, :, start : start + size]
        for start in range(MOVES_PX + 1)
    ]
    return sum(is_first[:, start] * seen for start, seen in enumerate(slices))
