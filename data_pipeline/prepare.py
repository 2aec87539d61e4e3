"""The training examples made from one picture, or the reason why there are none. Does not import TensorFlow.

The result depends only on the picture's bytes, its name and the `PreparationConfig`, wherever it is computed.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import BinaryIO, Literal, NamedTuple, get_args

import cv2
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, options_of, require, values_of
from cartoongan_tf.media import pictures
from cartoongan_tf.media.abstraction import DEFAULT, Abstraction
from data_pipeline.edge_smoothing import MAX_PX, Kind, Smoothing, smooth_edges
from data_pipeline.faces import Detector, boxes_in_square
from data_pipeline.near_duplicates import MAX_BITS, SAME_PICTURE_BITS, perceptual_hash
from data_pipeline.squares import Square, cut_out, lay_out_squares, middle_square, resized_square, scale_squares
from data_pipeline.teachers import ABSTRACTION, Teacher, find_teacher

PARTS = {"photos": ("photo",), "cartoons": ("cartoon", "smoothed")}  # the pictures in an example of each kind
DRAWING = "drawing"  # the teacher's drawing in an example of photos, if there is a teacher
FACES = "faces"  # the boxes of faces in an example of photos, with --faces
SkipReason = Literal["unreadable", "tiny", "blank", "duplicate"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PreparationConfig(Config):
    """Flags that shape the records, apart from the pictures themselves; dataset.json keeps them."""

    image_size: int = option("Side of the square training pictures, in pixels; a multiple of 4.", 256, at_least=32)
    crops_per_image: int = option(
        "Most squares to cut out of a picture, side by side. 1 is the paper's: the short side is resized to "
        "--image_size, and the middle is kept. More: large pictures are shrunk less, and give several squares.",
        1,
        at_least=1,
    )
    validation_fraction: float = option(
        "Share of the pictures, 0 to 1, held out for validation; all squares of a picture go to the same side.",
        0.0,
        at_least=0,
        below=1,
    )
    min_side_px: int = option(
        "Skip pictures whose short side is shorter, in pixels; 0: half of --image_size.", 0, at_least=0
    )
    min_contrast: float = option(
        "Skip squares whose brightness varies less (standard deviation, in grey levels); 0 keeps blank ones.",
        3.0,
        at_least=0,
    )
    duplicate_bits: int = option(
        "Skip pictures whose perceptual hash differs from an earlier one's in at most so many of its 256 bits: "
        f"{SAME_PICTURE_BITS} finds copies in other sizes and qualities; -1 keeps all.",
        SAME_PICTURE_BITS,
        at_least=-1,
        at_most=MAX_BITS,
    )
    max_pixels: int = option("Skip pictures with more pixels, before decoding them.", pictures.MAX_PIXELS, at_least=1)
    smoothing: Kind = option(  # noqa: RUF009 (a Literal)
        "Blur of the cartoons' edges: gaussian is the paper's, mean the authors' code's.", Smoothing.kind
    )
    smoothing_kernel_px: int = option(
        "Side of the blur's kernel, in pixels; odd.", Smoothing.kernel_px, at_least=3, at_most=MAX_PX
    )
    smoothing_feather_px: int = option(
        "Let the blur fade out over so many pixels around the edges; 0, a hard border, is the paper's.",
        Smoothing.feather_px,
        at_least=0,
        at_most=MAX_PX,
    )
    edge_dilation_px: int = option(
        "Width to which edges are dilated before they are blurred, in pixels; odd.",
        Smoothing.dilation_px,
        at_least=1,
        at_most=MAX_PX,
    )
    canny_low: int = option("Canny's lower threshold: weaker edges never count.", Smoothing.canny_low, at_least=0)
    canny_high: int = option("Canny's upper threshold: lower it for soft drawings.", Smoothing.canny_high, at_least=0)
    teacher: str = option(
        "Who draws the photos, for training with --initialization_loss=teacher: a .keras or .tflite file, a SavedModel "
        f"folder, the name of a style, or {ABSTRACTION}, which needs no artist. If not given: nobody.",
        "",
    )
    abstraction: Abstraction = DEFAULT
    faces: bool = option(
        "Find the faces in the photos, for training with --face_weight; needs pip install '.[faces]'.", False
    )

    def __post_init__(self):
        super().__post_init__()
        kinds = get_args(Kind)
        require(self, "image_size", self.image_size % 4 == 0, "must be a multiple of 4")
        require(self, "smoothing", self.smoothing in kinds, f"must be one of {', '.join(kinds)}")
        require(self, "smoothing_kernel_px", self.smoothing_kernel_px % 2, "must be odd")
        require(self, "edge_dilation_px", self.edge_dilation_px % 2, "must be odd")
        is_order_right = self.canny_low <= self.canny_high
        require(self, "canny_high", is_order_right, f"must not be below --canny_low={self.canny_low}")
        if self.teacher != ABSTRACTION and self.abstraction != DEFAULT:
            raise InputError(f"--abstraction_...: the flags of the abstraction need --teacher={ABSTRACTION}")

    def edge_smoothing(self) -> Smoothing:
        """Return the smoothing that the flags describe."""
        return Smoothing(
            kind=self.smoothing,
            kernel_px=self.smoothing_kernel_px,
            dilation_px=self.edge_dilation_px,
            canny_low=self.canny_low,
            canny_high=self.canny_high,
            feather_px=self.smoothing_feather_px,
        )

    def find_teacher(self) -> Teacher | None:
        """Return the teacher that the flags name, or None.

        Raises:
          InputError: there is no such model.
        """
        return find_teacher(self.teacher, self.abstraction) if self.teacher else None

    def parameters(self) -> dict:
        """Return the flags of this class alone, by name; those of a teacher and of faces where they have an effect."""
        values = values_of(self)
        names = [each.name for each in options_of(PreparationConfig)]
        if self.teacher != ABSTRACTION:
            names = [name for name in names if not name.startswith(f"{ABSTRACTION}_")]
        return {name: values[name] for name in names if values[name] or name not in ("teacher", "faces")}


class Skip(NamedTuple):
    """The reason why a picture gives no example."""

    reason: SkipReason
    detail: str


class Prepared(NamedTuple):
    """The examples made from a picture.

    Attributes:
      examples: features of each example by name, see `records`.
      hash: perceptual hash of the middle square, or of another one if the middle is blank; see `near_duplicates`.
    """

    examples: list[dict[str, bytes | Sequence[int]]]
    hash: int


def prepare(
    kind: str,
    file: BinaryIO,
    name: str,
    preparation: PreparationConfig,
    teacher: Teacher | None = None,
    detector: Detector | None = None,
) -> Prepared | Skip:
    """Read, cut, resize and encode a picture; smooth a cartoon's edges; let the teacher draw a photo; find its faces.

    Args:
      kind: "photos" or "cartoons".
      file: a file open for reading; it can seek.
      name: name of the picture in the records.
      preparation: the flags that shape the records.
      teacher: who draws the picture, which is a photo then; None: nobody.
      detector: who finds the faces in the picture, which is a photo then; None: nobody.

    Raises:
      OSError: the disk or the network failed while the file was read.
      InputError: the teacher cannot draw the picture, or this machine has another detector.
    """
    try:
        picture = pictures.read_picture(file, preparation.max_pixels, name=name)
    except InputError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno:
            raise error.__cause__ from None  # not the picture's fault
        return Skip("unreadable", str(error).removeprefix(f"{name}: "))
    height, width = picture.shape[:2]
    min_side_px = preparation.min_side_px or preparation.image_size // 2
    if min(height, width) < min_side_px:
        return Skip("tiny", f"{width} x {height} pixels, where --min_side_px asks for {min_side_px}")
    cutouts, drawings = _cut_out(picture, preparation, teacher)
    if not cutouts:
        return Skip("blank", f"its brightness varies less than --min_contrast={preparation.min_contrast:g}")
    faces = None if detector is None else detector.find(picture, next(iter(cutouts)).side)
    examples = []
    for square, cutout in cutouts.items():
        example: dict[str, bytes | Sequence[int]] = {**_encode_parts(kind, cutout, preparation)}
        if drawings:
            example[DRAWING] = _encode(drawings[square])
        if faces is not None:
            example[FACES] = boxes_in_square(faces, square, preparation.image_size).ravel().tolist()
        examples.append(example | {"source": os.fsencode(name), "box": list(square)})
    return Prepared(examples, perceptual_hash(_representative(picture, cutouts, preparation)))


def _cut_out(
    picture: np.ndarray, preparation: PreparationConfig, teacher: Teacher | None
) -> tuple[dict[Square, np.ndarray], dict[Square, np.ndarray]]:
    """Cut out the squares to train on, without blank ones, and those of the teacher's drawing at the same places.

    The teacher sees the whole picture, at the size of the squares. Both are uint8 RGB [image_size, image_size, 3] by
    square; without a teacher there are no drawings.
    """
    image_size = preparation.image_size
    height, width = picture.shape[:2]
    squares = lay_out_squares(height, width, image_size, preparation.crops_per_image)
    if teacher is None:
        return _not_blank({each: resized_square(picture, each, image_size) for each in squares}, preparation), {}
    scaled, places = scale_squares(picture, squares, image_size)
    cutouts = _not_blank({square: cut_out(scaled, place) for square, place in places.items()}, preparation)
    drawing = teacher.draw(scaled) if cutouts else scaled
    return cutouts, {square: cut_out(drawing, places[square]) for square in cutouts}


def _not_blank(cutouts: dict[Square, np.ndarray], preparation: PreparationConfig) -> dict[Square, np.ndarray]:
    return {square: cutout for square, cutout in cutouts.items() if contrast(cutout) >= preparation.min_contrast}


def _representative(
    picture: np.ndarray, cutouts: dict[Square, np.ndarray], preparation: PreparationConfig
) -> np.ndarray:
    """Return the cutout to hash: the picture's middle square, or the first one kept if the middle is blank."""
    first = next(iter(cutouts.values()))
    if preparation.crops_per_image == 1:
        return first
    middle = middle_square(picture, preparation.image_size)
    return middle if contrast(middle) >= preparation.min_contrast else first


def contrast(picture: np.ndarray) -> float:
    """Return the standard deviation of the grey levels of uint8 RGB [H, W, 3]: 0 to 127.5."""
    _, deviation = cv2.meanStdDev(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    return float(deviation[0, 0])


def _encode_parts(kind: str, cutout: np.ndarray, preparation: PreparationConfig) -> dict[str, bytes]:
    if kind == "photos":
        return {"photo": _encode(cutout)}
    smoothed = smooth_edges(cutout, preparation.edge_smoothing())
    return {"cartoon": _encode(cutout), "smoothed": _encode(smoothed)}


def _encode(picture: np.ndarray) -> bytes:
    """Encode as PNG, which is lossless: so a smoothed cartoon differs from its cartoon near edges and nowhere else."""
    _, content = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return content.tobytes()
