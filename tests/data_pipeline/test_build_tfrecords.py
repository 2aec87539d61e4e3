import contextlib
import errno
import hashlib
import io
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from cartoongan_tf.media import pictures
from cartoongan_tf.media.storage import LocalFolder
from data_pipeline import build_tfrecords, records
from data_pipeline.squares import middle_square
from tests.helpers import contents, draw

DATASET = "dataset.json"


def _flags(photos, frames, output, *more):
    return [f"--photos_dir={photos}", f"--cartoons_dir={frames}", f"--output_dir={output}", "--image_size=32", *more]


def _build(*arguments):
    return build_tfrecords.main(["build", *_flags(*arguments)])


def _dataset(folder):
    return json.loads((folder / DATASET).read_text())


def _sources(index):
    return [records.parse_origin(index.read(i))[0] for i in range(len(index))]


@pytest.fixture
def folders(picture_folders, tmp_path):
    """Copies of (photos, frames) to change."""
    return [shutil.copytree(folder, tmp_path / "in" / folder.name) for folder in picture_folders]


def _draw_photos(folder, count, start=0):
    for seed in range(start, start + count):
        pictures.write_picture(folder / f"{seed:04}.png", draw(1000 + seed, 64, 80))
    return folder


def test_records_hold_the_pictures_and_name_what_was_left_out(picture_folders, tmp_path, capsys):
    photos, frames = picture_folders
    output = tmp_path / "data"
    assert _build(photos, frames, output) == 0
    captured = capsys.readouterr()
    assert "7 photos, 5 cartoons to train on" in captured.out and "2 unreadable" in captured.out
    assert f"{photos}/notes.txt: " in captured.err and f"{frames}/broken.png: " in captured.err
    dataset = _dataset(output)
    assert dataset["photos"]["num_skipped"] == {"unreadable": 1}
    assert dataset["photos"]["skipped"]["notes.txt"][0] == "unreadable"
    assert dataset["photos"]["train"]["examples"] == 7 and dataset["parameters"]["image_size"] == 32
    opened = records.open_records(output)
    assert (len(opened.photos), len(opened.cartoons), opened.image_size) == (7, 5, 32)
    names = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.jpg"))
    assert _sources(opened.photos) == names
    (shard,) = dataset["photos"]["train"]["shards"]
    assert shard["sha256"] == hashlib.sha256((output / shard["file"]).read_bytes()).hexdigest()
    first = records.parse_photo(opened.photos.read(0), 32).numpy()
    np.testing.assert_array_equal(first, middle_square(pictures.read_picture(photos / names[0]), 32))
    assert sorted(os.listdir(output)) == ["cartoons-train-00000.tfrecord", DATASET, "photos-train-00000.tfrecord"]


def test_neither_workers_nor_place_change_a_byte(folders, tmp_path, monkeypatch):
    monkeypatch.setattr("data_pipeline.shards.FILES_PER_SHARD", 3)
    monkeypatch.chdir(tmp_path / "in")
    flags = ("--crops_per_image=2", "--validation_fraction=0.3")
    assert _build("photos", "frames", tmp_path / "one", "--num_workers=1", *flags) == 0
    assert _build(*folders, tmp_path / "five", "--num_workers=5", *flags) == 0
    content = contents(tmp_path / "one")
    assert contents(tmp_path / "five") == content and len(content) > 5


