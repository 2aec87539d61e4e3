"""The sizes of pictures that the generator takes."""

SIZE_MULTIPLE = 4  # the generator halves height and width twice
MINIMUM_SIZE_PX = 8  # its reflection padding needs two rows at a quarter of the resolution


def fitting_side(side: int) -> int:
    """Return the number of pixels that a side of `side` pixels is padded to."""
    return max(-(-side // SIZE_MULTIPLE) * SIZE_MULTIPLE, MINIMUM_SIZE_PX)
