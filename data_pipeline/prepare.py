"""One picture -> the training examples made of it, or why there are none. Knows nothing of TensorFlow.

What comes out is a pure function of the picture's bytes, its name and the `PreparationConfig`, wherever it is computed.
"""

import dataclasses
import os
from typing import BinaryIO, Literal, NamedTuple

import cv2
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.media import pictures
from data_pipeline.edge_smoothing import Smoothing, smooth_edges
from data_pipeline.near_duplicates import MAX_BITS, SAME_PICTURE_BITS, perceptual_hash

PARTS = {"photos": ("photo",), "cartoons": ("cartoon", "smoothed")}  # the pictures in an example of each kind
SkipReason = Literal["unreadable", "tiny", "blank", "duplicate"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PreparationConfig(Config):
    """What shapes the records, apart from the pictures themselves: these flags are kept with them."""

    image_size: int = option("Side of the square training pictures, in pixels; a multiple of 4.", 256, at_least=32)
    crops_per_image: int = option(
        "Most squares to cut out of a picture, side by side. 1 is the paper's: the short side is resized to "
        "--image_size, the middle is kept. More: large pictures are resized less, and give several squares.",
        1,
        at_least=1,
    )
    validation_fraction: float = option(
        "Share of the pictures, 0 to 1, that training never sees; all squares of a picture go to one side.",
        0.0,
        at_least=0,
        below=1,
    )
    min_side_px: int = option(
        "Drop pictures whose short side is shorter, in pixels; 0: than half of --image_size.", 0, at_least=0
    )
    min_contrast: float = option(
        "Drop squares whose brightness varies less (standard deviation, in grey levels); 0 keeps blank ones.",
        3.0,
        at_least=0,
    )
    duplicate_bits: int = option(
        "Drop pictures whose perceptual hash differs in so many of its 256 bits, or fewer, from an earlier one's: "
        f"{SAME_PICTURE_BITS} finds copies in other sizes and qualities; -1 keeps all.",
        SAME_PICTURE_BITS,
        at_least=-1,
        at_most=MAX_BITS,
    )
    max_pixels: int = option("Skip pictures with more pixels, before decoding them.", pictures.MAX_PIXELS, at_least=1)
    smoothing: Literal["gaussian", "mean"] = option(
        "Blur of the cartoons' edges: gaussian is the paper's, mean the authors' own.", Smoothing.kind
    )
    smoothing_kernel_px: int = option("Size of the blur; odd.", Smoothing.kernel_px, at_least=3)
    smoothing_feather_px: int = option(
        "Let the blur fade out over so many pixels around the edges; 0, a hard border, is the paper's.",
        Smoothing.feather_px,
        at_least=0,
    )
    edge_dilation_px: int = option(
        "Width to which edges are widened before they are blurred; odd.", Smoothing.dilation_px, at_least=1
    )
    canny_low: int = option("Canny's lower threshold: weaker edges never count.", Smoothing.canny_low, at_least=0)
    canny_high: int = option("Canny's upper threshold: lower it for soft drawings.", Smoothing.canny_high, at_least=0)

    def __post_init__(self):
        super().__post_init__()
        require(
            self,
            "image_size",
            self.image_size % 4 == 0,
            "must be a multiple of 4",
        )
        self.edge_smoothing()

    def edge_smoothing(self) -> Smoothing:
        """The smoothing that the flags describe. Raises InputError where one is impossible."""
        return Smoothing(
            kind=self.smoothing,
            kernel_px=self.smoothing_kernel_px,
            dilation_px=self.edge_dilation_px,
            canny_low=self.canny_low,
            canny_high=self.canny_high,
            feather_px=self.smoothing_feather_px,
        )

    def parameters(self) -> dict:
        """The flags of this class alone, by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(PreparationConfig)}


class Skip(NamedTuple):
    """Why a picture gives no example."""

    reason: SkipReason
    detail: str


class Prepared(NamedTuple):
    """What a picture gives.

    Attributes:
      examples: each one's features: PNG bytes by the names in PARTS, `source` and `box` (see `records`).
      hash: of its middle square, or of another one where that is blank; see `near_duplicates`.
    """

    examples: list[dict[str, bytes | list[int]]]
    hash: int


class Square(NamedTuple):
    """A square in a picture, in its pixels."""

    top: int
    left: int
    side: int


def prepare(kind: str, file: BinaryIO, name: str, preparation: PreparationConfig) -> Prepared | Skip:
    """Read, cut, resize and encode a picture; smooth a cartoon's edges.

    Args:
      kind: "photos" or "cartoons".
      file: open for reading; it can seek.
      name: of the picture, for the records.
      preparation: see there.

    Raises:
      OSError: the file could not be read through, for a reason that does not lie in it.
    """
    try:
        picture = pictures.read_picture(file, preparation.max_pixels, name=name)
    except InputError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno:
            raise error.__cause__ from None  # the disk or the network failed, not the picture
        return Skip("unreadable", str(error).removeprefix(f"{name}: "))
    height, width = picture.shape[:2]
    smallest = preparation.min_side_px or preparation.image_size // 2
    if min(height, width) < smallest:
        return Skip("tiny", f"{width} x {height} pixels, where --min_side_px asks for {smallest}")
    squares = _squares(picture, preparation)
    if not squares:
        return Skip("blank", f"its brightness varies less than --min_contrast={preparation.min_contrast:g}")
    examples = [
        _parts(kind, square, preparation) | {"source": os.fsencode(name), "box": list(box)}
        for box, square in squares.items()
    ]
    return Prepared(examples, perceptual_hash(_typical(picture, squares, preparation)))


def _squares(picture: np.ndarray, preparation: PreparationConfig) -> dict[Square, np.ndarray]:
    """The squares to train on, without blank ones."""
    boxes = square_boxes(*picture.shape[:2], preparation.image_size, preparation.crops_per_image)
    squares = {box: resized_square(picture, box, preparation.image_size) for box in boxes}
    return {box: square for box, square in squares.items() if contrast(square) >= preparation.min_contrast}


def _typical(picture: np.ndarray, squares: dict[Square, np.ndarray], preparation: PreparationConfig) -> np.ndarray:
    """The square to know a picture by: its middle, or one that is kept where the middle is blank."""
    first = next(iter(squares.values()))
    if preparation.crops_per_image == 1:
        return first
    middle = middle_square(picture, preparation.image_size)
    return middle if contrast(middle) >= preparation.min_contrast else first


def middle_square(picture: np.ndarray, image_size: int) -> np.ndarray:
    """The middle square of a picture, as large as its short side (section 4.1), resized.

    Args:
      picture: uint8 RGB [H, W, 3].
      image_size: in pixels.

    Returns:
      uint8 RGB [image_size, image_size, 3].
    """
    (box,) = square_boxes(*picture.shape[:2], image_size, 1)
    return resized_square(picture, box, image_size)


def square_boxes(height: int, width: int, image_size: int, most: int) -> list[Square]:
    """Disjoint squares in a picture, evenly spread, in rows that span its short side.

    There are as few rows as give `most` squares, and no more than leave the squares `image_size` pixels; where the
    picture is too small for that, there are fewer squares. `most` = 1 is the middle square (section 4.1).

    Returns:
      from top to bottom and left to right.
    """
    short, long = min(height, width), max(height, width)
    num_rows, most_rows = 1, max(1, short // image_size)
    while num_rows < most_rows and num_rows * (long // (short // num_rows)) < most:
        num_rows += 1
    side = short // num_rows
    num_columns = min(long // side, -(-most // num_rows))
    across, along = _spread(short, side, num_rows), _spread(long, side, num_columns)
    tops, lefts = (across, along) if height <= width else (along, across)
    boxes = [Square(top, left, side) for top in tops for left in lefts]
    if len(boxes) <= most:
        return boxes
    return [boxes[index * (len(boxes) - 1) // (most - 1)] for index in range(most)]


def _spread(length: int, side: int, count: int) -> list[int]:
    """Where `count` pieces of `side` begin, each in the middle of its share of `length`."""
    return [((2 * index + 1) * length // count - side) // 2 for index in range(count)]


def resized_square(picture: np.ndarray, box: Square, image_size: int) -> np.ndarray:
    """A square of a picture, uint8 RGB [H, W, 3] -> [image_size, image_size, 3]."""
    square = picture[box.top : box.top + box.side, box.left : box.left + box.side]
    method = cv2.INTER_AREA if box.side > image_size else cv2.INTER_CUBIC
    return cv2.resize(square, (image_size, image_size), interpolation=method)


def contrast(picture: np.ndarray) -> float:
    """The standard deviation of a picture's brightness, in grey levels: uint8 RGB [H, W, 3] -> 0 to 127.5."""
    return float(cv2.meanStdDev(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))[1][0, 0])


def _parts(kind: str, square: np.ndarray, preparation: PreparationConfig) -> dict[str, bytes]:
    if kind == "photos":
        return {"photo": _encode(square)}
    return {"cartoon": _encode(square), "smoothed": _encode(smooth_edges(square, preparation.edge_smoothing()))}


def _encode(picture: np.ndarray) -> bytes:
    """PNG: lossless, so that a smoothed cartoon differs from its cartoon near edges and nowhere else."""
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