def test_duplicates_are_left_out_across_shards_and_splits(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("data_pipeline.shards.FILES_PER_SHARD", 2)
    photos, frames = folders
    again = pictures.read_picture(photos / "photo0.jpg")
    pictures.write_picture(photos / "z.png", again.repeat(2, 0).repeat(2, 1))
    shutil.copy(photos / "photo2.jpg", photos / "y.jpg")
    assert _build(photos, frames, tmp_path / "data", "--validation_fraction=0.4") == 0
    dataset = _dataset(tmp_path / "data")["photos"]
    duplicates = {name: why for name, (reason, why) in dataset["skipped"].items() if reason == "duplicate"}
    assert dataset["num_skipped"] == {"duplicate": 2, "unreadable": 1}
    for name, pair in (("z.png", "photo0.jpg"), ("y.jpg", "photo2.jpg")):  # whichever of them comes first
        assert duplicates.get(name, "").endswith(f"{pair} shows") or duplicates.get(pair, "").endswith(f"{name} shows")
    assert "2 duplicate" in capsys.readouterr().out
    assert _build(photos, frames, tmp_path / "all", "--duplicate_bits=-1") == 0
    assert _dataset(tmp_path / "all")["photos"]["train"]["examples"] == 9


def test_validation_is_held_out_by_picture(picture_folders, tmp_path, capsys):
    photos = _draw_photos(tmp_path / "photos", 20)
    flags = ("--validation_fraction=0.25", "--crops_per_image=4", "--min_contrast=0")
    assert _build(photos, picture_folders[1], tmp_path / "data", *flags) == 0
    train = records.open_records(tmp_path / "data", "train")
    held_out = records.open_records(tmp_path / "data", "validation")
    sources = [set(_sources(opened.photos)) for opened in (train, held_out)]
    assert [len(names) for names in sources] == [14, 6] and not sources[0] & sources[1]
    assert len(train.photos) == 56
    printed = capsys.readouterr().out
    assert "56 photos" in printed and "24 photos" in printed
    _draw_photos(photos, 20, start=20)
    assert _build(photos, picture_folders[1], tmp_path / "more", *flags) == 0
    more = (records.open_records(tmp_path / "more", split) for split in ("train", "validation"))
    assert all(set(_sources(opened.photos)) >= names for opened, names in zip(more, sources, strict=True))


def test_one_picture_is_never_held_out(folders, tmp_path):
    photos, frames = folders
    for folder, name in ((photos, "only.png"), (frames, "only.jpg")):
        shutil.rmtree(folder)
        pictures.write_picture(folder / name, draw(1))
    assert _build(photos, frames, tmp_path / "data", "--validation_fraction=0.9") == 0
    assert len(records.open_records(tmp_path / "data").photos) == 1
    assert len(records.open_records(tmp_path / "data", "validation").photos) == 0


def test_notes_of_other_programs_are_no_pictures(folders, tmp_path):
    (folders[0] / "notes.txt").unlink()
    (folders[1] / "broken.png").rename(folders[1] / "frames.json")
    assert _build(*folders, tmp_path / "data", "--strict") == 0
    assert _dataset(tmp_path / "data")["cartoons"]["num_skipped"] == {}


def test_strict_stops_at_what_cannot_be_read(picture_folders, tmp_path, capsys):
    photos, frames = picture_folders
    assert _build(photos, frames, tmp_path / "data", "--strict") == 1
    assert f"{photos}/notes.txt: " in capsys.readouterr().err
    assert not (tmp_path / "data" / DATASET).exists()


def test_tiny_and_blank_pictures_are_no_matter_of_strictness(folders, tmp_path):
    photos, frames = folders
    (photos / "notes.txt").unlink()
    (frames / "broken.png").unlink()
    pictures.write_picture(photos / "tiny.png", draw(0, 8, 8))
    pictures.write_picture(frames / "blank.png", np.full((64, 64, 3), 9, np.uint8))
    assert _build(photos, frames, tmp_path / "data", "--strict") == 0
    dataset = _dataset(tmp_path / "data")
    assert dataset["photos"]["num_skipped"] == {"tiny": 1} and dataset["cartoons"]["num_skipped"] == {"blank": 1}


@pytest.mark.parametrize(
    "change, kind",
    [
        (lambda photos, frames: shutil.rmtree(photos), "photos"),
        (lambda photos, frames: [path.unlink() for path in frames.iterdir()], "frames"),
        (lambda photos, frames: [path.write_text("no") for path in frames.iterdir()], "cartoons"),
        (lambda photos, frames: (shutil.rmtree(photos), photos.write_text("")), "photos"),
    ],
    ids=["missing", "empty", "no pictures", "a file"],
)
def test_folders_without_pictures_are_errors(folders, tmp_path, change, kind, capsys):
    change(*folders)
    assert _build(*folders, tmp_path / "data") == 1
    error = capsys.readouterr().err
    assert kind in error and "Traceback" not in error
    assert not (tmp_path / "data" / DATASET).exists()


def test_an_unreadable_folder_is_named(picture_folders, capsys):
    with _as_somebody(), tempfile.TemporaryDirectory() as place:
        locked = Path(place, "photos", "locked")
        locked.mkdir(parents=True, mode=0)
        assert _build(locked.parent, picture_folders[1], Path(place, "data")) == 1
        locked.chmod(0o700)
    assert f"{locked}: " in capsys.readouterr().err


def test_an_unreadable_file_is_left_out_and_a_failing_disk_is_not(folders, tmp_path, monkeypatch, capsys):
    def failing(folder, name):
        if name.endswith("frame2.png"):
            raise errors[0]
        return real(folder, name)

    real = LocalFolder.open
    errors = [PermissionError(errno.EACCES, "Permission denied")]
    monkeypatch.setattr(LocalFolder, "open", failing)
    assert _build(*folders, tmp_path / "data") == 0
    assert _dataset(tmp_path / "data")["cartoons"]["skipped"]["frame2.png"] == ["unreadable", "Permission denied"]
    errors[0] = OSError(errno.EIO, "Input/output error", "frame2.png")
    assert _build(*folders, tmp_path / "data2") == 1
    assert "frame2.png: Input/output error" in capsys.readouterr().err
    assert not (tmp_path / "data2" / DATASET).exists()


def test_a_disk_that_fails_within_a_picture_ends_the_build(folders, tmp_path, monkeypatch, capsys):
    class Failing(io.BytesIO):
        def read(self, *args):
            if self.tell() > 20:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(*args)

    monkeypatch.setattr(LocalFolder, "open", lambda folder, name: Failing(Path(str(folder), name).read_bytes()))
    assert _build(*folders, tmp_path / "data") == 1
    assert "Input/output error" in capsys.readouterr().err


@contextlib.contextmanager
def _as_somebody():
    """As a user who may not read everything, where this one may."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_impossible_flags_are_refused(picture_folders, tmp_path, capsys):
    for flag in ("--image_size=30", "--num_workers=-1", "--smoothing=median", "--canny_low=300"):
        assert _build(*picture_folders, tmp_path / "data", flag) == 2, flag
        assert flag.partition("=")[0].removesuffix("low") in capsys.readouterr().err, flag
