import json
import re
import shutil

import keras
import numpy as np
import pytest

from cartoongan_tf import evaluate
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.evaluation.columns import COLUMNS
from cartoongan_tf.evaluation.evaluator import Evaluator, EvaluatorConfig
from cartoongan_tf.evaluation.report import Report
from cartoongan_tf.inference.cartoonizer import Cartoonizer
from cartoongan_tf.inference.named_models import load_named_models
from cartoongan_tf.media import image_measures, picture_set, pictures
from cartoongan_tf.media.abstraction import abstract
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.training.checkpoints import write_generators
from tests.helpers import draw
from tests.small_runs import train_small


@pytest.fixture(scope="module")
def folders(tmp_path_factory, small_measures):
    """Photos, a file that is no picture and a picture that is too small; and drawings."""
    root = tmp_path_factory.mktemp("evaluated")
    for number in range(5):
        noisy = draw(number, 60, 80) // 2 + np.random.default_rng(number).integers(0, 128, (60, 80, 3), np.uint8)
        pictures.write_picture(root / "photos" / f"photo{number}.png", noisy)
    for number in range(4):
        pictures.write_picture(root / "frames" / f"frame{number}.png", draw(50 + number, 70, 64))
    pictures.write_picture(root / "photos" / "tiny.png", draw(9, 20, 20))
    (root / "photos" / "notes.txt").write_text("not a picture")
    return root


def _flags(folders, output, *more):
    return [
        "evaluate",
        f"--photos_dir={folders / 'photos'}",
        f"--cartoons_dir={folders / 'frames'}",
        f"--output_dir={output}",
        "--vgg19_weights=random",
        "--num_crops=40",
        "--crop_px=32",
        "--num_resamplings=20",
        *more,
    ]


@pytest.fixture(scope="module")
def run_dir(data_dir, tmp_path_factory):
    """The folder of a run with averaged weights, which kept its checkpoints."""
    run_dir = tmp_path_factory.mktemp("run") / "run"
    assert train_small(data_dir, run_dir, "--keep_every_steps=10", "--ema_decay=0.5") == 0
    return run_dir


@pytest.fixture(scope="module")
def output(folders, generator_path, run_dir, tmp_path_factory):
    """The folder of an evaluation of a model, which is the teacher, too, and a run."""
    output = tmp_path_factory.mktemp("output") / "new"
    flags = [f"--model=small={generator_path}", f"--run_dir={run_dir}", f"--teacher={generator_path}"]
    assert evaluate.main(_flags(folders, output, *flags)) == 0
    return output


@pytest.fixture(scope="module")
def values(output):
    return json.loads((output / "evaluation.json").read_text())


def test_there_is_a_row_for_each_method(values):
    assert [row["name"] for row in values["rows"]] == [
        "the cartoons themselves",
        "the photos untouched",
        "OpenCV's stylization",
        "OpenCV, edges drawn",
        "abstraction",
        "small",
        "step 10",
        "step 15",
        "step 20",
    ]
    assert [len(row["measures"]) for row in values["rows"]] == [5, 11, *[14] * 7]
    for row in values["rows"][2:]:
        assert set(row["measures"]) == set(COLUMNS) - {"inception_fid_to_cartoons"}
        assert row["secs_per_megapixel"] > 0
    for row in values["rows"][2:5]:  # a model's drawings may have no edges, and so no sharpness
        assert all(measure["low"] <= measure["value"] <= measure["high"] for measure in row["measures"].values())


def test_drawings_are_compared_with_the_teachers(values, output, folders, generator_path):
    teacher = Cartoonizer.load(generator_path)
    photos = [pictures.read_picture(path) for path in sorted((folders / "photos").glob("photo*.png"))]
    drawings = [teacher(photo) for photo in photos]
    for name, draw_photo in (("the photos untouched", lambda photo: photo), ("abstraction", abstract)):
        (measures,) = (row["measures"] for row in values["rows"] if row["name"] == name)
        pairs = [(draw_photo(photo), drawing) for photo, drawing in zip(photos, drawings, strict=True)]
        expected = np.mean([image_measures.psnr(*pair) for pair in pairs])
        assert measures["psnr_to_teacher"]["value"] == pytest.approx(expected)
        expected = np.mean([image_measures.luminance_similarity(*pair) for pair in pairs])
        assert measures["ssim_to_teacher"]["value"] == pytest.approx(expected)
    (itself,) = (row["measures"] for row in values["rows"] if row["name"] == "small")
    assert itself["psnr_to_teacher"]["value"] is None and itself["ssim_to_teacher"]["value"] == pytest.approx(1)
    text = (output / "evaluation.txt").read_text()
    assert str(generator_path) in text and "PSNR to teacher, dB" in text


