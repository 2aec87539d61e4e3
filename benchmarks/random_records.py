"""Training records of random pictures, for benchmarks that run the training program and look at no picture."""

from pathlib import Path

import numpy as np

from cartoongan_tf.media import pictures

_SIDE_PX = 8  # of the squares of one colour that the pictures consist of


def build_random_records(folder: Path, num_pictures: int, image_size: int) -> Path:
    """Build records of random photos and cartoons.

    Args:
      folder: an existing folder, to which pictures and records are written.
      num_pictures: number of photos, and of cartoons.
      image_size: side of the records' pictures, in pixels.

    Returns:
      the folder of the records.
    """
    from cartoongan_tf.media.storage import LocalFolder
    from data_pipeline import builder
    from data_pipeline.prepare import PreparationConfig

    rng = np.random.default_rng(0)
    num_squares = -(-image_size // _SIDE_PX)
    sources = {}
    for kind in ("photos", "cartoons"):
        (folder / kind).mkdir()
        for number in range(num_pictures):
            squares = rng.integers(0, 256, (num_squares, num_squares, 3), np.uint8)
            picture = squares.repeat(_SIDE_PX, 0).repeat(_SIDE_PX, 1)
            pictures.write_picture(folder / kind / f"{number}.png", picture)
        sources[kind] = LocalFolder(folder / kind)
    preparation = PreparationConfig(image_size=image_size)
    builder.build(sources, LocalFolder(folder / "records"), preparation, builder.in_threads(1))
    return folder / "records"
