import itertools
import json
import re
import shutil

import keras
import numpy as np
import pytest

from cartoongan_tf import evaluate
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.evaluation import classical_filters, crops
from cartoongan_tf.evaluation.evaluator import MEASURES, Evaluator, EvaluatorConfig, style_layer
from cartoongan_tf.media import picture_set, pictures
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.training.checkpoints import write_generators
from tests.helpers import draw
from tests.small_runs import train_small

SETTINGS = EvaluatorConfig(vgg19_weights="random", num_crops=40, crop_px=32, num_resamplings=20)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Photos, with a file that is none and one that is too small, and drawings."""
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
def evaluator(folders):
    photos = picture_set.read_pictures(folders / "photos", 0, 32).pixels
    return Evaluator(photos, picture_set.read_pictures(folders / "frames", 0, 32).pixels, SETTINGS)


@pytest.fixture(scope="module")
def result(folders, generator_path, tmp_path_factory):
    """The folder of an evaluation, and what it says."""
    output = tmp_path_factory.mktemp("output") / "new"
    assert evaluate.main(_flags(folders, output, f"--model=small={generator_path}")) == 0
    return output, json.loads((output / "evaluation.json").read_text())


def test_there_is_a_row_for_each_way(result):
    names = [row["name"] for row in result[1]["rows"]]
    assert names == [
        "the cartoons themselves",
        "the photos untouched",
        "OpenCV's stylization",
        "OpenCV, edges drawn",
        "small",
    ]
    for row in result[1]["rows"][2:]:
        assert set(row["measures"]) == {measure.name for measure in MEASURES} - {"inception_fid_to_cartoons"}
        assert all(values["low"] <= values["value"] <= values["high"] for values in row["measures"].values())
        assert row["secs_per_megapixel"] > 0


def test_counts_and_what_was_left_out_are_told(result):
    output, values = result
    photos = {"pictures": 5, "files": 7, "crops": 40, "disjoint": 10, "left_out": 2}
    assert values["counts"]["photos"] == photos
    assert values["counts"]["cartoons"] == {"pictures": 4, "files": 4, "crops": 40, "disjoint": 16, "left_out": 0}
    assert any("tiny.png: 20 x 20 px, less than --crop_px=32" in reason for reason in values["left_out"])
    assert any("notes.txt" in reason for reason in values["left_out"])
    text = (output / "evaluation.txt").read_text()
    assert "40 crops of 5 photos (of 7 files; 2 could not be used), which overlap: 10 would not." in text
    assert "\n40 crops of 4 cartoons (of 4 files), which overlap: 16 would not.\n" in text
    assert "Less is better: KID to cartoons x1000, against the photos' %, FD to cartoons, colours to cartoons" in text
    assert "Inception" not in text and "More is better: SSIM of luminance.\n" in text
    assert values["flags"]["seed"] == 0 and values["layer"] == "block1_conv2"


def test_the_three_texts_say_the_same(result):
    output, values = result
    text, markdown = (output / "evaluation.txt").read_text(), (output / "evaluation.md").read_text()
    drawn = values["rows"][4]["measures"]["edge_density"]
    cell = f"{100 * drawn['value']:.1f} [{100 * drawn['low']:.1f}, {100 * drawn['high']:.1f}]"
    (line,) = (line for line in text.splitlines() if line.startswith("small") and cell in line)
    (in_markdown,) = (line for line in markdown.splitlines() if line.startswith("| small") and cell in line)
    assert re.findall(r"[\d.]+", line) == re.findall(r"[\d.]+", in_markdown)


def test_photos_themselves_have_kept_all(result):
    measures = result[1]["rows"][1]["measures"]
    assert measures["content_distance"]["value"] == measures["color_shift"]["value"] == 0
    assert measures["luminance_similarity"]["value"] == pytest.approx(1)
    assert "kid_to_photos" not in measures and "kid_change" not in measures


def test_the_sheet_shows_photos_and_drawings_side_by_side(result):
    output, _ = result
    assert [len(row["measures"]) for row in result[1]["rows"]] == [5, 9, 12, 12, 12]
    sheet = pictures.read_picture(output / "sheet.jpg")
    assert sheet.shape[1] >= 4 * 320 and sheet.std() > 20
    assert not (output / "curve.png").exists()


def test_drawings_nearer_to_the_cartoons_are_told(evaluator):
    """A way that draws the cartoons' own scenes, against one that draws noise."""
    rng, seeds = np.random.default_rng(0), itertools.cycle(range(50, 54))
    good = evaluator.row("good", lambda photo: draw(next(seeds), *photo.shape[:2]))
    bad = evaluator.row("bad", lambda photo: rng.integers(0, 256, photo.shape, np.uint8))
    for name in ("kid_to_cartoons", "fd_to_cartoons", "color_to_cartoons"):
        assert good.estimates[name].value < bad.estimates[name].value
    photos = evaluator.photos_row().estimates["kid_to_cartoons"].value
    assert good.estimates["kid_change"].value == pytest.approx(good.estimates["kid_to_cartoons"].value / photos - 1)


