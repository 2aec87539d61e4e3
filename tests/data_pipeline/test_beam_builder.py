"""The same records as on one machine, by Beam's own runner, in local folders and through Beam's file systems."""

import itertools
import shutil

import pytest
import skimage.data

from cartoongan_tf.media import pictures
from cartoongan_tf.media.storage import folder_at
from data_pipeline import build_tfrecords, records
from data_pipeline.build_folder import BuildFolder
from tests.helpers import contents

pytest.importorskip("apache_beam", reason="builds on clusters need Apache Beam: pip install '.[beam]'")

from data_pipeline import beam_builder
from tests.shelf import Shelf

FLAGS = ("--image_size=32", "--crops_per_image=2", "--validation_fraction=0.3")


@pytest.fixture
def shelf(picture_folders, tmp_path, monkeypatch):
    for folder in picture_folders:
        shutil.copytree(folder, tmp_path / "shelf" / folder.name)
    monkeypatch.setattr(Shelf, "place", str(tmp_path / "shelf"))
    return tmp_path / "shelf"


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr("data_pipeline.shards.FILES_PER_SHARD", 2)


def _build(photos, frames, output, *more):
    return build_tfrecords.main(
        ["build", f"--photos_dir={photos}", f"--cartoons_dir={frames}", f"--output_dir={output}", *FLAGS, *more]
    )


@pytest.fixture
def folders(picture_folders, tmp_path):
    """(photos, frames), with duplicates in other shards than what they repeat."""
    for folder in picture_folders:
        shutil.copytree(folder, tmp_path / "in" / folder.name)
    photos = tmp_path / "in" / "photos"
    frames = tmp_path / "in" / "frames"
    for number in range(3):
        shutil.copy(photos / f"photo{2 * number}.jpg", photos / f"again{number}.jpg")
    return photos, frames


def test_beam_makes_the_same_records(folders, tmp_path, capsys):
    options = ("--", "--direct_num_workers=2", "--direct_running_mode=multi_threading")
    assert _build(*folders, tmp_path / "here") == 0
    printed = capsys.readouterr().out
    assert _build(*folders, tmp_path / "beam", "--runner=DirectRunner", *options) == 0
    assert capsys.readouterr().out.replace("/beam", "/here") == printed and "3 duplicate" in printed
    content = contents(tmp_path / "here")
    assert contents(tmp_path / "beam") == content and len(content) > 6
    assert len(records.open_records(tmp_path / "beam").photos) > 3


@pytest.mark.parametrize("teacher", ["abstraction", "model"])
def test_beam_draws_what_the_teacher_draws_here(folders, generator_path, tmp_path, teacher):
    """Without cartoons; each worker loads the model for itself."""
    flags = (f"--photos_dir={folders[0]}", f"--teacher={generator_path if teacher == 'model' else teacher}", *FLAGS)
    on_beam = ("--runner=DirectRunner", "--", "--direct_num_workers=2", "--direct_running_mode=multi_threading")
    for output, more in ((tmp_path / "here", ()), (tmp_path / "beam", on_beam)):
        assert build_tfrecords.main(["build", f"--output_dir={output}", *flags, *more]) == 0
    content = contents(tmp_path / "here")
    assert contents(tmp_path / "beam") == content and len(content) > 3
    assert records.open_records(tmp_path / "beam").teacher


def test_beam_finds_the_faces_that_are_found_here(tmp_path):
    portrait = skimage.data.astronaut()  # Eileen Collins, by NASA, in the public domain
    for name, photo in (("portrait", portrait), ("mirrored", portrait[:, ::-1]), ("none", portrait[250:])):
        pictures.write_picture(tmp_path / "photos" / f"{name}.png", photo)
    flags = (f"--photos_dir={tmp_path / 'photos'}", "--teacher=abstraction", "--faces", *FLAGS)
    on_beam = ("--runner=DirectRunner", "--", "--direct_num_workers=2", "--direct_running_mode=multi_threading")
    for output, more in ((tmp_path / "here", ()), (tmp_path / "beam", on_beam)):
        assert build_tfrecords.main(["build", f"--output_dir={output}", *flags, *more]) == 0
    assert contents(tmp_path / "beam") == contents(tmp_path / "here")
    opened = records.open_records(tmp_path / "beam")
    assert opened.has_faces
    assert sum(len(records.parse_faces(opened.photos.read(number))) for number in range(len(opened.photos))) > 0


