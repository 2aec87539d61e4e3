"""What a person and a program can look at of a set of frames: the contact sheet, and frames.json."""

import collections
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cartoongan_tf.base import atomic
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.media import pictures, sheets
from data_pipeline.frames import frame_set, key_frames
from data_pipeline.frames.frame_set import ChosenFrame, Film
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
    """Write frames.json; whether it is another one than before."""
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
    path = folder / frame_set.FRAMES_FILE
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
        "picture": analysis.box._asdict(),
        "warnings": analysis.warnings,
    }


def _shot_entry(film: Film, shot: Shot) -> dict[str, Any]:
    start, end = (round(film.analysis.secs(index), 3) for index in (shot.first, shot.end))
    return {"film": str(film.path), "from": start, "to": end, "dropped": key_frames.spans(shot, film.analysis)}


def _frame_entry(frame: ChosenFrame) -> dict[str, Any]:
    measures = frame.film.analysis.frames[frame.index]
    shot = _shot_entry(frame.film, frame.shot)
    return {
        "file": frame.file,
        "film": shot.pop("film"),
        "secs": round(frame.secs, 3),
        "timecode": key_frames.timecode(frame.secs),
        **{name: round(float(measures[name]), 2) for name in ("sharpness", "brightness", "contrast")},
        "shot": shot,
    }


def sheet_path(folder: Path) -> Path:
    """Beside the folder: inside it the sheet would become a training picture."""
    folder = Path(os.path.abspath(folder))
    return folder.with_name(f"{folder.name}-contact-sheet.jpg")


def write_sheet(folder: Path, frames: Sequence[ChosenFrame]) -> None:
    """One picture with the frames on it, or with as many as can be looked at, spread over the set.

    To be written before frames.json: where both are there, the sheet shows the set already.
    """
    if not frames or ((folder / frame_set.FRAMES_FILE).exists() and sheet_path(folder).exists()):
        return
    rows = []
    shown = frames[:: -(-len(frames) // MAX_ON_SHEET)]
    for frame in Bar(shown, desc="contact sheet", unit="picture"):
        picture = pictures.read_picture(folder / frame.file)
        rows.append((Path(frame.file).stem, [pictures.shrink(picture, sheets.TILE_PX)]))
    pictures.write_picture(sheet_path(folder), sheets.contact_sheet(rows))
