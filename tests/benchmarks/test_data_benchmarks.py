"""The benchmarks of building and of reading records, on little data."""

import numpy as np
import pytest
import skimage.data

from benchmarks import build_tfrecords, dataset, faces
from cartoongan_tf.media import pictures
from tests.helpers import draw


def _rows(path):
    lines = [line for line in path.read_text().splitlines() if line.startswith("|")]
    return {line.split("|")[1].strip(): line.split("|")[2].strip() for line in lines if "--" not in line}


def test_building(picture_folders, tmp_path):
    photos, frames = picture_folders
    output = tmp_path / "table.md"
    flags = [f"--photos_dir={photos}", f"--cartoons_dir={frames}", "--image_size=32", "--num_workers=3", "--rounds=1"]
    assert build_tfrecords.main(["x", *flags, f"--output={output}"]) == 0
    rows = _rows(output)
    for name in ("records, 1 worker", "records, 3 workers", "bare work, 1 thread", "bare work, 3 threads"):
        assert float(rows[name]) > 0
    assert "times as fast as one: " in output.read_text()


@pytest.mark.slow
def test_reading(data_dir, tmp_path):
    output = tmp_path / "table.md"
    flags = ["--generator_width=4", "--batch_size=2", "--crop_size=32", "--num_steps=1", "--rounds=1"]
    assert dataset.main(["x", f"--data_dir={data_dir}", *flags, f"--output={output}"]) == 0
    rows = _rows(output)
    assert float(rows["training step"]) > float(rows["batch read"]) > 0
    for part in ("reading, with checksums", "decoding PNG", "cropping and flipping", "batching"):
        assert float(rows[part]) > 0


def test_faces(tmp_path):
    portrait = skimage.data.astronaut()  # Eileen Collins, by NASA, in the public domain
    for name, photo in (("one", portrait), ("two", np.hstack([portrait, portrait])), ("none", draw(0))):
        pictures.write_picture(tmp_path / "photos" / f"{name}.png", photo)
    (tmp_path / "photos" / "manifest.csv").write_text("file,subject\none.png,people\ntwo.png,people\n")
    flags = [f"--photos_dir={tmp_path / 'photos'}", f"--sheet={tmp_path}/sheet.png", f"--output={tmp_path}/table.md"]
    assert faces.main(["x", *flags]) == 0
    lines = (tmp_path / "table.md").read_text().splitlines()
    assert [line for line in lines if line.startswith("|")][2:] == ["| any | 1 | 0 | 0 |", "| people | 2 | 2 | 3 |"]
    sheet = pictures.read_picture(tmp_path / "sheet.png").astype(int)
    assert ((sheet[..., 0] - sheet[..., 1:].max(-1)) > 250).sum() > 300  # red frames
