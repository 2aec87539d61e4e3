"""`cartoonize` with a folder of pictures, or several sources."""

import os
import shutil

import pytest
from PIL import Image

from cartoongan_tf.media import pictures
from tests.films import make_film
from tests.helpers import draw, run_cartoonize

pytestmark = pytest.mark.usefixtures("load_once")


def test_a_folder_is_drawn_with_its_tree_and_bad_files_are_named(generator_path, picture_folders, tmp_path, capsys):
    album = shutil.copytree(picture_folders[0], tmp_path / "album")
    (album / "broken.jpg").write_bytes((album / "photo0.jpg").read_bytes()[:300])
    (album / "broken.mp4").write_text("hello")
    Image.fromarray(draw(0)).save(album / "photo0.jpg", exif=b"Exif\0\0no header at all")
    make_film(album / "clip.avi", audio=("mp3",))
    assert run_cartoonize(generator_path, album) == 0
    results = {str(path.relative_to(tmp_path / "album-cartoon")) for path in (tmp_path / "album-cartoon").rglob("*.*")}
    expected = {f"photo{i}.jpg" for i in (0, 2, 4, 6)} | {f"holiday/photo{i}.jpg" for i in (1, 3, 5)} | {"clip.mkv"}
    assert results == expected
    captured = capsys.readouterr()
    assert "and 7 more" in captured.out and "skipped 3, 1 of them no picture" in captured.out
    assert f"{album / 'photo0.jpg'}: its EXIF data are damaged" in captured.err
    for name in ("broken.jpg", "broken.mp4", "notes.txt"):
        assert name in captured.err
    assert run_cartoonize(generator_path, album / "broken.mp4") == 1
    assert "broken.mp4" in capsys.readouterr().err


def test_an_interrupted_folder_resumes(generator_path, tmp_path, capsys):
    album = tmp_path / "album"
    for index in range(3):
        pictures.write_picture(album / f"{index}.png", draw(index))
    assert run_cartoonize(generator_path, album) == 0
    results = tmp_path / "album-cartoon"
    (results / "0.png").write_text("existing")
    (results / "1.png").unlink()
    capsys.readouterr()
    assert run_cartoonize(generator_path, album) == 0
    assert "kept 2 " in capsys.readouterr().out
    assert (results / "0.png").read_text() == "existing" and (results / "1.png").exists()
    assert run_cartoonize(generator_path, album) == 0
    assert "kept 3 " in capsys.readouterr().out
    assert run_cartoonize(generator_path, album, "--overwrite") == 0
    assert pictures.read_picture(results / "0.png").shape == (60, 80, 3)


def test_results_may_lie_inside_the_folder_or_around_it(generator_path, tmp_path):
    album = tmp_path / "x" / "album"
    pictures.write_picture(album / "a.png", draw(0))
    (album / "broken-link.png").symlink_to("none.png")
    for more in ((), ("--overwrite",)):
        assert run_cartoonize(generator_path, album, f"--output={album}/drawn", *more) == 0
        assert os.listdir(album / "drawn") == ["a.png"]
    shutil.rmtree(album / "drawn")
    assert run_cartoonize(generator_path, album, f"--output={tmp_path}/x") == 0
    assert (tmp_path / "x" / "a.png").exists()


def test_several_sources_at_once(generator_path, tmp_path, capsys):
    for name in ("a.png", "b.png"):
        pictures.write_picture(tmp_path / name, draw(0))
    (tmp_path / "text.jpg").write_text("hello")
    assert run_cartoonize(generator_path, tmp_path / "a.png", tmp_path / "text.jpg", tmp_path / "b.png") == 1
    assert "Skipped" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["a-cartoon.png", "a.png", "b-cartoon.png", "b.png", "text.jpg"]
    (tmp_path / "album").mkdir()
    shutil.copy(tmp_path / "a.png", tmp_path / "album")
    assert run_cartoonize(generator_path, tmp_path / "album", tmp_path / "b.png", f"--output={tmp_path}/all") == 0
    assert (tmp_path / "all" / "album" / "a.png").exists() and (tmp_path / "all" / "b-cartoon.png").exists()


def test_a_contact_sheet_is_written_for_a_folder(generator_path, tmp_path):
    album = tmp_path / "album"
    pictures.write_picture(album / "a.png", draw(0))
    (album / "notes.txt").write_text("hello")
    assert run_cartoonize(generator_path, album, "--contact_sheet") == 0
    assert pictures.read_picture(tmp_path / "album-cartoon" / "contact-sheet.jpg").shape[1] == 2 * 240 + 16
    assert run_cartoonize(generator_path, album, "--contact_sheet") == 1
    assert run_cartoonize(generator_path, album, "--contact_sheet", "--overwrite") == 0