def test_a_teacher_draws_each_photo_once(folders, tmp_path, monkeypatch):
    """The flags of the abstraction hold for the teacher and for the row."""
    drawn_with = []

    def abstract(photo, abstraction, palette):
        drawn_with.append(abstraction)
        return photo // 2

    monkeypatch.setattr(evaluate, "abstract", abstract)
    flags = ["--teacher=abstraction", "--abstraction_num_tones=3", "--num_crops=2"]
    assert evaluate.main(_flags(folders, tmp_path, *flags)) == 0
    assert len(drawn_with) == 2 * (1 + 5) and {each.num_tones for each in drawn_with} == {3}
    flags = json.loads((tmp_path / "evaluation.json").read_text())["flags"]
    assert flags["abstraction_num_tones"] == 3 and flags["teacher"] == "abstraction"


def test_without_cartoons_the_teachers_drawings_are_compared_with(folders, tmp_path):
    assert evaluate.main(_flags(folders, tmp_path, "--cartoons_dir=", "--teacher=abstraction")) == 0
    values = json.loads((tmp_path / "evaluation.json").read_text())
    rows = {row["name"]: row["measures"] for row in values["rows"]}
    for name in ("edge_density", "flatness"):
        assert rows["abstraction"][name]["value"] == pytest.approx(rows["the cartoons themselves"][name]["value"]), name
    assert rows["abstraction"]["ssim_to_teacher"]["value"] == pytest.approx(1)


def test_counts_and_skipped_files_are_reported(output, values):
    photos = {"pictures": 5, "files": 7, "crops": 40, "disjoint": 10, "left_out": 2}
    assert values["counts"]["photos"] == photos
    assert values["counts"]["cartoons"] == {"pictures": 4, "files": 4, "crops": 40, "disjoint": 16, "left_out": 0}
    assert any("tiny.png" in reason and "--crop_px=32" in reason for reason in values["left_out"])
    assert any("notes.txt" in reason for reason in values["left_out"])
    text = (output / "evaluation.txt").read_text()
    assert "40 crops of 5 photos (7 files; 2 could not be used); only 10 do not overlap." in text
    assert "\n40 crops of 4 cartoons (4 files); only 16 do not overlap.\n" in text
    assert "Less is better: KID to cartoons x1000, against the photos' %, FD to cartoons, colours to cartoons" in text
    assert "Inception" not in text and "PSNR to teacher, dB, SSIM to teacher.\n" in text
    assert values["flags"]["seed"] == 0 and values["layer"] == "block1_conv2"


def test_text_and_markdown_have_the_same_values(output, values):
    edges = values["rows"][5]["measures"]["edge_density"]
    cell = f"{100 * edges['value']:.1f} [{100 * edges['low']:.1f}, {100 * edges['high']:.1f}]"
    text = (output / "evaluation.txt").read_text()
    markdown = (output / "evaluation.md").read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("small") and cell in line)
    (markdown_line,) = (line for line in markdown.splitlines() if line.startswith("| small") and cell in line)
    assert re.findall(r"[\d.]+", line) == re.findall(r"[\d.]+", markdown_line)


def test_photos_keep_all_of_themselves(values):
    measures = values["rows"][1]["measures"]
    assert measures["content_distance"]["value"] == measures["color_shift"]["value"] == 0
    assert measures["luminance_similarity"]["value"] == pytest.approx(1)
    assert "kid_to_photos" not in measures and "kid_change" not in measures


def test_the_sheet_shows_photos_and_drawings_side_by_side(output):
    sheet = pictures.read_picture(output / "sheet.jpg")
    assert sheet.shape[1] >= 8 * 320 and sheet.std() > 20


def test_the_checkpoints_of_a_run_make_curves(output, values, run_dir):
    rows = values["rows"][6:]
    assert [row["step"] for row in rows] == [10, 15, 20]
    assert len({row["measures"]["content_distance"]["value"] for row in rows}) == 3
    assert (output / "curve.png").read_bytes().startswith(b"\x89PNG")
    last = keras.saving.load_model(output / "checkpoints" / "step-20.keras", compile=False)
    finished = keras.saving.load_model(run_dir / "generator.keras", compile=False)
    for weights, expected in zip(last.get_weights(), finished.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, expected)


