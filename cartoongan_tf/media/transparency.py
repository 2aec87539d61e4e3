"""Transparent pictures: laid over white, or kept, with white where nothing can be seen."""

import numpy as np
from PIL import Image


def over_white(frame: np.ndarray) -> np.ndarray:
    """Return a frame laid over white: uint8 RGB or RGBA [H, W, 3 or 4] -> RGB."""
    if frame.shape[2] == 3:
        return frame
    image = Image.fromarray(np.ascontiguousarray(frame))
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))


def with_alpha(frame: np.ndarray) -> np.ndarray:
    """Return a frame with an alpha channel: uint8 RGB or RGBA [H, W, 3 or 4] -> RGBA."""
    return frame if frame.shape[2] == 4 else np.dstack([frame, np.full_like(frame[..., 0], 255)])


def whiten(frame: np.ndarray) -> np.ndarray:
    """Return a frame, uint8 RGBA [H, W, 4], that is white where it is wholly transparent."""
    whitened = np.array(frame)
    whitened[whitened[..., 3] == 0] = (255, 255, 255, 0)
    return whitened
