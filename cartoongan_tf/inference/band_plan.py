"""The order in which a generator's layers are computed in bands, and the memory that this takes."""

import dataclasses
from collections.abc import Collection

import numpy as np

from cartoongan_tf.models import kernel_limits
from cartoongan_tf.models.layer_graph import Node, norms, tensor_shapes

BAND_BYTES = 48 * 2**20  # size of the largest tensor of a band
_TENSORS_OF_A_BAND = 8  # number of them in memory at once


@dataclasses.dataclass(frozen=True)
class BandPlan:
    """The plan for a picture of one size. A tensor is named by the layer that computes it.

    Attributes:
      nodes: the layers, from `layer_graph`.
      shapes: shape of each layer's output, [1, H, W, C].
    """

    nodes: dict[str, Node]
    shapes: dict[str, tuple[int, int, int, int]]

    @classmethod
    def for_size(cls, nodes: dict[str, Node], height: int, width: int) -> "BandPlan":
        """Return the plan for a padded picture of that size in pixels."""
        return cls(nodes, tensor_shapes(nodes, height, width))

    @property
    def photo(self) -> str:
        return next(iter(self.nodes))

    @property
    def cartoon(self) -> str:
        return next(reversed(self.nodes))

    def norms_of(self, name: str) -> list[str]:
        """Return the norms that take a tensor."""
        return [norm for norm in norms(self.nodes) if self.nodes[norm].parents[0] == name]

    def steps(self) -> list[str]:
        """Return the tensors that need a pass of their own over the picture, in order."""
        before_norms = {self.nodes[norm].parents[0] for norm in norms(self.nodes)}
        stored_sums = {name for name, node in self.nodes.items() if len(node.parents) > 1 and self.is_stored(name)}
        return [name for name in self.nodes if name in before_norms or name in stored_sums]

    def is_stored(self, name: str) -> bool:
        """Return whether a step stores its tensor; at the picture's own resolution it would be too large."""
        return self.shapes[name][1] < self.shapes[self.photo][1]

    def num_bytes(self, name: str) -> int:
        """Return the size of a whole tensor; the photo is uint8, all others float32."""
        num_values = int(np.prod(self.shapes[name]))
        return num_values if name == self.photo else 4 * num_values

    def needed_from(self, step: str) -> set[str]:
        """Return the stored tensors on which a step, a later step, or the cartoon itself depends."""
        steps = self.steps()
        place = steps.index(step)
        stored_before = {name for name in steps[:place] if self.is_stored(name)} | {self.photo}
        needed = set()
        visited = set()
        to_visit = [*steps[place:], self.cartoon]
        while to_visit:
            name = to_visit.pop()
            if name in stored_before:
                needed.add(name)
            elif name not in visited:
                to_visit.extend(self.nodes[name].parents)
            visited.add(name)
        return needed

    def num_rows(self, name: str, stored: Collection[str]) -> int:
        """Return the number of rows in a band of a tensor, given the tensors that are stored."""
        return max(1, int(_band_bytes() / self.widest_row_bytes(name, stored)))

    def widest_row_bytes(self, name: str, stored: Collection[str]) -> float:
        """Return the bytes that a row of a tensor costs in the largest of the tensors that it is computed from."""
        return self._widest_row_bytes(name, stored, self.shapes[name][1])

    def _widest_row_bytes(self, name: str, stored: Collection[str], num_rows: int) -> float:
        _, height, width, channels = self.shapes[name]
        row_bytes = 4.0 * width * channels * height / num_rows
        if name in stored:
            return row_bytes
        parents = [self._widest_row_bytes(parent, stored, num_rows) for parent in self.nodes[name].parents]
        return max([row_bytes, *parents])

    def peak_bytes(self) -> int:
        """Return about the most memory that the run takes beyond the model."""
        stored_bytes = []
        for step in self.steps():
            stored = self.needed_from(step)
            if self.is_stored(step):
                stored.add(step)
            stored_bytes.append(sum(map(self.num_bytes, stored)))
        largest_tensor = max(self.num_bytes(name) for name in self.nodes)
        band_bytes = min(_band_bytes(), largest_tensor)
        _, height, width, _ = self.shapes[self.photo]
        return max(stored_bytes, default=0) + _TENSORS_OF_A_BAND * band_bytes + 12 * height * width


def _band_bytes() -> int:
    """Return the most bytes that the largest tensor of a band may take."""
    return min(BAND_BYTES, 4 * kernel_limits.most_values_before_bands())
