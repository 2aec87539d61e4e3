"""A build that is interrupted between any two changes to its folder, and given again."""

import itertools
import os
import shutil
from pathlib import Path

import pytest

from cartoongan_tf.base import atomic
from cartoongan_tf.media import pictures
from data_pipeline import build_tfrecords
from tests.helpers import contents, draw

SHARD = "photos-train-00000.tfrecord"


class Killed(BaseException):
    """An exception that nothing catches."""


def _build(folders, output, *flags):
    photos, frames = folders
    places = [f"--photos_dir={photos}", f"--cartoons_dir={frames}", f"--output_dir={output}"]
    return build_tfrecords.main(["build", *places, "--image_size=32", *flags])


@pytest.fixture(scope="module", autouse=True)
def small_shards():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("data_pipeline.shards.FILES_PER_SHARD", 6)  # two shards of photos, one of frames
        yield


@pytest.fixture(scope="module")
def straight(picture_folders, small_shards, tmp_path_factory):
    """A data folder built without interruption."""
    output = tmp_path_factory.mktemp("straight") / "data"
    assert _build(picture_folders, output) == 0
    return output


def _kill_at(number, monkeypatch):
    """Let the n-th change to a folder not happen any more."""
    changes = itertools.count()

    def until(change):
        def changed(*args, **kwargs):
            if next(changes) == number:
                raise Killed
            return change(*args, **kwargs)

        return changed

    monkeypatch.setattr(os, "replace", until(os.replace))
    monkeypatch.setattr(Path, "unlink", until(Path.unlink))
    monkeypatch.setattr(Path, "rmdir", until(Path.rmdir))


def _nothing(folders, output):
    output.mkdir()


def _other_records(folders, output):
    assert _build(folders, output, "--canny_high=150", "--validation_fraction=0.5") == 0
    (output / "contact-sheet.jpg").write_text("mine")


def _other_records_begun(folders, output):
    assert _build(folders, output, "--canny_high=150", "--strict") == 1
    (output / "contact-sheet.jpg").write_text("mine")


def _a_shard_missing(folders, output):
    assert _build(folders, output) == 0
    (output / SHARD).unlink()


@pytest.mark.parametrize(
    "prepare, flags",
    [
        (_nothing, ()),
        (_other_records, ("--overwrite",)),
        (_other_records_begun, ("--overwrite",)),
        (_a_shard_missing, ()),
    ],
)
def test_the_same_command_finishes_it(picture_folders, straight, tmp_path, monkeypatch, prepare, flags):
    prepare(picture_folders, tmp_path / "before")
    for number in itertools.count():
        output = shutil.copytree(tmp_path / "before", tmp_path / str(number))
        try:
            with monkeypatch.context() as patched:
                _kill_at(number, patched)
                assert _build(picture_folders, output, *flags) == 0
                break  # there were no more changes to make
        except Killed:
            assert _build(picture_folders, output, *flags) == 0
        content = contents(output)
        content.pop("contact-sheet.jpg", None)
        assert content == contents(straight), number
        shutil.rmtree(output)
    assert number > 8


def test_what_killed_runs_left_half_written_is_no_obstacle_and_goes(picture_folders, straight, tmp_path):
    output = tmp_path / "data"
    (output / ".build").mkdir(parents=True)
    (output / ".build" / ".plan.99999999.abc0.partial.json").write_text("{")
    (output / ".build" / "plan.json.partial").write_text("{")
    assert _build(picture_folders, output) == 0
    (output / "dataset.json").unlink()
    (output / ".photos-train-00007.99999999.abc0.partial.tfrecord").write_text("{")
    shutil.rmtree(output)
    assert _build(picture_folders, output) == 0
    assert contents(output) == contents(straight)


def test_a_shard_that_vanished_in_between_is_made_again(picture_folders, tmp_path):
    output = tmp_path / "data"
    photos = shutil.copytree(picture_folders[0], tmp_path / "photos")
    (photos / "notes.txt").unlink()
    assert _build((photos, picture_folders[1]), output, "--strict") == 1  # at the broken frame: the photos are done
    (output / SHARD).unlink()
    assert _build((photos, picture_folders[1]), output) == 0
    assert _build((photos, picture_folders[1]), tmp_path / "again") == 0
    assert contents(output) == contents(tmp_path / "again")


def test_duplicates_of_pictures_in_finished_shards_are_found(picture_folders, tmp_path, monkeypatch):
    photos = shutil.copytree(picture_folders[0], tmp_path / "photos")
    (photos / "notes.txt").unlink()
    shutil.copy(photos / "holiday" / "photo1.jpg", photos / "z.jpg")  # the first picture once more, in the last shard
    with monkeypatch.context() as patched, pytest.raises(Killed):
        _kill_at(6, patched)  # after the report of the first shard
        _build((photos, picture_folders[1]), tmp_path / "data")
    assert {path.name for path in (tmp_path / "data" / ".build").iterdir()} == {"plan.json", "photos-train-00000.json"}
    assert _build((photos, picture_folders[1]), tmp_path / "data") == 0
    assert _build((photos, picture_folders[1]), tmp_path / "straight") == 0
    assert contents(tmp_path / "data") == contents(tmp_path / "straight")
    assert '"z.jpg"' in (tmp_path / "data" / "dataset.json").read_text()


def test_a_damaged_shard_of_a_finished_folder_is_made_again(picture_folders, straight, tmp_path, capsys):
    output = shutil.copytree(straight, tmp_path / "data")
    (output / SHARD).write_bytes((output / SHARD).read_bytes()[:-9])
    assert _build(picture_folders, output) == 0
    assert SHARD in capsys.readouterr().err and contents(output) == contents(straight)


def test_a_damaged_dataset_file_is_overwritten(picture_folders, straight, tmp_path, capsys):
    output = shutil.copytree(straight, tmp_path / "data")
    (output / "dataset.json").write_text("{")
    assert _build(picture_folders, output) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert _build(picture_folders, output, "--overwrite") == 0 and contents(output) == contents(straight)


def test_a_build_without_a_usable_picture_leaves_the_folder_free(picture_folders, tmp_path):
    assert _build(picture_folders, tmp_path / "data", "--max_pixels=10") == 1  # all pictures have more
    assert not contents(tmp_path / "data")
    assert _build(picture_folders, tmp_path / "data") == 0


def test_two_builds_at_once_and_one_folder_twice_are_refused(picture_folders, tmp_path, capsys):
    with atomic.locked(tmp_path / "data"):
        assert _build(picture_folders, tmp_path / "data") == 1
    assert str(tmp_path / "data") in capsys.readouterr().err
    assert _build((picture_folders[0], picture_folders[0]), tmp_path / "data") == 1
    assert "--photos_dir and --cartoons_dir" in capsys.readouterr().err


def test_records_in_a_folder_of_pictures_are_refused(picture_folders, tmp_path, capsys):
    photos = shutil.copytree(picture_folders[0], tmp_path / "photos")
    pictures.write_picture(photos / "data" / "x.png", draw(1))
    assert _build((photos, picture_folders[1]), photos / "data") == 1
    error = capsys.readouterr().err
    assert "--photos_dir" in error and "--output_dir" in error
    assert _build((photos, picture_folders[1]), tmp_path / "photos2") == 0
