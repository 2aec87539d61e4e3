"""The styles that come with the package: their size, their description and their cartoons."""

import csv
import functools
import re

import numpy as np
import pytest

from cartoongan_tf import Cartoonizer, cartoonize, styles
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.tflite_facts import find_beside
from cartoongan_tf.media import image_measures, pictures
from cartoongan_tf.media.abstraction import Abstraction, abstract
from cartoongan_tf.training import health_measures
from cartoongan_tf.training.networks import load_initial_generator
from export.config import ExportConfig
from tests.helpers import REPOSITORY

PHOTOS = sorted((REPOSITORY / "export" / "photos").glob("*.jpg"))
STYLES = styles.all_styles()
DEFAULT = STYLES[styles.DEFAULT]
MAX_BYTES = 4_000_000
# The abstractions that styles were distilled from, as in their recipes.
TEACHERS = {
    "ink": Abstraction(
        num_tones=5, tone_sharpness=8, line_width_px=4.4, flatness=0.006, saturation=1.5, brightness_gamma=0.8
    ),
    "noir": Abstraction(
        num_tones=3, tone_sharpness=15, line_width_px=4.4, flatness=0.006, saturation=0, brightness_gamma=0.5
    ),
}

each_style = pytest.mark.parametrize("name", STYLES)


@pytest.fixture(scope="module")
def photos():
    """The photos that exports come with; no style was trained on them."""
    return [pictures.read_picture(path) for path in PHOTOS]


@pytest.fixture(scope="module")
def draw_in():
    """A function that returns the cartoonizer of a style, loaded once."""
    return functools.cache(Cartoonizer.load)


@each_style
def test_a_style_is_small_and_has_a_model_card(name):
    folder = STYLES[name].generator.parent
    assert sum(path.stat().st_size for path in folder.iterdir() if path.suffix != ".tflite") < MAX_BYTES
    assert (folder / "generator.tflite").stat().st_size < MAX_BYTES
    assert find_beside(STYLES[name].generator), "python -m export.write_tflite makes the .tflite file"
    card = (folder / "model_card.md").read_text()
    titles = re.findall(r"^## (.*)$", card, re.MULTILINE)
    assert titles == ["Use", "Data", "Licence and attribution", "Recipe", "Evaluation", "Limits"]
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", card):
        assert (folder / link).exists(), link
    assert "](curve.png)" in card and f"--flagfile=configs/{name}.flags" in card
    assert 400 <= STYLES[name].drawing_size <= 1200
    assert 20 < len(STYLES[name].description) < 90


@each_style
def test_the_photos_of_a_style_are_listed_and_free(name):
    with open(STYLES[name].generator.parent / "photos.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted({row["used_for"] for row in rows}) == ["evaluation", "training"]
    assert all(row["licence"] and row["repository"].startswith("https://") for row in rows)
    assert all(not row["source_url"] or row["source_url"].startswith("http") for row in rows)
    training = [row["licence"] for row in rows if row["used_for"] == "training"]
    assert len(training) == 147
    assert not [licence for licence in training if re.search(r"BY|GFDL|FAL|featured", licence)]


@each_style
def test_a_style_is_a_light_generator(name):
    assert load_initial_generator(name).count_params() == 523_327


@pytest.mark.parametrize("name", TEACHERS)
def test_a_distilled_style_draws_what_its_teacher_draws(name, draw_in, photos):
    """On photos that it never saw."""
    for photo, path in zip(photos, PHOTOS, strict=True):
        drawing = abstract(photo, TEACHERS[name])
        nearer = image_measures.psnr(draw_in(name)(photo), drawing) - image_measures.psnr(photo, drawing)
        assert nearer > 5, path


@each_style
def test_a_style_draws_no_photo_no_grid_and_no_frame(name, draw_in, photos):
    cartoons = [draw_in(name)(photo) for photo in photos]
    for photo, cartoon in zip(photos, cartoons, strict=True):
        assert cartoon.shape == photo.shape
        assert health_measures.checkerboard(cartoon[np.newaxis]) < 40
        assert cartoon.std() > 0.6 * photo.std()
    crops = (np.stack([one[:192, :288] for one in side[1:]]) for side in (photos, cartoons))
    assert health_measures.detail_correlation(*crops) < 0.95
    around = [np.concatenate([each[:3].ravel(), each[-3:].ravel()]).mean() for each in cartoons]
    inside = [np.concatenate([each[6:9].ravel(), each[-9:-6].ravel()]).mean() for each in cartoons]
    assert np.abs(np.subtract(around, inside)).max() < 12


@pytest.mark.parametrize("name", TEACHERS)
def test_a_distilled_style_is_flat(name, draw_in, photos):
    gains = [image_measures.flatness(draw_in(name)(photo)) - image_measures.flatness(photo) for photo in photos]
    assert np.mean(gains) > 0.1


@pytest.mark.parametrize("name, most", [("ink", 10), ("pepper", 14)])
def test_colours_stay_near_those_of_the_photo(name, most, draw_in, photos):
    shifts = [image_measures.color_shift(draw_in(name)(photo), photo) for photo in photos]
    assert np.mean(shifts) < most
    casts = [np.mean(draw_in(name)(photo).astype(int) - photo, axis=(0, 1)) for photo in photos]
    assert np.ptp(np.mean(casts, axis=0)) < 40  # of red, green and blue, over photos of very different colours


def test_noir_is_grey(draw_in, photos):
    for photo in photos:
        assert np.ptp(draw_in("noir")(photo).astype(int), axis=2).mean() < 8


@each_style
def test_a_dark_edge_has_no_pale_halo(name, draw_in):
    """Beyond two pixels of a step, the bright side is no brighter than far away from it."""
    for dark, bright in ((30, 150), (60, 200), (100, 180)):
        step = np.full((160, 240, 3), dark, np.uint8)
        step[:, 120:] = bright
        row = draw_in(name)(step)[80].mean(1)
        far = row[190:210].mean()
        assert (row[123:190] - far).max() < 8, (dark, bright)


def test_the_default_is_used_where_no_model_is_named(draw_in, tmp_path):
    photo = pictures.shrink(pictures.read_picture(PHOTOS[0]), 96)
    pictures.write_picture(tmp_path / "photo.png", photo)
    for flags in ([], [f"--style={DEFAULT.name}"]):
        assert cartoonize.main(["cartoonize", *flags, "--overwrite", str(tmp_path / "photo.png")]) == 0
        cartoon = pictures.read_picture(tmp_path / "photo-cartoon.png")
        np.testing.assert_array_equal(cartoon, draw_in(DEFAULT.name)(photo), str(flags))


def test_an_export_takes_name_licence_and_size_from_the_style():
    config = ExportConfig(output_dir="exported")
    assert (config.model, config.name, config.drawing_size) == (DEFAULT.name, DEFAULT.name, DEFAULT.drawing_size)
    pepper = ExportConfig(output_dir="exported", model="pepper")
    assert pepper.license.startswith("CC BY 4.0") and "David Revoy" in pepper.license
    assert "--license=" in pepper.command and "--drawing_size=" in pepper.command
    with pytest.raises(InputError, match="--name is missing"):
        ExportConfig(output_dir="exported", model="runs/shinkai/generator.keras")


def test_a_style_goes_before_a_file_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pepper").mkdir()
    assert styles.find_model("pepper") == STYLES["pepper"].generator
    assert styles.find_model("./pepper").resolve() == tmp_path / "pepper"
    with pytest.raises(InputError, match=r"salt: .*\(ink, noir, pepper\)"):
        styles.find_model("salt")
