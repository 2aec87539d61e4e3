"""Records with drawings of a teacher: the abstraction, and trained networks."""

import json
import pickle
import shutil

import cv2
import numpy as np
import pytest

from cartoongan_tf import Cartoonizer, styles
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from cartoongan_tf.media.abstraction import Abstraction, abstract
from cartoongan_tf.models.generator_file import load_generator, save_generator
from data_pipeline import build_tfrecords, inspect_records, records
from data_pipeline.squares import Square, scale_squares
from data_pipeline.teachers import find_teacher
from tests.helpers import contents, draw

SIZE = 32


def _build(photos, output, *flags):
    return build_tfrecords.main(
        ["build", f"--photos_dir={photos}", f"--output_dir={output}", f"--image_size={SIZE}", *flags]
    )


def _examples(folder):
    """Source, square, photo and drawing of each record."""
    opened = records.open_records(folder)
    for number in range(len(opened.photos)):
        data = opened.photos.read(number)
        photo, drawing = records.parse_drawn_photo(data, SIZE)
        yield *records.parse_origin(data), photo.numpy(), drawing.numpy()


def _dataset(folder):
    return json.loads((folder / "dataset.json").read_text())


@pytest.fixture
def photos(picture_folders, tmp_path):
    """A folder of 7 photos to change, and a file that is none."""
    return shutil.copytree(picture_folders[0], tmp_path / "photos")


@pytest.fixture
def model(generator_path, tmp_path):
    """A model to change."""
    return shutil.copy(generator_path, tmp_path / "model.keras")


def _change(model):
    generator = load_generator(model)
    generator.set_weights([0.5 * weights for weights in generator.get_weights()])
    save_generator(generator, model)


@pytest.mark.parametrize("teacher", ["abstraction", "model"])
def test_photo_and_drawing_are_cut_from_the_same_places(generator_path, tmp_path, teacher):
    """The teacher has seen each whole photo at the size of its squares."""
    for name, shape in (("wide", (64, 150)), ("tall", (150, 70)), ("small", (28, 60))):
        pictures.write_picture(tmp_path / "photos" / f"{name}.png", draw(7, *shape))
    flag = generator_path if teacher == "model" else teacher
    assert _build(tmp_path / "photos", tmp_path / "data", f"--teacher={flag}", "--crops_per_image=2") == 0
    draw_photo = Cartoonizer.load(generator_path) if teacher == "model" else abstract
    examples = list(_examples(tmp_path / "data"))
    assert [source for source, *_ in examples] == ["small.png"] * 2 + ["tall.png"] * 2 + ["wide.png"] * 2
    for source, square, photo, drawing in examples:
        whole = pictures.read_picture(tmp_path / "photos" / source)
        height, width = (round(length * SIZE / square.side) for length in whole.shape[:2])
        method = cv2.INTER_AREA if square.side > SIZE else cv2.INTER_CUBIC
        scaled = cv2.resize(whole, (width, height), interpolation=method)
        top, left = (round(start * SIZE / square.side) for start in (square.top, square.left))
        place = (slice(top, top + SIZE), slice(left, left + SIZE))
        np.testing.assert_array_equal(photo, scaled[place])
        np.testing.assert_array_equal(drawing, draw_photo(scaled)[place])
        assert (drawing != photo).any()


def test_squares_are_scaled_with_their_picture():
    picture = draw(0, 64, 200)
    scaled, places = scale_squares(picture, [Square(0, 34, 64), Square(0, 135, 64)], 32)
    np.testing.assert_array_equal(scaled, cv2.resize(picture, (100, 32), interpolation=cv2.INTER_AREA))
    assert places == {Square(0, 34, 64): Square(0, 17, 32), Square(0, 135, 64): Square(0, 68, 32)}
    for shape in ((33, 47), (97, 33), (10, 29)):  # they stay inside, whatever is rounded, and if they are enlarged
        side = min(shape)
        corner = Square(shape[0] - side, shape[1] - side, side)
        scaled, places = scale_squares(draw(1, *shape), [corner], 32)
        top, left, _ = places[corner]
        assert (top + 32, left + 32) == scaled.shape[:2]


@pytest.mark.parametrize("teacher", ["abstraction", "model"])
def test_threads_change_no_byte(photos, model, tmp_path, monkeypatch, teacher):
    monkeypatch.setattr("data_pipeline.shards.FILES_PER_SHARD", 3)
    for seed in range(8):
        pictures.write_picture(photos / f"more{seed}.png", draw(1000 + seed, 90, 120))
    flag = f"--teacher={model if teacher == 'model' else teacher}"
    for num_workers in (1, 2, 5):
        output = tmp_path / f"data{num_workers}"
        assert _build(photos, output, flag, f"--num_workers={num_workers}", "--validation_fraction=0.3") == 0
        assert contents(output) == contents(tmp_path / "data1")
    assert len(records.open_records(tmp_path / "data1", "validation").photos) > 0


