"""PatchMatch (Barnes et al., 2009): for each patch of features, the most alike of another picture's patches.

It searches by random candidates and by the matches of neighbours. A field gives each place of a source its match in a
target: int [H, W, 2], rows and columns. All places are updated at once; the original updates them one by one.
"""

import functools
from collections.abc import Callable, Iterator

import numpy as np

_NEIGHBOUR_STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))


def random_field(size: tuple[int, int], target_size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return a field of the source's size with random matches."""
    return np.stack([rng.integers(0, side, size) for side in target_size], -1)


def at_matches(target: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Return the target's features, [h, w, C], at the matches of a field: [H, W, C]."""
    return target[field[..., 0], field[..., 1]]


def enlarged(field: np.ndarray, size: tuple[int, int], target_size: tuple[int, int]) -> np.ndarray:
    """Return a field for pictures of about twice the size.

    Args:
      field: int [h, w, 2].
      size, target_size: height and width of the new source and target.
    """
    rows, columns = np.mgrid[: size[0], : size[1]]
    coarse_rows = np.minimum(rows // 2, field.shape[0] - 1)
    coarse_columns = np.minimum(columns // 2, field.shape[1] - 1)
    offsets = np.stack([rows % 2, columns % 2], -1)
    return _inside(2 * field[coarse_rows, coarse_columns] + offsets, target_size)


def improve(
    field: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    patch_size: int,
    search_radius: int,
    num_iterations: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Replace matches by better ones, if any are found.

    Args:
      field: field to start with, int [H, W, 2].
      source, target: features, float32 [H, W, D] and [h, w, D]. A larger product means more alike; for normalised
        features it is the same as a smaller squared distance.
      patch_size: side of the patches; odd.
      search_radius: radius of the first random candidate; the radius is halved down to 1.
      num_iterations: number of rounds, each with candidates from neighbours and random ones.
      rng: generator of the random candidates.

    Returns:
      int [H, W, 2].
    """
    likeness = Likeness(source, target, patch_size)
    best = likeness(field, np.ones(field.shape[:2], bool))
    for _ in range(num_iterations):
        for propose in _proposals(search_radius, rng):
            candidate = _inside(propose(field), target.shape[:2])
            is_new = (candidate != field).any(-1)
            value = likeness(candidate, is_new)
            is_better = is_new & (value > best)
            field = np.where(is_better[..., np.newaxis], candidate, field)
            best = np.where(is_better, value, best)
    return field


class Likeness:
    """A measure of how alike the patches of two pictures are: the sum of the products of their features."""

    def __init__(self, source: np.ndarray, target: np.ndarray, patch_size: int):
        self._radius = patch_size // 2
        self._size = source.shape[:2]
        self._source = _padded(source, self._radius)
        self._target = _padded(target, self._radius)

    def __call__(self, field: np.ndarray, where: np.ndarray) -> np.ndarray:
        """Compare places with their matches: float32 [H, W]; -inf outside `where`, bool [H, W]."""
        values = np.full(self._size, -np.inf, np.float32)
        rows, columns = np.nonzero(where)
        target_rows, target_columns = field[rows, columns].T
        total = np.zeros(len(rows), np.float32)
        for down in range(2 * self._radius + 1):
            for right in range(2 * self._radius + 1):
                features = self._source[rows + down, columns + right]
                target_features = self._target[target_rows + down, target_columns + right]
                total += np.einsum("nd,nd->n", features, target_features)
        values[rows, columns] = total
        return values


def _padded(values: np.ndarray, radius: int) -> np.ndarray:
    """Repeat the border of [H, W, C]."""
    return np.pad(values, ((radius, radius), (radius, radius), (0, 0)), "edge")


def _proposals(search_radius: int, rng: np.random.Generator) -> Iterator[Callable[[np.ndarray], np.ndarray]]:
    """Yield functions that propose a field from the present one: matches of neighbours, and random places nearby."""
    for step in _NEIGHBOUR_STEPS:
        yield functools.partial(_step_on, step)
    radius = search_radius
    while radius >= 1:
        yield functools.partial(_scatter, radius, rng)
        radius //= 2


def _step_on(step: tuple[int, int], field: np.ndarray) -> np.ndarray:
    """Propose the match of the neighbour one step away, moved by that step."""
    return np.roll(field, step, (0, 1)) + step


def _scatter(radius: int, rng: np.random.Generator, field: np.ndarray) -> np.ndarray:
    """Propose random places within a radius."""
    return field + rng.integers(-radius, radius + 1, field.shape)


def _inside(field: np.ndarray, target_size: tuple[int, int]) -> np.ndarray:
    return np.clip(field, 0, np.array(target_size) - 1)


def vote(picture: np.ndarray, field: np.ndarray, patch_size: int) -> np.ndarray:
    """Put a picture's patches at the places that they match, averaged where they overlap.

    Args:
      picture: target, float32 [h, w, C].
      field: int [H, W, 2].
      patch_size: odd.

    Returns:
      float32 [H, W, C].
    """
    radius = patch_size // 2
    padded = _padded(field, radius)
    height, width = field.shape[:2]
    total = np.zeros((height, width, picture.shape[-1]), np.float32)
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            # The patch of the place at (-down, -right) from here covers it, at (down, right) from the patch's middle.
            neighbour_field = padded[radius - down : radius - down + height, radius - right : radius - right + width]
            places = _inside(neighbour_field + np.array((down, right)), picture.shape[:2])
            total += at_matches(picture, places)
    return total / patch_size**2
