"""Share of photos in which build_tfrecords --faces finds faces, by what the photos show.

    python -m benchmarks.faces --photos_dir=photos --sheet=faces.png --output=faces.md

If the folder's manifest.csv has the columns "file" and "subject", photos are counted by these; otherwise together.
Whether a find is a face is for a person to see: the sheet shows the photos with finds, framed.
"""

import csv
import dataclasses
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cartoongan_tf.base import program
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import write_report
from cartoongan_tf.media import folders, pictures, sheets

MANIFEST = "manifest.csv"


@dataclasses.dataclass(frozen=True)
class FacesConfig(Config):
    photos_dir: str = option("Folder of photos.")
    sheet: str = option("A picture file to write the photos with finds to.", "")
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(FacesConfig, _measure, __doc__, argv)


def _measure(config: FacesConfig, _) -> None:
    require_extra("faces", "benchmarks.faces")
    from data_pipeline import faces, inspection

    detector = faces.installed_detector()
    folder = Path(config.photos_dir)
    subjects = _read_subjects(folder)
    counts: dict[str, list[int]] = {}
    framed = []
    seconds = 0.0
    for path in tqdm([path for path in folders.list_files(folder) if path.suffix not in (".csv", ".md")]):
        photo = pictures.read_picture(path)
        started = time.perf_counter()
        boxes = detector.find(photo, min(photo.shape[:2]))
        seconds += time.perf_counter() - started
        counts.setdefault(subjects.get(path.name, "any"), []).append(len(boxes))
        if len(boxes):
            small = pictures.shrink(photo, sheets.TILE_PX)
            scaled = np.rint(boxes * small.shape[0] / photo.shape[0]).astype(int)
            framed.append((path.name, [inspection.frame_faces(small, scaled)]))
    if config.sheet and framed:
        pictures.write_picture(config.sheet, sheets.contact_sheet(framed))
    table = ["| subject | photos | with finds | finds |", "| --- | --: | --: | --: |"]
    for subject, found in sorted(counts.items()):
        table.append(f"| {subject} | {len(found)} | {np.count_nonzero(found)} | {sum(found)} |")
    num_photos = sum(map(len, counts.values()))
    table += ["", f"{1000 * seconds / num_photos:.0f} ms a photo, on one core."]
    write_report("benchmarks.faces", config, (faces.DETECTOR, "ai-edge-litert"), table, config.output)


def _read_subjects(folder: Path) -> dict[str, str]:
    """Return what each photo shows, by its file's name."""
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["file"]: row["subject"] for row in csv.DictReader(file) if "subject" in row}


if __name__ == "__main__":
    sys.exit(main())