def test_a_teacher_needs_no_cartoons(picture_folders, tmp_path, capsys):
    photos, frames = picture_folders
    assert _build(photos, tmp_path / "data", "--teacher=abstraction") == 0
    printed = capsys.readouterr().out
    assert "7 photos" in printed and "cartoons" not in printed
    opened = records.open_records(tmp_path / "data")
    assert (len(opened.photos), len(opened.cartoons), opened.teacher) == (7, 0, "abstraction")
    assert list(_dataset(tmp_path / "data")["input"]) == ["photos"]
    assert _build(photos, tmp_path / "both", "--teacher=abstraction", f"--cartoons_dir={frames}") == 0
    assert len(records.open_records(tmp_path / "both").cartoons) == 5
    assert _build(photos, tmp_path / "data", "--teacher=abstraction", f"--cartoons_dir={frames}") == 1
    assert "--cartoons_dir" in capsys.readouterr().err
    assert _build(photos, tmp_path / "neither") == 2
    error = capsys.readouterr().err
    assert "--cartoons_dir" in error and "--teacher" in error


def test_without_a_teacher_nothing_of_one_is_written(picture_folders, tmp_path):
    photos, frames = picture_folders
    assert _build(photos, tmp_path / "data", f"--cartoons_dir={frames}") == 0
    dataset = _dataset(tmp_path / "data")
    assert list(dataset) == ["version", "parameters", "input", "photos", "cartoons"]
    assert list(dataset["parameters"])[-1] == "canny_high"
    assert records.open_records(tmp_path / "data").teacher == ""
    assert b"drawing" not in (tmp_path / "data" / "photos-train-00000.tfrecord").read_bytes()


def test_the_flags_of_the_abstraction_shape_its_drawings(picture_folders, tmp_path, capsys):
    photos = picture_folders[0]
    flags = ("--teacher=abstraction", "--abstraction_num_tones=2")
    assert _build(photos, tmp_path / "data", *flags) == 0
    for _, _, photo, drawing in _examples(tmp_path / "data"):
        assert photo.shape == drawing.shape
    parameters = _dataset(tmp_path / "data")["parameters"]
    assert parameters["abstraction_num_tones"] == 2 and parameters["teacher"] == "abstraction"
    assert _build(photos, tmp_path / "plain", "--teacher=abstraction") == 0
    plain, changed = (list(_examples(tmp_path / name)) for name in ("plain", "data"))
    assert all((ours[3] != theirs[3]).any() for ours, theirs in zip(plain, changed, strict=True))
    capsys.readouterr()
    assert _build(photos, tmp_path / "data", "--teacher=abstraction") == 1
    error = capsys.readouterr().err
    assert "--abstraction_num_tones=2" in error and f"={Abstraction().num_tones}" in error
    assert _build(photos, tmp_path / "other", "--teacher=pepper", "--abstraction_num_tones=2") == 2
    assert "--teacher=abstraction" in capsys.readouterr().err
    assert _build(photos, tmp_path / "other", "--teacher=abstraction", "--abstraction_num_tones=-1") == 2
    assert "--abstraction_num_tones=-1" in capsys.readouterr().err


def test_a_build_is_never_finished_with_another_teacher(photos, model, tmp_path, monkeypatch, capsys):
    """Neither with one of another name, nor with one that has taken its place."""
    monkeypatch.setattr("data_pipeline.shards.FILES_PER_SHARD", 2)
    flags = (f"--teacher={model}", "--strict")
    assert _build(photos, tmp_path / "data", *flags) == 1  # notes.txt is no picture
    assert list((tmp_path / "data").glob("*.tfrecord")) and not (tmp_path / "data" / "dataset.json").exists()
    capsys.readouterr()
    assert _build(photos, tmp_path / "data", "--teacher=abstraction") == 1
    error = capsys.readouterr().err
    assert "--teacher=abstraction" in error and f"--teacher={model}" in error and "--overwrite" in error
    assert _build(photos, tmp_path / "finished", f"--teacher={model}") == 0
    _change(model)
    for folder in ("data", "finished"):
        capsys.readouterr()
        assert _build(photos, tmp_path / folder, f"--teacher={model}") == 1
        error = capsys.readouterr().err
        assert f"--teacher={model}: " in error and "--overwrite" in error
    before = _dataset(tmp_path / "finished")
    assert _build(photos, tmp_path / "finished", f"--teacher={model}", "--overwrite") == 0
    after = _dataset(tmp_path / "finished")
    assert after["teacher"]["sha256"] != before["teacher"]["sha256"]
    assert after["photos"]["train"]["shards"] != before["photos"]["train"]["shards"]


