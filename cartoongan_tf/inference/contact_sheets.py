"""Contact sheets of drawn folders: each photo beside its cartoon, on one picture."""

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cartoongan_tf.base import progress
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.jobs import Job
from cartoongan_tf.media import pictures, sheets

FILE_NAME = "contact-sheet.jpg"
MAX_ROWS = 120


def check(found: Sequence[Job], overwrite: bool) -> None:
    """Check that a contact sheet can be written for each folder.

    Args:
      found: all jobs, with those that are done already.
      overwrite: whether a contact sheet that exists may be replaced.

    Raises:
      InputError: there is no folder, a picture has the sheet's name, or the sheet exists already.
    """
    paths = {job.output_folder / FILE_NAME for job in found if job.folder}
    if not paths:
        raise InputError("--contact_sheet: is for folders, and none is given")
    taken = {path.resolve() for job in found for path in (job.source, job.target)}
    for path in paths:
        if path.resolve() in taken:
            raise InputError(f"{path}: the contact sheet would be written over that picture; rename it")
        if path.exists() and not overwrite:
            raise InputError(f"{path}: exists already; move it away, or give --overwrite")


def write(drawn: Sequence[Job]) -> None:
    """Write a contact sheet into the output folder of each folder with a readable picture."""
    for output_folder in {job.output_folder: None for job in drawn if job.folder is not None}:
        in_folder = [job for job in drawn if job.output_folder == output_folder and not job.is_film]
        shown = in_folder[:: -(-len(in_folder) // MAX_ROWS) or 1]
        rows = []
        for job in progress.Bar(shown, desc="contact sheet", unit="picture"):
            with contextlib.suppress(InputError):  # a result from an earlier run need not be a picture
                tiles = [_read_thumbnail(job.source), _read_thumbnail(job.target)]
                rows.append((str(job.source.relative_to(job.folder)), tiles))
        if rows:
            pictures.write_picture(output_folder / FILE_NAME, sheets.contact_sheet(rows))


def _read_thumbnail(path: Path) -> np.ndarray:
    return pictures.shrink(pictures.read_picture(path, max_pixels=sys.maxsize), sheets.TILE_PX)
