"""Contact sheets of output folders: each photo beside its cartoon, on one picture."""

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


def check(jobs: Sequence[Job], overwrite: bool) -> None:
    """Check that a contact sheet can be written for each folder.

    Args:
      jobs: all jobs, including those that already have a result.
      overwrite: whether an existing contact sheet may be replaced.

    Raises:
      InputError: there is no folder, a picture has the sheet's name, or the sheet already exists.
    """
    paths = {folder / FILE_NAME for folder in _output_folders(jobs)}
    if not paths:
        raise InputError("--contact_sheet: is for folders, and none is given")
    taken = {path.resolve() for job in jobs for path in (job.source, job.target)}
    for path in paths:
        if path.resolve() in taken:
            raise InputError(f"{path}: the contact sheet would overwrite that picture; rename it")
        if path.exists() and not overwrite:
            raise InputError(f"{path}: already exists; move it away, or give --overwrite")


def write(jobs: Sequence[Job]) -> None:
    """Write a contact sheet into the output folder of each folder with a readable picture.

    Args:
      jobs: jobs that have a result.
    """
    for output_folder in _output_folders(jobs):
        stills = [job for job in jobs if job.output_folder == output_folder and not job.is_film]
        step = -(-len(stills) // MAX_ROWS) or 1
        rows = []
        for job in progress.Bar(stills[::step], desc="contact sheet", unit="picture"):
            with contextlib.suppress(InputError):  # a result from an earlier run need not be a picture
                tiles = [_read_thumbnail(job.source), _read_thumbnail(job.target)]
                rows.append((_caption(job), tiles))
        if rows:
            pictures.write_picture(output_folder / FILE_NAME, sheets.contact_sheet(rows))


def _output_folders(jobs: Sequence[Job]) -> list[Path]:
    folders = [job.output_folder for job in jobs if job.output_folder is not None]
    return list(dict.fromkeys(folders))


def _caption(job: Job) -> str:
    return str(job.source.relative_to(job.folder)) if job.folder else job.source.name


def _read_thumbnail(path: Path) -> np.ndarray:
    return pictures.shrink(pictures.read_picture(path, max_pixels=sys.maxsize), sheets.TILE_PX)