def test_a_worker_that_finds_another_model_stops(model):
    teacher = find_teacher(model)
    assert len(pickle.dumps(teacher)) < 2000
    _change(model)
    with pytest.raises(InputError, match=f"--teacher={model}"):
        pickle.loads(pickle.dumps(teacher)).draw(draw(0))
    np.testing.assert_array_equal(find_teacher(model).draw(draw(0)), Cartoonizer.load(model)(draw(0)))


def test_a_style_and_a_folder_are_known_by_their_content(tmp_path):
    by_name, by_path = find_teacher("pepper"), find_teacher(str(styles.find_model("pepper")))
    assert by_name.sha256 == by_path.sha256 and len(by_name.sha256) == 64
    hashes = {by_name.sha256}
    for name, content in (("a/1", "one"), ("a/1", "two"), ("a/2", "two"), ("a/sub/2", "two")):
        shutil.rmtree(tmp_path / "model", ignore_errors=True)
        (tmp_path / "model" / name).parent.mkdir(parents=True)
        (tmp_path / "model" / name).write_text(content)
        hashes.add(find_teacher(str(tmp_path / "model")).sha256)
    assert len(hashes) == 5


@pytest.mark.parametrize("name, content", [("none.keras", None), ("broken.keras", "no model"), ("notes.txt", "text")])
def test_what_is_no_teacher_is_named(picture_folders, tmp_path, capsys, name, content):
    path = tmp_path / name
    if content:
        path.write_text(content)
    assert _build(picture_folders[0], tmp_path / "data", f"--teacher={path}") == 1
    error = capsys.readouterr().err
    assert f"--teacher={path}: " in error and "Traceback" not in error
    assert not (tmp_path / "data" / "dataset.json").exists()


def test_the_sheet_shows_each_photo_beside_its_drawing(picture_folders, tmp_path, capsys):
    """Without cartoons, whose figures and warnings are not there either."""
    assert _build(picture_folders[0], tmp_path / "data", "--teacher=abstraction") == 0
    sheet = tmp_path / "sheet.png"
    assert inspect_records.main(["inspect", f"--data_dir={tmp_path / 'data'}", f"--output={sheet}"]) == 0
    printed = capsys.readouterr().out
    assert "contrast" in printed and "cartoon" not in printed and "edge region" not in printed
    statistics = json.loads((tmp_path / "inspection.json").read_text())
    assert statistics["photos"]["examples"] == 7 and "cartoons" not in statistics and statistics["drawn_more"] is None
    assert statistics["warnings"][0]["name"] == "few_photos"
    shown = pictures.read_picture(sheet)
    for _, _, photo, drawing in _examples(tmp_path / "data"):
        enlarged = [picture.repeat(5, 0).repeat(5, 1) for picture in (photo, drawing)]  # 32 pixels to 160
        places = [cv2.minMaxLoc(cv2.matchTemplate(shown, picture, cv2.TM_SQDIFF)) for picture in enlarged]
        assert max(difference for difference, *_ in places) < 1e3
        (left, top), (drawing_left, drawing_top) = (place for _, _, place, _ in places)
        assert top == drawing_top and 160 <= drawing_left - left < 170


def test_the_abstraction_takes_the_colours_of_the_cartoons(photos, tmp_path, capsys):
    red = np.full((40, 40, 3), (220, 60, 50), np.uint8)
    red[:20] = (120, 30, 20)
    for number in range(2):
        pictures.write_picture(tmp_path / "red" / f"{number}.png", np.roll(red, number, 1))
    flags = ("--teacher=abstraction", "--abstraction_palette_colors=2", "--abstraction_palette_strength=1")
    assert _build(photos, tmp_path / "data", *flags, f"--cartoons_dir={tmp_path / 'red'}", "--duplicate_bits=-1") == 0
    for *_, drawing in _examples(tmp_path / "data"):
        channels = drawing[drawing.max(-1) > 60].astype(int)
        assert np.percentile(channels[:, 0] - channels[:, 2], 10) > 0, "nothing is bluish"
    assert _build(photos, tmp_path / "other", *flags) == 1
    assert "--cartoons_dir" in capsys.readouterr().err
