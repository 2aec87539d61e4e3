"""The description of a set of frames: a contact sheet for people, and frames.json for programs."""

import collections
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cartoongan_tf.base import atomic
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.media import pictures, sheets
from data_pipeline.frames import key_frames
from data_pipeline.frames.frame_set import FRAMES_FILE, ChosenFrame, Film
from data_pipeline.frames.key_frames import Shot

MAX_ON_SHEET = 200


def write_frames_file(
    folder: Path,
    flags: dict[str, Any],
    frames: Sequence[ChosenFrame],
    films: Sequence[Film],
    shots: Sequence[Shot],
    removed: Sequence[str],
) -> bool:
    """Write frames.json, and return whether its content has changed.

    Args:
      folder: folder of the frames.
      flags: flags that decided what was written.
      frames: frames in the folder.
      films: films that were analysed.
      shots: all shots of the films.
      removed: names, without suffix, of frames that were removed by hand.
    """
    num_shots = collections.Counter(shot.film for shot in shots)
    content = {
        "flags": flags,
        "totals": {
            "films": len(films),
            "shots": len(shots),
            "frames": len(frames),
            "dropped": key_frames.totals(shots),
        },
        "films": [_film_entry(film, num_shots[number]) for number, film in enumerate(films)],
        "frames": [_frame_entry(frame) for frame in frames],
        "removed_by_hand": list(removed),
        "shots_without_frames": [_shot_entry(films[shot.film], shot) for shot in shots if not shot.taken],
    }
    path = folder / FRAMES_FILE
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    atomic.write_json(path, content)
    return path.read_text(encoding="utf-8") != before


def _film_entry(film: Film, num_shots: int) -> dict[str, Any]:
    analysis = film.analysis
    height, width = analysis.size
    return {
        "film": str(film.path),
        "frames": len(analysis.frames),
        "secs": round(analysis.secs(len(analysis.frames)), 3),
        "shots": num_shots,
        "size": {"width": width, "height": height},
        "picture": analysis.picture_area._asdict(),
        "warnings": analysis.warnings,
    }


def _shot_entry(film: Film, shot: Shot) -> dict[str, Any]:
    return {
        "film": str(film.path),
        "from": round(film.analysis.secs(shot.first), 3),
        "to": round(film.analysis.secs(shot.end), 3),
        "dropped": key_frames.spans(shot, film.analysis),
    }


def _frame_entry(frame: ChosenFrame) -> dict[str, Any]:
    measures = frame.film.analysis.frames[frame.index]
    shot_entry = _shot_entry(frame.film, frame.shot)
    return {
        "file": frame.file,
        "film": shot_entry.pop("film"),
        "secs": round(frame.secs, 3),
        "timecode": key_frames.timecode(frame.secs),
        **{name: round(float(measures[name]), 2) for name in ("sharpness", "brightness", "contrast")},
        "shot": shot_entry,
    }


def sheet_path(folder: Path) -> Path:
    """Return the path of the contact sheet: beside the folder, because in it the sheet would be a training picture."""
    folder = Path(os.path.abspath(folder))
    return folder.with_name(f"{folder.name}-contact-sheet.jpg")


def write_sheet(folder: Path, frames: Sequence[ChosenFrame]) -> None:
    """Write a contact sheet of the frames, or of MAX_ON_SHEET evenly spaced ones.

    Call this before `write_frames_file`: if both files exist, the sheet is up to date.
    """
    if not frames or ((folder / FRAMES_FILE).exists() and sheet_path(folder).exists()):
        return
    rows = []
    step = math.ceil(len(frames) / MAX_ON_SHEET)
    for frame in Bar(frames[::step], desc="contact sheet", unit="picture"):
        picture = pictures.read_picture(folder / frame.file)
        rows.append((Path(frame.file).stem, [pictures.shrink(picture, sheets.TILE_PX)]))
    pictures.write_picture(sheet_path(folder), sheets.contact_sheet(rows))
