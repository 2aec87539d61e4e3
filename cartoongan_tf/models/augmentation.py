"""Random changes of everything that the discriminator sees (Zhao et al. 2020, "DiffAugment"); not in the paper.

A discriminator that has few cartoons learns them by heart. It cannot if it never sees the same picture twice. Cartoons,
smoothed cartoons and generated pictures are all changed, and gradients go through the changes to the generator, so the
generator does not learn to draw them.
"""

from keras import ops

NUM_DRAWS = 7  # random numbers for a picture
_MOST_MOVED = 0.125  # share of the side
_CUT_SIDE = 0.5


def augment(pictures, draws, kind: str):
    """Change pictures at random, each in its own way.

    Args:
      pictures: float32 RGB [B, S, S, 3] in [-1, 1].
      draws: uniform random numbers from 0 to less than 1, float32 [B, NUM_DRAWS].
      kind: "geometry" moves pictures by up to an eighth of their side, and cuts out a square of half their side; what
        is left open is grey. "all" changes brightness, saturation and contrast first.

    Returns:
      float32 RGB [B, S, S, 3]; with "all" colours may leave [-1, 1].
    """
    brightness, saturation, contrast, down, right, row, column = ops.unstack(draws, NUM_DRAWS, axis=1)
    if kind == "all":
        pictures = _recolor(pictures, brightness, saturation, contrast)
    elif kind != "geometry":
        raise ValueError(f"no augmentation {kind!r}; there are geometry and all")
    size = pictures.shape[1]
    moved_down = ops.einsum("bij,bjkc->bikc", _shift_matrices(down, size), pictures)
    moved = ops.einsum("bij,bkjc->bkic", _shift_matrices(right, size), moved_down)
    cut = _is_cut(row, size)[:, :, None, None] & _is_cut(column, size)[:, None, :, None]
    return ops.where(cut, 0.0, moved)


def _recolor(pictures, brightness, saturation, contrast):
    """Add up to half the way to white or black, then scale the distances from each pixel's grey and from the mean."""
    brightness, saturation, contrast = (draw[:, None, None, None] for draw in (brightness, saturation, contrast))
    pictures = pictures + brightness - 0.5
    grey = ops.mean(pictures, axis=3, keepdims=True)
    pictures = grey + 2.0 * saturation * (pictures - grey)
    mean = ops.mean(pictures, axis=(1, 2, 3), keepdims=True)
    return mean + (0.5 + contrast) * (pictures - mean)


def _shift_matrices(draw, size: int):
    """Return matrices that move a column of pixels by up to an eighth of it, zeros behind it: float32 [B, size, size].

    A product with a matrix has a gradient that is fast and always the same; that of a gather is neither.
    """
    most = round(_MOST_MOVED * size)
    shift = ops.floor(draw * (2 * most + 1)) - most
    place = ops.arange(size, dtype="float32")
    return ops.cast(place[:, None] - place == shift[:, None, None], "float32")


def _is_cut(draw, size: int):
    """Return which rows, or columns, lie in a square around a random one: bool [B, size]."""
    cut_size = round(_CUT_SIDE * size)
    first = ops.floor(draw * (size + 1)) - cut_size // 2
    distance = ops.arange(size, dtype="float32") - first[:, None]
    return (distance >= 0) & (distance < cut_size)
