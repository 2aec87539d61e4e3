"""The styles that come with the package: their size, their description and their cartoons."""

import csv
import re

import numpy as np
import pytest

from cartoongan_tf import Cartoonizer, cartoonize, styles
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import image_measures, pictures
from cartoongan_tf.media.abstraction import abstract
from cartoongan_tf.models.architectures import GENERATOR_SIZES
from cartoongan_tf.training import health_measures
from cartoongan_tf.training.networks import load_initial_generator
from export.config import ExportConfig
from tests.helpers import REPOSITORY

PHOTOS = sorted((REPOSITORY / "export" / "photos").glob("*.jpg"))
PEPPER = styles.all_styles()["pepper"]
MAX_BYTES = 6_000_000


@pytest.fixture(scope="module")
def pepper():
    return Cartoonizer.load()


@pytest.fixture(scope="module")
def pairs(pepper):
    """The photos that exports come with, and their cartoons."""
    photos = [pictures.read_picture(path) for path in PHOTOS]
    return [(photo, pepper(photo)) for photo in photos]


def test_the_default_is_a_style():
    assert PEPPER.name == styles.DEFAULT
    assert "Pepper&Carrot" in PEPPER.description


@pytest.mark.parametrize("style", styles.all_styles().values(), ids=lambda style: style.name)
def test_a_style_is_small_and_has_a_model_card(style):
    folder = style.generator.parent
    assert sum(path.stat().st_size for path in folder.iterdir()) < MAX_BYTES
    card = (folder / "model_card.md").read_text()
    titles = re.findall(r"^## (.*)$", card, re.MULTILINE)
    assert titles == ["Use", "Data", "Licence and attribution", "Recipe", "Evaluation", "Limits"]
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", card):
        assert (folder / link).exists(), link


@pytest.mark.parametrize("name, num_photos, num_training", [("pepper", 114, 100), ("ink", 245, 212)])
def test_the_photos_of_a_style_are_listed(name, num_photos, num_training):
    with open(styles.all_styles()[name].generator.parent / "photos.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted({row["used_for"] for row in rows}) == ["evaluation", "training"]
    assert all(row["licence"] and row["repository"].startswith("https://") for row in rows)
    assert all(not row["source_url"] or row["source_url"].startswith("http") for row in rows)
    assert [len(rows), sum(row["used_for"] == "training" for row in rows)] == [num_photos, num_training]


def test_ink_draws_what_its_teacher_draws():
    """On photos that it never saw; the photos themselves are 7 to 9 dB further away."""
    cartoonizer = Cartoonizer.load("ink")
    for path in PHOTOS:
        photo = pictures.read_picture(path)
        drawing = abstract(photo)
        assert image_measures.psnr(cartoonizer(photo), drawing) > image_measures.psnr(photo, drawing) + 6, path


def test_pepper_is_the_light_generator_of_its_time():
    generator = load_initial_generator("pepper")
    assert generator.count_params() == 690_780
    assert generator.get_layer("flat_conv").filters == GENERATOR_SIZES["narrow"][0]


def test_pepper_draws_no_photo_no_grid_no_grey_and_no_cast(pairs):
    for photo, cartoon in pairs:
        assert cartoon.shape == photo.shape
        assert health_measures.checkerboard(cartoon[np.newaxis]) < 40
        assert cartoon.std() > 0.6 * photo.std()
        assert image_measures.color_shift(cartoon, photo) < 30
    photos, cartoons = (np.stack([one[:192, :288] for one in side]) for side in zip(*pairs[1:], strict=True))
    assert health_measures.detail_correlation(photos, cartoons) < 0.95
    casts = [np.mean(cartoon.astype(int) - photo, axis=(0, 1)) for photo, cartoon in pairs]
    assert np.ptp(np.mean(casts, axis=0)) < 40  # of red, green and blue, over photos of very different colours


def test_pepper_is_used_where_no_model_is_named(pepper, tmp_path):
    photo = pictures.shrink(pictures.read_picture(PHOTOS[0]), 96)
    pictures.write_picture(tmp_path / "photo.png", photo)
    for flags in ([], ["--model=pepper"]):
        assert cartoonize.main(["cartoonize", *flags, "--overwrite", str(tmp_path / "photo.png")]) == 0
        cartoon = pictures.read_picture(tmp_path / "photo-cartoon.png")
        np.testing.assert_array_equal(cartoon, pepper(photo), str(flags))


def test_an_export_without_a_model_is_peppers():
    config = ExportConfig(output_dir="exported")
    assert (config.model, config.name) == ("pepper", "pepper")
    assert config.license.startswith("CC BY 4.0") and "David Revoy" in config.license
    assert "--license=" in config.command
    with pytest.raises(InputError, match="--name is missing"):
        ExportConfig(output_dir="exported", model="runs/shinkai/generator.keras")


def test_a_style_goes_before_a_file_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pepper").mkdir()
    assert styles.find_model("pepper") == PEPPER.generator
    assert styles.find_model("./pepper").resolve() == tmp_path / "pepper"
    with pytest.raises(InputError, match=r"salt: .*\(ink, pepper\)"):
        styles.find_model("salt")