def test_rows_are_measured_at_the_same_places(evaluator):
    """A way that changes nothing has exactly the photos' values."""
    same = evaluator.row("same", lambda photo: photo)
    untouched = evaluator.photos_row()
    for name, estimate in untouched.estimates.items():
        assert same.estimates[name].value == pytest.approx(estimate.value), name
    assert same.estimates["kid_change"].value == pytest.approx(0)
    assert same.estimates["kid_to_photos"].value == pytest.approx(0, abs=1e-9)
    assert same.estimates["fd_to_photos"].value == pytest.approx(0, abs=1e-3)


def test_boxes_are_spread_over_all_pictures_and_not_repeated():
    boxes = crops.choose_boxes([(64, 64), (40, 33), (32, 32)], 90, 32, seed=0)
    assert [len(places) for places in boxes] == [71, 9 * 2, 1]
    for places, (height, width) in zip(boxes, [(64, 64), (40, 33), (32, 32)], strict=True):
        assert len(np.unique(places, axis=0)) == len(places) and (places >= 0).all()
        assert (places <= [height - 32, width - 32]).all()
    assert [len(places) for places in crops.choose_boxes([(40, 40)] * 5, 3, 32, seed=0)] == [1] * 5
    few, again, other = (crops.choose_boxes([(70, 70)], 30, 32, seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(few, again)
    assert (few != other).any()


def test_boxes_do_not_overlap_while_there_is_room():
    (boxes,) = crops.choose_boxes([(140, 105)], 12, 32, seed=3)
    covered = np.zeros((140, 105), int)
    for top, left in boxes:
        covered[top : top + 32, left : left + 32] += 1
    assert covered.max() == 1 and covered.sum() == 12 * 32 * 32
    assert (boxes[:, 0] % 32 == boxes[0, 0] % 32).all() and (boxes != 0).any()


@pytest.mark.parametrize("num_crops, layer", [(1000, "block3_conv4"), (700, "block2_conv2"), (20, "block1_conv2")])
def test_the_layer_suits_the_number_of_crops(num_crops, layer):
    assert style_layer(num_crops) == layer


def test_all_checkpoints_of_a_run_make_a_curve(folders, data_dir, tmp_path):
    run_dir, output = tmp_path / "run", tmp_path / "evaluation"
    kept = ("--keep_every_steps=10", "--ema_decay=0.5")
    assert train_small(data_dir, run_dir, *kept) == 0
    assert evaluate.main(_flags(folders, output, f"--run_dir={run_dir}", "--noclassical")) == 0
    rows = json.loads((output / "evaluation.json").read_text())["rows"]
    assert [row["step"] for row in rows] == [None, None, 10, 15, 20]
    contents = [row["measures"]["content_distance"]["value"] for row in rows[2:]]
    assert len(set(contents)) == 3
    assert (output / "curve.png").read_bytes().startswith(b"\x89PNG")
    last = keras.saving.load_model(output / "checkpoints" / "step-20.keras", compile=False)
    whole = keras.saving.load_model(run_dir / "generator.keras", compile=False)
    for own, expected in zip(last.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(own, expected)


@pytest.mark.slow
def test_inception_s_fid_is_named_apart(folders, tmp_path):
    weights = tmp_path / "inception.weights.h5"
    keras.applications.InceptionV3(include_top=False, weights=None).save_weights(weights)
    photos = picture_set.read_pictures(folders / "photos", 0, 32).pixels
    settings = EvaluatorConfig("random", str(weights), 10, 32, 2)
    own = Evaluator(photos, picture_set.read_pictures(folders / "frames", 0, 32).pixels, settings)
    estimates = own.row("half", lambda photo: photo // 2).estimates
    assert estimates["inception_fid_to_cartoons"].value > 0
    assert estimates["inception_fid_to_cartoons"].value != estimates["fd_to_cartoons"].value
    assert np.isnan(estimates["inception_fid_to_cartoons"].low)


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--model=none.keras"], "--model=none.keras: none.keras: no such file, and no style"),
        (["--model={generator},notes.txt"], "--model=notes.txt: "),
        (["--model={generator},{generator}"], "two are called"),
        (["--model=", "--noclassical"], "--model is missing"),
        (["--crop_px=8"], "--crop_px=8: must be at least 32"),
        (["--long_side=20"], "--long_side=20: must be 0, or at least --crop_px=32"),
        (["--photos_dir=none"], "none: no such folder"),
        (["--crop_px=66"], "fewer than 2 pictures of 66 px or more"),
        (["--run_dir=none"], "generator.keras: no such file"),
        (["--inception_weights=none.h5"], "--inception_weights=none.h5: not Inception v3's weights"),
        (["--vgg19_weights=none.h5"], "--vgg19_weights=none.h5: no such file"),
    ],
)
def test_what_cannot_be_used_is_said(flags, message, folders, generator_path, tmp_path, capsys):
    flags = [flag.format(generator=generator_path) for flag in flags]
    assert evaluate.main(_flags(folders, tmp_path / "out", *flags)) in (1, 2)
    assert message in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_models_are_named_by_what_tells_them_apart(tmp_path):
    from cartoongan_tf.inference.named_models import _name_of

    for path, name in {"runs/a/generator.keras": "a", "b.tflite": "b", "serving/c/1": "c", "d.keras": "d"}.items():
        assert _name_of(tmp_path / path) == name


@pytest.mark.parametrize("filter_", [classical_filters.stylization, classical_filters.drawn_edges])
def test_classical_filters_smooth_between_edges_and_keep_colours(filter_):
    photo = draw(3, 60, 80) // 2 + 64
    noisy = np.clip(photo + np.random.default_rng(0).normal(0, 6, photo.shape), 0, 255).astype(np.uint8)
    drawn = filter_(noisy)
    assert drawn.shape == photo.shape and drawn.dtype == np.uint8
    inside = (slice(2, 6), slice(2, 6))
    assert drawn[inside].std(axis=(0, 1)).max() < 0.8 * noisy[inside].std(axis=(0, 1)).max()
    assert np.abs(drawn.mean((0, 1)) - noisy.mean((0, 1))).max() < 60
    lit = drawn.max(2) > 40
    order = noisy.mean((0, 1)).argsort()
    assert list(drawn[lit].mean(0).argsort()) == list(order)


def test_of_many_pictures_some_are_taken_from_end_to_end(folders):
    found = picture_set.read_pictures(folders / "photos", 0, 32, max_pictures=3)
    assert [path.name for path in found.files] == ["photo0.png", "photo1.png", "photo2.png"]
    assert len(found.left_out) == 2 and found.num_found == 7


def test_a_single_picture_is_too_few(tmp_path):
    pictures.write_picture(tmp_path / "one" / "photo.png", draw(0))
    with pytest.raises(InputError, match="one: fewer than 2 pictures of 32 px or more"):
        picture_set.read_pictures(tmp_path / "one", 0, 32)


def test_a_run_whose_generator_has_another_architecture_is_named(finished, tmp_path):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    build_generator("paper", width=6, num_blocks=1).save(run_dir / "generator.keras")
    with pytest.raises(InputError, match="cannot be restored into these networks"):
        write_generators(run_dir, tmp_path / "generators")
