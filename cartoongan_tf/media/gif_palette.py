"""One palette for all frames of a GIF, so that places that stand still have the same colour in every frame."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

_NUM_COLORS = 255  # one of the 256 is for transparency
_SAMPLED_PIXELS = 1_000_000  # of all frames together


def with_one_palette(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """Reduce frames, RGB or RGBA, to the 255 main colours of all of them, without dithering, which would flicker.

    Returns:
      images of mode P with the same palette; index 255 is transparent, where a frame's alpha is below a half.
    """
    palette = Image.fromarray(_sample(frames)).quantize(_NUM_COLORS)
    return [_reduce(frame, palette) for frame in frames]


def _sample(frames: Sequence[Image.Image]) -> np.ndarray:
    """Return evenly spaced pixels of all frames, uint8 RGB [1, N, 3]."""
    step = 1 + sum(frame.width * frame.height for frame in frames) // _SAMPLED_PIXELS
    pixels = [np.asarray(frame.convert("RGB")).reshape(-1, 3)[::step] for frame in frames]
    return np.concatenate(pixels)[np.newaxis]


def _reduce(frame: Image.Image, palette: Image.Image) -> Image.Image:
    reduced = frame.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
    if frame.mode == "RGBA":
        indices = np.array(reduced)
        indices[np.asarray(frame)[..., 3] < 128] = _NUM_COLORS
        masked = Image.fromarray(indices, "P")
        masked.putpalette(reduced.getpalette() or [])
        masked.info["transparency"] = _NUM_COLORS
        return masked
    return reduced
