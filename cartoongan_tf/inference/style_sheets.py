"""A sheet of photos in all styles, to choose a style by."""

import sys
from collections.abc import Sequence
from pathlib import Path

from cartoongan_tf import styles
from cartoongan_tf.base import progress
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.isolated import isolated_cartoonizer
from cartoongan_tf.inference.jobs import STREAM, check_place
from cartoongan_tf.media import folders, picture_set, pictures, sheets

MAX_PHOTOS = 60
_TILE_PX = 320


def sheet_path(arguments: Sequence[str], output: str, overwrite: bool) -> Path:
    """Return the file to write the sheet to: beside the first source, if no output is named.

    Args:
      arguments: pictures and folders of them.
      output: the file; "" names it after the first source.
      overwrite: whether it may exist.

    Raises:
      InputError: it exists, is no file for a picture, or cannot be written there.
    """
    first = Path(arguments[0]).absolute()
    path = Path(output) if output else first.with_name(f"{first.stem}-styles.jpg")
    if path == STREAM or path.is_dir():
        raise InputError(f"--output={output}: name a picture file for the sheet, like styles.jpg")
    pictures.check_writable_suffix(path)
    if path.exists() and not overwrite:
        raise InputError(f"{path}: already exists; give --overwrite to replace it, or name another --output")
    check_place(path)
    return path


def write(arguments: Sequence[str], path: Path) -> None:
    """Draw photos in all styles and write the sheet.

    Args:
      arguments: pictures and folders of them; at most 60 photos are used, spread over all.
      path: the file to write.

    Raises:
      InputError: there is no picture that can be read.
    """
    all_styles = styles.all_styles()
    largest = max(style.drawing_size for style in all_styles.values())
    photos = picture_set.read_files(_find_files(arguments), largest, 1, MAX_PHOTOS)
    for problem in photos.left_out:
        print(f"Skipped {problem}", file=sys.stderr)
    if not photos.files:
        raise InputError("no picture to draw in all styles; name pictures, or a folder of them")
    rows = [(str(path), [photo]) for path, photo in zip(photos.files, photos.pixels, strict=True)]
    for style in all_styles.values():
        bar = progress.PictureBar(len(rows))
        with isolated_cartoonizer(style.name, "auto", None, bar.show_part) as cartoonizer, bar:
            for name, tiles in rows:
                bar.begin(f"{name} in {style.name}")
                tiles.append(cartoonizer(pictures.shrink(tiles[0], style.drawing_size)))
                bar.end()
    sheet = sheets.contact_sheet(rows, _TILE_PX)
    title = f"From left to right: the photo, {', '.join(all_styles)}"
    pictures.write_picture(path, sheets.sections([(title, sheet)]))


def _find_files(arguments: Sequence[str]) -> list[Path]:
    files: list[Path] = []
    for path in map(Path, arguments):
        files += folders.list_files(path) if path.is_dir() else [path]
    return files
