"""The benchmarks of building and of reading records, on little data."""

import pytest

from benchmarks import build_tfrecords, dataset


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
