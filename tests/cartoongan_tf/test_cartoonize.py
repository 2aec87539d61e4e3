import os
import shutil

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf import cartoonize, styles
from cartoongan_tf.media import pictures
from tests.helpers import draw


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    pictures.write_picture(path, draw(0, 41, 30))
    return path


def _run(generator_path, *arguments):
    return cartoonize.main(["cartoonize", f"--model={generator_path}", *map(str, arguments)])


@pytest.mark.parametrize("name", ["photo.jpg", "my.photo.JPEG", "photo.png", "photo.webp", "photo.tif", "photo.bmp"])
def test_the_cartoon_lies_beside_the_photo(generator_path, tmp_path, name, capsys):
    path = tmp_path / name
    Image.fromarray(draw(0, 41, 30)).save(path)
    before = path.read_bytes()
    assert _run(generator_path, path) == 0
    cartoon = path.with_name(f"{path.stem}-cartoon{path.suffix}")
    assert pictures.read_picture(cartoon).shape == (41, 30, 3)
    assert str(cartoon) in capsys.readouterr().out
    assert path.read_bytes() == before and len(os.listdir(tmp_path)) == 2


def test_a_format_that_is_only_read_becomes_png(generator_path, tmp_path):
    Image.fromarray(draw(0)).save(tmp_path / "photo.ppm")
    assert _run(generator_path, tmp_path / "photo.ppm") == 0
    assert pictures.read_picture(tmp_path / "photo-cartoon.png").shape == (60, 80, 3)


def test_output_names_the_cartoon_or_its_folder(generator_path, photo, tmp_path):
    assert _run(generator_path, photo, f"--output={tmp_path}/new/drawn.png") == 0
    assert (tmp_path / "new" / "drawn.png").exists()
    assert _run(generator_path, photo, f"--output={tmp_path}/new") == 0
    assert (tmp_path / "new" / "photo-cartoon.jpg").exists()


