"""The neighbourhood of the photo on which a pixel of the cartoon depends."""

from cartoongan_tf.inference.row_rules import Rows, rule_for
from cartoongan_tf.models.layer_graph import Node, norms, tensor_shapes
from cartoongan_tf.models.picture_sizes import SIZE_MULTIPLE

_SIDE_PX = 8192  # of a picture that is larger than any neighbourhood


def find_reach(nodes: dict[str, Node]) -> int | None:
    """Return the number of pixels on each side on which a pixel of a cartoon depends.

    Args:
      nodes: the layers, from `layer_graph`; kernels are square.

    Returns:
      the number of pixels; None if instance norms make it the whole picture.
    """
    if norms(nodes):
        return None
    heights = {name: shape[1] for name, shape in tensor_shapes(nodes, _SIDE_PX, SIZE_MULTIPLE).items()}
    middle = _SIDE_PX // 2
    reach = 0
    for row in range(middle, middle + SIZE_MULTIPLE):
        needed = _needed_of_photo(nodes, heights, Rows(row, row + 1))
        reach = max(reach, row - needed.start, needed.stop - 1 - row)
    return reach


def _needed_of_photo(nodes: dict[str, Node], heights: dict[str, int], rows: Rows) -> Rows:
    """Return the rows of the photo on which some rows of the cartoon depend."""
    needed = {next(reversed(nodes)): rows}
    for name in reversed(nodes):
        for parent in nodes[name].parents:
            of_parent = rule_for(nodes[name].layer).needed(needed[name], heights[parent])
            so_far = needed.get(parent, of_parent)
            needed[parent] = Rows(min(so_far.start, of_parent.start), max(so_far.stop, of_parent.stop))
    return needed[next(iter(nodes))]
