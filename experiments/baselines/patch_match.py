"""PatchMatch (Barnes et al., 2009): for each patch of features the most alike of others', by chance and neighbours.

A field says for each place of a source where in a target its patch is: int [H, W, 2], rows and columns. All places take
their candidates at once, where the original goes through them one by one.
"""

from collections.abc import Iterator

import numpy as np

_NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))


def random_field(size: tuple[int, int], target_size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A field of the source's size that leads anywhere in the target."""
    return np.stack([rng.integers(0, side, size) for side in target_size], -1)


def enlarged(field: np.ndarray, size: tuple[int, int], target_size: tuple[int, int]) -> np.ndarray:
    """A field for pictures of twice the size, or about that.

    Args:
      field: int [h, w, 2].
      size, target_size: height and width of the new source and target.
    """
    rows, columns = np.mgrid[: size[0], : size[1]]
    inside = np.minimum(rows // 2, field.shape[0] - 1), np.minimum(columns // 2, field.shape[1] - 1)
    return _inside(2 * field[inside] + np.stack([rows % 2, columns % 2], -1), target_size)


def improve(
    field: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    patch_size: int,
    search_radius: int,
    num_iterations: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Lead each place to a patch that is more alike, if one is found.

    Args:
      field: to begin with, int [H, W, 2].
      source, target: features, float32 [H, W, D] and [h, w, D]; alike is what has a large product, as that of
        normalised features is largest where their squared distance is least.
      patch_size: its side; odd.
      search_radius: of the first random candidate; those after it are half as far, down to 1.
      num_iterations: rounds of candidates from neighbours and by chance.
      rng: of the latter.

    Returns:
      int [H, W, 2].
    """
    likeness = Likeness(source, target, patch_size)
    found = likeness(field, np.ones(field.shape[:2], bool))
    for _ in range(num_iterations):
        for candidate in _candidates(field, search_radius, rng):
            candidate = _inside(candidate(field), target.shape[:2])
            is_new = (candidate != field).any(-1)
            value = likeness(candidate, is_new)
            is_better = is_new & (value > found)
            field, found = np.where(is_better[..., np.newaxis], candidate, field), np.where(is_better, value, found)
    return field


class Likeness:
    """How alike the patches of two pictures are: the sum of the products of their features."""

    def __init__(self, source: np.ndarray, target: np.ndarray, patch_size: int):
        self._radius, self._size = patch_size // 2, source.shape[:2]
        self._source, self._target = self._padded(source), self._padded(target)

    def _padded(self, features: np.ndarray) -> np.ndarray:
        radius = self._radius
        return np.pad(features, ((radius, radius), (radius, radius), (0, 0)), "edge")

    def __call__(self, field: np.ndarray, where: np.ndarray) -> np.ndarray:
        """Of each place and where the field leads it, as far as `where`, bool [H, W]; elsewhere -inf."""
        values = np.full(self._size, -np.inf, np.float32)
        rows, columns = np.nonzero(where)
        target_rows, target_columns = field[rows, columns].T
        total = np.zeros(len(rows), np.float32)
        for down in range(2 * self._radius + 1):
            for right in range(2 * self._radius + 1):
                own = self._source[rows + down, columns + right]
                total += np.einsum("nd,nd->n", own, self._target[target_rows + down, target_columns + right])
        values[rows, columns] = total
        return values


def _candidates(field: np.ndarray, search_radius: int, rng: np.random.Generator) -> Iterator:
    """Functions of the field as it then is: where neighbours lead, moved by the step from them; and places nearby."""
    for step in _NEIGHBOURS:
        yield lambda now, step=step: np.roll(now, step, (0, 1)) + step
    radius = search_radius
    while radius >= 1:
        yield lambda now, radius=radius: now + rng.integers(-radius, radius + 1, now.shape)
        radius //= 2


def _inside(field: np.ndarray, target_size: tuple[int, int]) -> np.ndarray:
    return np.clip(field, 0, np.array(target_size) - 1)


def vote(picture: np.ndarray, field: np.ndarray, patch_size: int) -> np.ndarray:
    """Put a picture's patches where the field has them; where they overlap, their mean.

    Args:
      picture: the target, float32 [h, w, C].
      field: int [H, W, 2].
      patch_size: odd.

    Returns:
      float32 [H, W, C].
    """
    radius = patch_size // 2
    padded = np.pad(field, ((radius, radius), (radius, radius), (0, 0)), "edge")
    height, width = field.shape[:2]
    total = np.zeros((height, width, picture.shape[-1]), np.float32)
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            # The patch around the place (-down, -right) from here covers it at (down, right) of its middle.
            of_neighbour = padded[radius - down : radius - down + height, radius - right : radius - right + width]
            rows, columns = np.moveaxis(_inside(of_neighbour + np.array((down, right)), picture.shape[:2]), -1, 0)
            total += picture[rows, columns]
    return total / patch_size**2