def test_exif_orientation_is_drawn_upright(generator_path, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(draw(0, 20, 40)).save(tmp_path / "photo.jpg", exif=exif)
    assert _run(generator_path, tmp_path / "photo.jpg") == 0
    with Image.open(tmp_path / "photo-cartoon.jpg") as cartoon:
        assert cartoon.size == (20, 40) and cartoon.getexif().get(0x0112, 1) == 1


def test_a_one_pixel_picture(generator_path, tmp_path):
    pictures.write_picture(tmp_path / "dot.png", np.full((1, 1, 3), 200, np.uint8))
    assert _run(generator_path, tmp_path / "dot.png") == 0
    assert pictures.read_picture(tmp_path / "dot-cartoon.png").shape == (1, 1, 3)


def test_a_folder_is_drawn_with_its_tree_and_bad_files_are_named(generator_path, picture_folders, tmp_path, capsys):
    album = shutil.copytree(picture_folders[0], tmp_path / "album")
    (album / "broken.jpg").write_bytes((album / "photo0.jpg").read_bytes()[:300])
    assert _run(generator_path, album) == 0
    drawn = {str(path.relative_to(tmp_path / "album-cartoon")) for path in (tmp_path / "album-cartoon").rglob("*.*")}
    expected = {f"photo{i}.jpg" for i in (0, 2, 4, 6)} | {f"holiday/photo{i}.jpg" for i in (1, 3, 5)}
    assert drawn == expected
    captured = capsys.readouterr()
    assert "and 6 more" in captured.out and "skipped 2" in captured.out
    assert "broken.jpg" in captured.err and "notes.txt" in captured.err


def test_a_folder_of_results_inside_the_folder_is_left_out(generator_path, photo, tmp_path, capsys):
    output = f"--output={tmp_path}/drawn"
    for more in ((), ("--overwrite",)):
        assert _run(generator_path, tmp_path, output, *more) == 0
        assert os.listdir(tmp_path / "drawn") == ["photo.jpg"]


def test_several_pictures_at_once(generator_path, tmp_path):
    for name in ("a.png", "b.png"):
        pictures.write_picture(tmp_path / name, draw(0))
    assert _run(generator_path, tmp_path / "a.png", tmp_path / "b.png") == 0
    assert sorted(os.listdir(tmp_path)) == ["a-cartoon.png", "a.png", "b-cartoon.png", "b.png"]
    assert _run(generator_path, tmp_path / "a.png", tmp_path / "b.png", f"--output={tmp_path}/c.png") == 1
    (tmp_path / "album").mkdir()
    shutil.copy(tmp_path / "a.png", tmp_path / "album")
    assert _run(generator_path, tmp_path / "album", tmp_path / "b.png", f"--output={tmp_path}/all") == 0
    assert (tmp_path / "all" / "album" / "a.png").exists() and (tmp_path / "all" / "b-cartoon.png").exists()


def test_another_photo_is_never_written_over_either(generator_path, photo, capsys):
    other = photo.with_name("photo-cartoon.jpg")
    shutil.copy(photo, other)
    before = other.read_bytes()
    assert _run(generator_path, photo, other, "--overwrite") == 1
    assert "photo-cartoon.jpg: that is one of the photos" in capsys.readouterr().err
    assert other.read_bytes() == before


def test_a_named_picture_that_cannot_be_drawn_is_a_failure_but_stops_no_other(generator_path, photo, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("hello")
    assert _run(generator_path, tmp_path / "text.jpg", photo) == 1
    assert "Skipped" in capsys.readouterr().err
    assert (tmp_path / "photo-cartoon.jpg").exists()


def test_a_picture_that_its_format_cannot_hold_is_named(generator_path, tmp_path, capsys):
    pictures.write_picture(tmp_path / "wide.png", np.full((1, 16_500, 3), 9, np.uint8))
    assert _run(generator_path, tmp_path / "wide.png", f"--output={tmp_path}/wide.webp") == 1
    assert "wide.webp: cannot be written" in capsys.readouterr().err


def test_names_that_are_not_utf_8(generator_path, photo, tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")
    shutil.copy(photo, tmp_path / name)
    assert _run(generator_path, tmp_path / name) == 0
    assert (tmp_path / os.fsdecode(b"caf\xe9-cartoon.jpg")).exists()


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_the_photo_is_never_written_over(generator_path, photo, overwrite, capsys):
    before = photo.read_bytes()
    assert _run(generator_path, photo, f"--output={photo}", *overwrite) == 1
    assert _run(generator_path, photo.parent, f"--output={photo.parent}", *overwrite) == 1
    link = photo.parent / "link.jpg"
    link.symlink_to(photo)
    assert _run(generator_path, photo, f"--output={link}", *overwrite) == 1
    assert capsys.readouterr().err.count("one of the photos to draw") == 3
    assert photo.read_bytes() == before


def test_an_existing_cartoon_is_written_over_only_when_told(generator_path, photo, capsys):
    cartoon = photo.with_name("photo-cartoon.jpg")
    cartoon.write_text("precious")
    assert _run(generator_path, photo) == 1
    assert "--overwrite" in capsys.readouterr().err and cartoon.read_text() == "precious"
    assert _run(generator_path, photo, "--overwrite") == 0
    assert pictures.read_picture(cartoon).shape == (41, 30, 3)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "name the picture"),
        (["none.jpg"], "none.jpg: no such picture"),
        (["{photo}", "--output=drawn.tga"], "drawn.tga: cannot write that format"),
        (["{empty}"], "is empty"),
        (["{text}"], "nothing could be drawn"),
        (["{photo}", "--output={text}/drawn.png"], "text.jpg is not a folder that can be written to"),
        (["{photo}", "--strength=2"], "--strength=2.0: must be from 0 to 1"),
        (["{photo}", "--contact_sheet"], "--contact_sheet: is for folders"),
        (["{photo}", "--quality=0"], "--quality=0: must be"),
        (["{photo}", "--max_pixels=100"], "more than the limit of 100"),
        (["{photo}", "--model=none.keras"], "none.keras: no such file, and no style"),
    ],
)
def test_what_cannot_be_done_is_said(generator_path, photo, tmp_path, arguments, message, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.jpg").write_text("hello")
    places = {"photo": photo, "empty": tmp_path / "empty", "text": tmp_path / "text.jpg"}
    assert _run(generator_path, *(argument.format(**places) for argument in arguments)) in (1, 2)
    assert message in capsys.readouterr().err


def test_two_pictures_with_one_name_are_refused(generator_path, tmp_path, capsys):
    Image.fromarray(draw(0)).save(tmp_path / "a.ppm")
    Image.fromarray(draw(1)).save(tmp_path / "a.png")
    assert _run(generator_path, tmp_path / "a.ppm", tmp_path / "a.png") == 1
    assert "would both become" in capsys.readouterr().err
    assert _run(generator_path, tmp_path, f"--output={tmp_path}/out") == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["a.png", "a.ppm.png"]


def test_the_hayao_style_changes_a_photo(assets, tmp_path):
    """The authors' weights on a real photo through the program: the published cartoon, up to rounding."""
    from cartoongan_tf import import_weights

    model = tmp_path / "hayao.keras"
    assert import_weights.main(["x", f"--weights={assets}/authors/hayao.npz", f"--output={model}"]) == 0
    photo = next(path for path in sorted((assets / "photos").glob("*.jpg")))
    small = tmp_path / "small.png"
    with Image.open(photo) as picture:
        picture.resize((96, 64)).save(small)
    assert _run(model, small) == 0
    cartoon = pictures.read_picture(tmp_path / "small-cartoon.png")
    difference = np.abs(cartoon.astype(int) - pictures.read_picture(small)).mean()
    assert 4 < difference < 80


def test_styles_are_listed_and_found_by_their_names(generator_path, photo, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(styles, "_FOLDER", tmp_path / "styles")
    for name in ("watercolour", "ink"):
        (tmp_path / "styles" / name).mkdir(parents=True)
        shutil.copy(generator_path, tmp_path / "styles" / name / "generator.keras")
        (tmp_path / "styles" / name / "model_card.md").write_text(f"# As if in {name}\n\nMade of nothing.\n")
        (tmp_path / "styles" / name / "license.txt").write_text("None.\n")
    assert cartoonize.main(["cartoonize", "--list_styles"]) == 0
    assert capsys.readouterr().out == "ink          As if in ink\nwatercolour  As if in watercolour\n"
    assert cartoonize.main(["cartoonize", "--model=ink", str(photo)]) == 0
    by_name = photo.with_name("photo-cartoon.jpg").read_bytes()
    assert _run(generator_path, photo, "--overwrite") == 0
    assert photo.with_name("photo-cartoon.jpg").read_bytes() == by_name


def test_a_style_that_is_not_there_names_those_that_are(photo, capsys):
    assert cartoonize.main(["cartoonize", "--model=papper", str(photo)]) == 1
    assert "papper: no such file, and no style that comes with this (pepper)" in capsys.readouterr().err
