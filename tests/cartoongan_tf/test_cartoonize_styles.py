"""`cartoonize` with the styles that come with the package: by name, at their size, and all on one sheet."""

import shutil

import numpy as np
import pytest

from cartoongan_tf import cartoonize, styles
from cartoongan_tf.media import pictures
from cartoongan_tf.media.enlargement import enlarge
from tests.helpers import draw, run_cartoonize

pytestmark = pytest.mark.usefixtures("load_once")


@pytest.fixture
def two_styles(generator_path, tmp_path, monkeypatch):
    """Two styles of the small generator in place of those that come with the package."""
    monkeypatch.setattr(styles, "FOLDER", tmp_path / "styles")
    for name, drawing_size in (("watercolour", 64), ("ink", 40)):
        folder = tmp_path / "styles" / name
        folder.mkdir(parents=True)
        shutil.copy(generator_path, folder / "generator.keras")
        card = f"---\nlicense: other\ndrawing_size: {drawing_size}\n---\n\n# As if in {name}\n\nMade of nothing.\n"
        (folder / "model_card.md").write_text(card)
        (folder / "license.txt").write_text("None.\n")


def test_styles_are_listed_and_found_by_their_names(two_styles, generator_path, photo, capsys):
    assert cartoonize.main(["cartoonize", "--list_styles"]) == 0
    assert capsys.readouterr().out == "ink          As if in ink\nwatercolour  As if in watercolour\n"
    cartoons = []
    for flags in (["--style=ink"], ["--model=ink"], ["--model=ink", "--drawing_size=40"]):
        assert cartoonize.main(["cartoonize", *flags, "--overwrite", str(photo)]) == 0
        cartoons.append(photo.with_name("photo-cartoon.png").read_bytes())
    assert run_cartoonize(generator_path, photo, "--overwrite", "--drawing_size=40") == 0
    cartoons.append(photo.with_name("photo-cartoon.png").read_bytes())
    assert len(set(cartoons)) == 1


def test_a_style_has_a_size_and_full_size_overrules_it(two_styles, generator_path, photo, cartoonizer):
    target = photo.with_name("photo-cartoon.png")
    pixels = pictures.read_picture(photo)
    assert cartoonize.main(["cartoonize", "--style=ink", str(photo)]) == 0
    small = cartoonizer(pictures.shrink(pixels, 40))
    np.testing.assert_array_equal(pictures.read_picture(target), enlarge(small, *pixels.shape[:2]))
    assert cartoonize.main(["cartoonize", "--style=ink", "--full_size", "--overwrite", str(photo)]) == 0
    np.testing.assert_array_equal(pictures.read_picture(target), cartoonizer(pixels))


def test_all_styles_are_on_one_sheet(two_styles, photo, tmp_path, capsys):
    folder = tmp_path / "album"
    folder.mkdir()
    pictures.write_picture(folder / "a.png", draw(1, 90, 60))
    (folder / "b.jpg").write_text("no picture")
    assert cartoonize.main(["cartoonize", "--all_styles", str(folder), str(photo)]) == 0
    assert "b.jpg" in capsys.readouterr().err
    sheet = pictures.read_picture(tmp_path / "album-styles.jpg")
    assert sheet.shape[1] > 3 * 300 and len(np.unique(sheet)) > 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["album", "album-styles.jpg", "photo.png", "styles"]
    for flags, named in (
        ([], "album-styles.jpg"),
        (["--output=a.xyz"], "a.xyz"),
        ([f"--output={folder}"], "album"),
        ([f"--output={photo}/a.jpg"], "is not a folder that can be written to"),
    ):
        assert cartoonize.main(["cartoonize", "--all_styles", *flags, str(folder)]) == 1
        assert named in capsys.readouterr().err