def test_a_shard_that_no_worker_wrote_is_named(folders, tmp_path, monkeypatch, capsys):
    """The workers see different folders."""
    monkeypatch.setattr(BuildFolder, "write_shard", lambda *_: None)
    assert _build(*folders, tmp_path / "data", "--runner=DirectRunner") == 1
    assert "photos-train-00000.tfrecord" in capsys.readouterr().err
    assert not (tmp_path / "data" / "dataset.json").exists()


def test_beam_finishes_what_was_begun_elsewhere(folders, tmp_path):
    photos, frames = folders
    (photos / "notes.txt").unlink()
    assert _build(photos, frames, tmp_path / "data", "--strict") == 1  # at the broken frame: the photos are done
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").glob("photos-*")}
    (tmp_path / "data" / ".build" / "photos-train-00001.json").unlink()
    assert _build(photos, frames, tmp_path / "data", "--runner=DirectRunner") == 0
    made = [path.name for path, time in done.items() if path.stat().st_mtime_ns != time]
    assert made == ["photos-train-00001.tfrecord"]
    assert _build(photos, frames, tmp_path / "straight") == 0
    assert contents(tmp_path / "data") == contents(tmp_path / "straight")


def test_a_path_without_a_file_system_is_named_before_tensorflow_starts(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("cartoongan_tf.base.program.start_tensorflow", pytest.fail)
    assert _build(folders[0], "nowhere://frames", tmp_path / "data", "--runner=DirectRunner") == 1
    assert "nowhere://frames: " in capsys.readouterr().err


def test_folders_that_beam_alone_reaches(shelf, tmp_path):
    there = ("shelf://photos", "shelf://frames")
    assert _build(*there, "shelf://data", "--runner=DirectRunner") == 0
    assert _build(*there, tmp_path / "here") == 0
    assert contents(shelf / "data") == contents(tmp_path / "here")
    assert _build(*there, "shelf://data", "--runner=DirectRunner") == 0  # done already


def test_a_remote_folder_is_listed_as_one_here(shelf):
    for name in ("a-b.jpg", "a/b.jpg", "a.jpg"):
        (shelf / "photos" / name).parent.mkdir(exist_ok=True)
        (shelf / "photos" / name).touch()
    (shelf / "photos" / ".hidden").mkdir()
    (shelf / "photos" / ".hidden" / "a.jpg").touch()
    assert folder_at("shelf://photos").pictures() == folder_at(str(shelf / "photos")).pictures()


def test_of_duplicates_the_first_is_kept_in_whatever_order_they_come():
    places = [(beam_builder.Place(shard, position, f"{shard}{position}"), 7) for shard in (0, 2) for position in (0, 1)]
    for order in itertools.permutations(places):
        assert beam_builder.find_duplicates(list(order), {1: {"done": 9}}, 0) == {"01": "00", "20": "00", "21": "00"}
    assert beam_builder.find_duplicates([places[2]], {1: {"done": 7}}, 0) == {"20": "done"}
    assert beam_builder.find_duplicates([places[0]], {1: {"done": 7}}, 0) == {}


def test_errors_of_the_cluster_are_reported(folders, tmp_path, capsys):
    (folders[1] / "broken.png").unlink()
    assert _build(*folders, tmp_path / "data", "--runner=DirectRunner", "--strict") == 1
    error = capsys.readouterr().err
    assert "notes.txt: not a picture" in error and "Traceback" not in error
    assert _build("shelf://none", folders[1], tmp_path / "data2", "--runner=DirectRunner") == 1
    assert "shelf://none: " in capsys.readouterr().err


def test_beams_options_need_a_runner(folders, tmp_path, capsys):
    assert _build(*folders, tmp_path / "data", "--", "--region=moon") == 1
    error = capsys.readouterr().err
    assert "--region=moon" in error and "--runner" in error
