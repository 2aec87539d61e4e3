"""Columns of the evaluation's tables."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Column:
    """A measure, as the tables show it.

    Attributes:
      name: key of the measure in JSON.
      heading: heading in the tables.
      better: "less", "more", or "near" where a value near the cartoons' own is best; "" for none of them.
      digits: number of decimals.
      factor: factor that the value is multiplied by in the tables.
    """

    name: str
    heading: str
    better: str
    digits: int
    factor: float = 1.0


NEARNESS = (
    Column("kid_to_cartoons", "KID to cartoons x1000", "less", 0, 1000),
    Column("kid_change", "against the photos' %", "less", 0, 100),
    Column("fd_to_cartoons", "FD to cartoons", "less", 1),
    Column("inception_fid_to_cartoons", "FID on Keras's Inception", "less", 1),
    Column("color_to_cartoons", "colours to cartoons", "less", 0),
    Column("kid_to_photos", "KID to photos x1000", "", 0, 1000),
    Column("fd_to_photos", "FD to photos", "", 1),
)
DRAWING = (
    Column("content_distance", "content distance", "less", 0),
    Column("luminance_similarity", "SSIM of luminance", "more", 2),
    Column("color_shift", "colour shift", "less", 1),
    Column("edge_density", "edges %", "near", 1, 100),
    Column("edge_sharpness", "sharpness of edges", "near", 3),
    Column("flatness", "flat %", "near", 0, 100),
    Column("psnr_to_teacher", "PSNR to teacher, dB", "more", 1),
    Column("ssim_to_teacher", "SSIM to teacher", "more", 3),
)
COLUMNS = {column.name: column for column in NEARNESS + DRAWING}
