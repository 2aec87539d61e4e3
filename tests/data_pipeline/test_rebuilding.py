"""Builds into a folder that is not empty."""

import os
import shutil

import pytest

from cartoongan_tf.media import pictures
from data_pipeline import build_tfrecords, records
from tests.helpers import contents, draw

DATASET = "dataset.json"


def _build(photos, frames, output, *flags):
    places = [f"--photos_dir={photos}", f"--cartoons_dir={frames}", f"--output_dir={output}"]
    return build_tfrecords.main(["build", *places, "--image_size=32", *flags])


@pytest.fixture
def folders(picture_folders, tmp_path):
    """Copies of (photos, frames) to change."""
    return [shutil.copytree(folder, tmp_path / "in" / folder.name) for folder in picture_folders]


def test_records_of_another_version_are_not_mixed(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("data_pipeline.shards._VERSION", 1)
    assert _build(*folders, tmp_path / "data") == 0
    monkeypatch.undo()
    assert _build(*folders, tmp_path / "data") == 1
    error = capsys.readouterr().err
    assert f"{tmp_path}/data" in error and "version" in error and "--overwrite" in error
    assert len(records.open_records(tmp_path / "data").photos) == 7  # good for training all the same
    assert _build(*folders, tmp_path / "data", "--overwrite") == 0


def test_a_folder_in_use_is_refused_and_kept(picture_folders, tmp_path, capsys):
    (tmp_path / "precious").touch()
    for flags in ((), ("--overwrite",)):
        assert _build(*picture_folders, tmp_path, *flags) == 1
        assert "--output_dir" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["precious"]
    assert _build(*picture_folders, tmp_path / "precious") == 1
    assert f"--output_dir={tmp_path}/precious" in capsys.readouterr().err


def test_an_empty_folder_that_is_a_link_is_filled(picture_folders, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "real")
    assert _build(*picture_folders, tmp_path / "data") == 0
    assert len(records.open_records(tmp_path / "real").photos) == 7


def test_a_finished_build_is_left_alone_and_another_needs_overwrite(folders, tmp_path, capsys):
    output = tmp_path / "data"
    assert _build(*folders, output) == 0
    (output / "contact-sheet.jpg").write_text("mine")
    before = {path: path.stat().st_mtime_ns for path in output.iterdir()}
    assert _build(*folders, output) == 0
    assert {path: path.stat().st_mtime_ns for path in output.iterdir()} == before
    capsys.readouterr()
    assert _build(*folders, output, "--canny_high=150") == 1
    error = capsys.readouterr().err
    assert "--canny_high=150" in error and "--canny_high=200" in error and "--overwrite" in error
    pictures.write_picture(folders[0] / "new.png", draw(77))
    assert _build(*folders, output) == 1
    error = capsys.readouterr().err
    assert "8 photos then, 9 now" in error and "--photos_dir" in error
    assert {path: path.stat().st_mtime_ns for path in output.iterdir()} == before
    assert _build(*folders, output, "--overwrite") == 0
    assert len(records.open_records(output).photos) == 8 and (output / "contact-sheet.jpg").read_text() == "mine"


def test_a_shard_that_went_missing_is_made_again(picture_folders, tmp_path):
    assert _build(*picture_folders, tmp_path / "data") == 0
    complete = contents(tmp_path / "data")
    (tmp_path / "data" / "cartoons-train-00000.tfrecord").unlink()
    assert _build(*picture_folders, tmp_path / "data") == 0
    assert contents(tmp_path / "data") == complete


def test_shards_that_are_done_are_not_done_again(folders, tmp_path, monkeypatch, capsys):
    """A file that cannot be read stops a strict build; mended, the build goes on with the shards that are missing."""
    monkeypatch.setattr("data_pipeline.shards.FILES_PER_SHARD", 2)
    photos, frames = folders
    (photos / "notes.txt").unlink()
    good = (frames / "frame4.png").read_bytes()
    (frames / "frame4.png").write_bytes(bytes(len(good)))
    (frames / "broken.png").unlink()
    assert _build(photos, frames, tmp_path / "data", "--strict") == 1
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").glob("*.tfrecord")}
    assert len(done) == 6  # four of photos, two of frames
    (frames / "frame4.png").write_bytes(good)
    assert _build(photos, frames, tmp_path / "data", "--strict") == 0
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert _build(photos, frames, tmp_path / "straight") == 0
    assert contents(tmp_path / "data") == contents(tmp_path / "straight")


def test_an_unfinished_build_is_not_trained_on(picture_folders, tmp_path, capsys):
    from cartoongan_tf import train

    assert _build(*picture_folders, tmp_path / "data", "--strict") == 1
    assert train.main(["train", f"--data_dir={tmp_path}/data", f"--run_dir={tmp_path}/run"]) == 1
    assert "not finished" in capsys.readouterr().err
