import numpy as np
import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from data_pipeline import records
from experiments import material
from experiments.kept_drawings import Drawings
from experiments.style_images import StyleImages
from tests.helpers import draw


def _folder(path, count):
    for number in range(count):
        pictures.write_picture(path / f"{number:02}.png", draw(number, 60, 70))
    (path / "notes.csv").write_text("no picture")
    return path


def test_every_eighth_photo_is_held_out(tmp_path):
    split = material.split_photos(_folder(tmp_path / "photos", 17))
    assert [file.stem for file in split.held_out] == ["00", "08", "16"]
    assert len(split.training) == 14 and not set(split.training) & set(split.held_out)


def test_of_few_photos_two_are_held_out_at_least(tmp_path):
    split = material.split_photos(_folder(tmp_path / "photos", 5))
    assert [len(split.held_out), len(split.training)] == [3, 2]


def test_the_last_cartoons_are_held_out(tmp_path):
    split = material.split_cartoons(_folder(tmp_path / "frames", 15))
    assert [file.stem for file in split.held_out] == ["12", "13", "14"]
    assert [file.stem for file in split.training] == [f"{number:02}" for number in range(12)]


def test_too_few_pictures_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"--cartoons_dir=.*frames: 3 "):
        material.split_cartoons(_folder(tmp_path / "frames", 3))


def test_records_hold_no_picture_that_is_held_out(tmp_path):
    folders = {name: _folder(tmp_path / name, 9) for name in ("photos", "cartoons")}
    splits = {
        "photos": material.split_photos(folders["photos"]),
        "cartoons": material.split_cartoons(folders["cartoons"]),
    }
    kinds = {name: (str(folder), splits[name].training) for name, folder in folders.items()}
    material.build_records(kinds, tmp_path / "data", {"image_size": 32, "duplicate_bits": -1})
    opened = records.open_records(tmp_path / "data")
    assert len(opened.photos) == len(splits["photos"].training) == 6
    assert len(opened.cartoons) == len(splits["cartoons"].training) == 7


def test_unreadable_held_out_pictures_are_refused(tmp_path):
    folder = _folder(tmp_path / "photos", 4)
    for file in folder.glob("*.png"):
        file.write_bytes(b"nothing")
    with pytest.raises(InputError, match="photos: fewer than two"):
        material.read_held_out(material.split_photos(folder), 64, 32, 10)


def test_slow_drawings_are_made_once(tmp_path):
    photos = [draw(seed, 20, 24) for seed in range(2)]
    calls = []

    def invert(number):
        calls.append(number)
        return 255 - photos[number]

    def drawings(num_steps=3):
        return Drawings.make(tmp_path / "inverted", photos, invert, lambda number: (photos[0], num_steps))

    for _ in range(2):
        np.testing.assert_array_equal(drawings().draw(photos[1].copy()), 255 - photos[1])
    assert calls == [0, 1] and drawings().secs_per_picture > 0
    next(tmp_path.rglob("*.json")).unlink()  # as if it had been interrupted
    drawings()
    assert len(calls) == 3
    drawings(num_steps=4)  # with another setting: drawn again, and the others stay
    drawings()
    assert calls[3:] == [0, 1]
    photos.reverse()
    np.testing.assert_array_equal(drawings().draw(photos[0]), 255 - photos[0])


@pytest.mark.slow
def test_the_cartoon_most_like_a_photo_is_found(tmp_path):
    files = sorted(_folder(tmp_path / "frames", 6).glob("*.png"))
    (tmp_path / "frames" / "broken.png").write_bytes(b"nothing")
    cartoons = StyleImages.read([*files, tmp_path / "frames" / "broken.png"], 70, "random", seed=3)
    assert len(cartoons.files) == len(list(cartoons.pictures())) == 6
    photo = (0.8 * draw(4, 60, 70) + 20).astype(np.uint8)
    np.testing.assert_array_equal(cartoons.most_alike(photo), draw(4, 60, 70))
    choices = [cartoons.random(number) for number in range(8)]
    assert len({picture.tobytes() for picture in choices}) > 1
    np.testing.assert_array_equal(choices[0], cartoons.random(0))
