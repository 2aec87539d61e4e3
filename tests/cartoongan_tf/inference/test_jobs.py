import os
import shutil
from pathlib import Path

import pytest

from cartoongan_tf.base.errors import InputError, NoPictureError
from cartoongan_tf.inference.jobs import STREAM, Job, find_jobs, left_to_do, status, summary


@pytest.fixture
def album(tmp_path, monkeypatch):
    """A folder of empty files, which is the working directory's only entry beside b.png."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "album" / "holiday").mkdir(parents=True)
    for name in ("album/a.jpg", "album/clip.avi", "album/holiday/c.png", "album/notes.txt", "b.png"):
        (tmp_path / name).touch()
    return tmp_path / "album"


def _targets(arguments, output="", suffix=""):
    return {str(job.source): str(job.target) for job in find_jobs(arguments, output, suffix)}


def test_results_lie_beside_their_sources():
    for source, target in (
        ("photo.jpg", "photo-cartoon.jpg"),
        ("my.photo.JPEG", "my.photo-cartoon.JPEG"),
        ("photo.ppm", "photo-cartoon.png"),  # PPM can only be read
        ("clip.MP4", "clip-cartoon.MP4"),
        ("clip.avi", "clip-cartoon.mkv"),
        (os.fsdecode(b"caf\xe9.jpg"), os.fsdecode(b"caf\xe9-cartoon.jpg")),
        ("-", "-"),
    ):
        assert _targets([source]) == {source: target}
    assert _targets(["photo.jpg", "clip.mp4"], suffix=".webp") == {
        "photo.jpg": "photo-cartoon.webp",
        "clip.mp4": "clip-cartoon.mp4",
    }


def test_the_output_is_a_file_or_a_folder(album):
    for output, target in (
        ("new.png", "new.png"),
        ("album", "album/photo-cartoon.jpg"),
        ("new/", "new/photo-cartoon.jpg"),
        ("-", "-"),
    ):
        assert _targets(["photo.jpg"], output) == {"photo.jpg": target}
    assert _targets(["-"], "album") == {"-": "album/cartoon.png"}
    assert _targets(["-"], "album", ".webp") == {"-": "album/cartoon.webp"}
    assert find_jobs(["a.png", "a.png"], "new.png") == [Job(Path("a.png"), Path("new.png"))]
    several = _targets(["x.jpg", "x.jpg", "album"], "all")
    assert several["x.jpg"] == "all/x-cartoon.jpg" and several["album/a.jpg"] == "all/album/a.jpg"


def test_a_folder_keeps_its_tree(album):
    expected = {"a.jpg": "a.jpg", "clip.avi": "clip.mkv", "holiday/c.png": "holiday/c.png", "notes.txt": "notes.png"}
    for output, folder in (("", Path("album-cartoon").absolute()), ("out", Path("out"))):
        jobs = find_jobs(["album"], output)
        assert all(job.folder == Path("album") and job.output_folder == folder for job in jobs)
        targets = {str(job.source.relative_to("album")): str(job.target.relative_to(folder)) for job in jobs}
        assert targets == expected
    shutil.copytree(album, album / "drawn")
    assert len(_targets(["album"], "album/drawn")) == 4  # earlier results inside the folder are skipped
    assert len(_targets(["album"], ".")) == 8  # but not where they go around it


def test_pictures_of_one_name_get_both_suffixes_in_a_folder(album):
    (album / "a.bmp").touch()
    targets = _targets(["album"], "out", ".jpg")
    assert targets["album/a.jpg"] == "out/a.jpg" and targets["album/a.bmp"] == "out/a.bmp.jpg"


def test_outputs_that_cannot_take_the_sources_are_refused(album):
    for arguments, output, suffix, named in (
        (["a.png", "b.png"], "c.png", "", "--output=c.png"),
        (["a.png", "b.png"], "c.mp4", "", "--output=c.mp4"),
        (["a.png", "b.png"], "-", "", "--output=-"),
        (["clip.mp4"], "-", "", "--output=-"),
        (["album"], "-", "", "--output=-"),
        (["photo.png"], "a.png", ".jpg", "--output=a.png and --format=jpg"),
    ):
        with pytest.raises(InputError, match=named):
            find_jobs(arguments, output, suffix)
    assert _targets(["clip.mp4"], "a.mp4", ".jpg") == {"clip.mp4": "a.mp4"}
    assert _targets(["photo.png"], "a.JPG", ".jpg") == {"photo.png": "a.JPG"}


def test_results_of_a_folder_are_kept_and_others_are_refused(album):
    jobs = find_jobs(["album"], "out")
    assert left_to_do(jobs, overwrite=False) == jobs
    Path("out").mkdir()
    Path("out/a.jpg").touch()
    assert left_to_do(jobs, overwrite=False) == jobs[1:]
    assert left_to_do(jobs, overwrite=True) == jobs
    named = find_jobs(["b.png"], "out/a.jpg")
    assert left_to_do(named, overwrite=True) == named
    with pytest.raises(InputError, match=r"out/a\.jpg: .*--overwrite"):
        left_to_do(named, overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_targets_that_cannot_be_written_are_refused(album, overwrite):
    Path("folder.png").mkdir()
    Path("link.png").symlink_to("b.png")
    shutil.copy("b.png", "b-cartoon.png")
    Path("one.png").touch()
    Path("one.ppm").touch()
    for arguments, output, named in (
        (["none.png"], "", r"none\.png: no such"),
        (["b.png"], "b.png", r"b\.png: .*photos"),
        (["album"], "album", r"album/a\.jpg: .*photos"),
        (["b.png"], "link.png", r"link\.png: .*photos"),
        (["b.png", "b-cartoon.png"], "", r"b-cartoon\.png: .*photos"),
        (["one.ppm", "one.png"], "", r"one\.png and one\.ppm .* one-cartoon\.png"),
        (["b.png"], "drawn.tga", r"drawn\.tga"),
        (["b.png"], "album/notes.txt/drawn.png", r"drawn\.png: .*/album/notes\.txt is not a folder"),
    ):
        with pytest.raises(InputError, match=named):
            left_to_do(find_jobs(arguments, output), overwrite)
    with pytest.raises(InputError, match=r"folder\.png: a folder"):
        left_to_do([Job(Path("b.png"), Path("folder.png"))], overwrite)


def test_the_summary_counts_and_the_status_is_that_of_named_files(album):
    in_folder = [Job(Path(f"album/{i}"), Path(f"out/{i}"), Path("album"), Path("out")) for i in range(5)]
    assert summary(in_folder[:1], in_folder[:1], {}) == "Wrote out/0"
    text = summary(in_folder, in_folder[1:], {in_folder[2]: InputError("damaged")})
    assert "out/1 and 2 more" in text and "kept 1 " in text and text.endswith("skipped 1")
    text = summary(in_folder, in_folder, {in_folder[1]: InputError("damaged"), in_folder[2]: NoPictureError("notes")})
    assert text.endswith("skipped 2, 1 of them no picture")
    text = summary(in_folder, [], {})
    assert "out/" not in text and "kept 5 " in text and "skipped" not in text
    with pytest.raises(InputError):
        summary(in_folder, in_folder, dict.fromkeys(in_folder, InputError()))
    stream = Job(STREAM, STREAM)
    assert summary([stream], [stream], {}) == ""
    assert [status([]), status(in_folder), status([*in_folder, stream])] == [0, 0, 1]
