"""Small things that several tests use."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

REPOSITORY = Path(__file__).parents[1]
TINY_NETWORKS = ("--generator_width=4", "--generator_num_blocks=1", "--discriminator_width=4")


def draw(seed: int, height: int = 60, width: int = 80) -> np.ndarray:
    """A small picture with flat regions and sharp outlines: uint8 RGB [height, width, 3]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    picture = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    for _ in range(5):
        distance = np.hypot(y - rng.uniform(0, height), x - rng.uniform(0, width))
        radius = rng.uniform(0.1, 0.4) * height
        picture[distance < radius + 2] = 0
        picture[distance < radius] = rng.integers(0, 256, 3)
    return picture


def draw_photo_like(seed: int, height: int = 96, width: int = 96) -> np.ndarray:
    """Soft light with grain, and no outlines: uint8 RGB [height, width, 3]."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(
        rng.uniform(40, 215, (4, 4, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    return np.clip(soft + rng.normal(0, 8, soft.shape), 0, 255).astype(np.uint8)


def title_card(text, px, colors=("black", "white"), height=270, width=480) -> np.ndarray:
    """Lines of text, letters of `px` pixels, in the middle of a flat colour: uint8 RGB [height, width, 3]."""
    image = Image.new("RGB", (width, height), colors[0])
    font = ImageFont.load_default(px)
    ImageDraw.Draw(image).multiline_text((width / 2, height / 2), text, colors[1], font, "mm", align="center")
    return np.asarray(image)


def build_records(picture_folders: tuple[Path, Path], folder: Path, **preparation) -> Path:
    """Build training records of 32 px from a folder of photos and one of cartoons; returns `folder`."""
    from cartoongan_tf.media.storage import LocalFolder
    from data_pipeline import builder
    from data_pipeline.prepare import PreparationConfig

    sources = dict(zip(("photos", "cartoons"), map(LocalFolder, picture_folders), strict=True))
    builder.build(sources, LocalFolder(folder), PreparationConfig(image_size=32, **preparation), builder.in_threads(1))
    return folder


def run_cartoonize(model: Path, *arguments) -> int:
    """Run `cartoonize` in this process; returns its exit status."""
    from cartoongan_tf import cartoonize

    return cartoonize.main(["cartoonize", f"--model={model}", *map(str, arguments)])


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their names."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def scalars(run_dir):
    """tag -> {step: value}, of all that a run wrote for TensorBoard; pictures as their bytes."""
    import tensorflow as tf

    found = {}
    for path in sorted((run_dir / "summaries").iterdir()):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = tf.make_ndarray(value.tensor)
    return found


def table_rows(path: Path) -> dict[str, list[str]]:
    """The rows of all Markdown tables in a file: by their first cell, the other cells."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("|") and "---" not in line]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: others for first, *others in rows}