def test_one_step_makes_no_curve_and_three_of_many_are_on_the_sheet(folders, tmp_path):
    config = evaluate.EvaluateConfig("photos", "frames", "out", vgg19_weights="random", crop_px=32, num_on_sheet=2)
    photos = picture_set.read_pictures(folders / "photos", 0, 32)
    cartoons = picture_set.read_pictures(folders / "frames", 0, 32)
    evaluator = Evaluator.build(photos.pixels, cartoons.pixels, EvaluatorConfig("random", "", 10, 32, 2), [0, 4])
    first = evaluator.row("step 1", lambda photo: photo, 1)
    rows = [evaluator.cartoons_row(), evaluator.photos_row(), first]
    Report(config, photos, cartoons, evaluator, rows).write(tmp_path)
    assert (tmp_path / "sheet.jpg").exists() and not (tmp_path / "curve.png").exists()
    width = Report(config, photos, cartoons, evaluator, rows).sheet().shape[1]
    steps = [evaluator.row(f"step {step}", lambda photo: photo, step) for step in (2, 3, 4)]
    assert Report(config, photos, cartoons, evaluator, rows + steps).sheet().shape[1] == width + 2 * 320


def test_classical_filters_are_optional():
    folders = ("photos", "frames", "out")
    assert len(evaluate.classical_methods(evaluate.EvaluateConfig(*folders), abstract)) == 3
    assert not evaluate.classical_methods(evaluate.EvaluateConfig(*folders, model="pepper", classical=False), abstract)


def test_flags_that_cannot_be_used(folders, generator_path, tmp_path, capsys):
    for flags, status, complaint in (
        (["--model=none.keras"], 1, "--model=none.keras: "),
        (["--teacher=none.keras"], 1, "--teacher=none.keras: "),
        (["--abstraction_num_tones=-1"], 2, "--abstraction_num_tones=-1: "),
        ([f"--model={generator_path},notes.txt"], 1, "--model=notes.txt: "),
        ([f"--model={generator_path},{generator_path}"], 1, f"--model={generator_path},{generator_path}: "),
        (["--model=", "--noclassical"], 2, "--model is missing"),
        (["--cartoons_dir="], 2, "--cartoons_dir is missing"),
        (["--cartoons_dir=", "--teacher=abstraction", "--abstraction_palette_colors=4"], 2, "--cartoons_dir"),
        (["--crop_px=8"], 2, "--crop_px=8: "),
        (["--long_side=20"], 2, "--long_side=20: "),
        (["--photos_dir=none"], 1, "none: "),
        (["--crop_px=66"], 1, "photos: fewer than 2"),
        (["--run_dir=none"], 1, "none/generator.keras: "),
        (["--inception_weights=none.h5"], 1, "--inception_weights=none.h5: "),
        (["--vgg19_weights=none.h5"], 1, "--vgg19_weights=none.h5: "),
    ):
        assert evaluate.main(_flags(folders, tmp_path / "out", *flags)) == status, flags
        assert complaint in capsys.readouterr().err, flags
        assert not (tmp_path / "out").exists(), flags


def test_models_are_named_by_their_distinctive_part(generator_path, tmp_path):
    paths = [tmp_path / "a" / "generator.keras", tmp_path / "d.keras"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        shutil.copy(generator_path, path)
    assert list(load_named_models(",".join(map(str, paths)))) == ["a", "d"]


def test_of_many_pictures_some_are_read_from_end_to_end(folders):
    photos = picture_set.read_pictures(folders / "photos", 0, 32, max_pictures=3)
    assert [path.name for path in photos.files] == ["photo0.png", "photo1.png", "photo2.png"]
    assert len(photos.left_out) == 2 and photos.num_found == 7


def test_a_single_picture_is_too_few(tmp_path):
    pictures.write_picture(tmp_path / "one" / "photo.png", draw(0))
    with pytest.raises(InputError, match="one: fewer than 2"):
        picture_set.read_pictures(tmp_path / "one", 0, 32)


def test_checkpoints_of_another_architecture_are_refused(run_dir, tmp_path):
    changed = shutil.copytree(run_dir, tmp_path / "run")
    build_generator("paper", width=6, num_blocks=1).save(changed / "generator.keras")
    with pytest.raises(InputError, match="checkpoints"):
        write_generators(changed, tmp_path / "generators")
