"""Training on a teacher's drawings: one step by hand, and whole runs."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.media import pictures
from cartoongan_tf.models import losses, pixels
from cartoongan_tf.training import dry_run, steps
from cartoongan_tf.training.run_folder import RunFolder
from data_pipeline import build_tfrecords, dataset, records
from tests.helpers import build_records, scalars
from tests.small_runs import checkpoint_steps, draw_with, train_small
from tests.small_steps import build_with_gradient_descent, run_steps, small_batch, small_config, untrained

TEACHER = "--initialization_loss=teacher"
NO_VGG19 = "--vgg19_weights=none.h5"
DISTILLATION = (TEACHER, "--adversarial_epochs=0", "--initialization_learning_rate=1e-2", NO_VGG19)


@pytest.fixture(scope="module")
def drawn_dir(picture_folders, tmp_path_factory):
    """Records of 7 photos drawn by the abstraction, without cartoons; 3 of the photos are held out."""
    folder = tmp_path_factory.mktemp("data") / "drawn"
    flags = [f"--photos_dir={picture_folders[0]}", f"--output_dir={folder}", "--image_size=32", "--teacher=abstraction"]
    assert build_tfrecords.main(["build", *flags, "--validation_fraction=0.46"]) == 0
    return folder


@pytest.fixture(scope="module")
def drawn_with_cartoons(picture_folders, tmp_path_factory):
    return build_records(picture_folders, tmp_path_factory.mktemp("data") / "both", teacher="abstraction")


@pytest.fixture(scope="module")
def distilled(drawn_dir, tmp_path_factory):
    """The folder of a distillation of 4 epochs of 2 steps."""
    run_dir = tmp_path_factory.mktemp("runs") / "distilled"
    assert train_small(drawn_dir, run_dir, *DISTILLATION, "--initialization_epochs=4", "--num_samples=3") == 0
    return run_dir


@pytest.mark.parametrize("gradient_weight, content_weight", [(0.5, 0.0), (0.0, 0.0), (0.25, 2.0)])
def test_a_step_reports_the_distances_to_the_drawings(small_networks, gradient_weight, content_weight):
    config = small_config(
        initialization_loss="teacher", teacher_gradient_weight=gradient_weight, teacher_content_weight=content_weight
    )
    fresh = untrained(config)
    photo, drawing = (pixels.to_float(small_batch()[name]) for name in ("photo", "drawing"))
    with tf.GradientTape() as tape:
        generated = fresh.generator(photo)
        steps_right = tf.abs(tf.experimental.numpy.diff(generated - drawing, axis=2))
        steps_down = tf.abs(tf.experimental.numpy.diff(generated - drawing, axis=1))
        expected = {
            "teacher_loss": tf.reduce_mean(tf.abs(generated - drawing)),
            "teacher_gradient_loss": tf.reduce_mean(steps_right) + tf.reduce_mean(steps_down),
            "teacher_content_loss": tf.reduce_mean(
                tf.abs(fresh.vgg19_features(generated) - fresh.vgg19_features(drawing))
            ),
        }
        weights = {"teacher_loss": 1, "teacher_gradient_loss": gradient_weight, "teacher_content_loss": content_weight}
        total = sum(weights[name] * value for name, value in expected.items())
    expected = {name: value for name, value in expected.items() if weights[name]}
    gradients = tape.gradient(total, fresh.generator.trainable_variables)
    expected["generator_gradient_norm"] = tf.linalg.global_norm(gradients)
    (measured,), _ = run_steps(steps.initialization_step, config, 1)
    assert set(measured) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(measured[name], value, rtol=1e-3, atol=1e-6, err_msg=name)


def test_two_replicas_learn_what_one_learns(small_networks, two_replicas):
    """Two replicas of batch 2 against one of batch 4."""
    config = small_config(initialization_loss="teacher")
    one, networks_one = run_steps(steps.initialization_step, config, 3, None, build_with_gradient_descent)
    two, networks_two = run_steps(steps.initialization_step, config, 3, two_replicas, build_with_gradient_descent)
    for ours, theirs in zip(two, one, strict=True):
        for name in ("teacher_loss", "teacher_gradient_loss"):
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, err_msg=name)
    for ours, theirs in zip(networks_two.generator.get_weights(), networks_one.generator.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_bfloat16_is_close(small_networks):
    exact, _ = run_steps(steps.initialization_step, small_config(initialization_loss="teacher"), 1)
    config = small_config(initialization_loss="teacher", mixed_precision="bfloat16")
    rounded, built = run_steps(steps.initialization_step, config, 1)
    for name in ("teacher_loss", "teacher_gradient_loss"):
        np.testing.assert_allclose(rounded[0][name], exact[0][name], rtol=0.03, err_msg=name)
    assert built.generator.get_layer("flat_conv").compute_dtype == "bfloat16"


def test_a_drawing_is_cropped_and_flipped_with_its_photo(drawn_dir):
    opened = records.open_records(drawn_dir)
    pairs = []
    for number in range(len(opened.photos)):
        photo, drawing = records.parse_drawn_photo(opened.photos.read(number), 32)
        pairs += [(photo.numpy(), drawing.numpy()), (photo.numpy()[:, ::-1], drawing.numpy()[:, ::-1])]
    arguments = {"batch_size": 2, "seed": 5, "crop_size": 24}
    batches = dataset.build_dataset(opened, **arguments, with_drawings=True, with_cartoons=False).take(8)
    places = set()
    for batch in batches.as_numpy_iterator():
        assert set(batch) == {"photo", "drawing"}
        for photo, drawing in zip(batch["photo"], batch["drawing"], strict=True):
            found = [(number, top, left) for number, pair in enumerate(pairs) for top, left in _places(pair[0], photo)]
            (number, top, left) = found[0]
            np.testing.assert_array_equal(drawing, pairs[number][1][top : top + 24, left : left + 24])
            places.add(found[0])
    assert len(places) > 8 and len({number % 2 for number, *_ in places}) == 2
    alone = dataset.build_dataset(opened, **arguments, with_cartoons=False).take(8)
    for with_drawings, without in zip(batches.as_numpy_iterator(), alone.as_numpy_iterator(), strict=True):
        np.testing.assert_array_equal(with_drawings["photo"], without["photo"])
        assert set(without) == {"photo"}


def _places(picture, crop):
    """Return where in a picture a crop of 24 pixels may come from."""
    places = [(top, left) for top in range(9) for left in range(9)]
    return [(top, left) for top, left in places if (picture[top : top + 24, left : left + 24] == crop).all()]


def test_a_distillation_shows_how_near_it_is(drawn_dir, distilled):
    found = scalars(distilled)
    assert {"initialization/teacher_loss", "initialization/teacher_gradient_loss"} <= set(found)
    assert list(found["initialization/validation/teacher_loss"]) == [5, 8]
    assert not [tag for tag in found if "content" in tag or tag.startswith("adversarial")]
    losses = list(found["initialization/teacher_loss"].values())
    assert losses[-1] < losses[0]
    sheet = pictures.read_picture(distilled / "samples" / "step_0000008.jpg")
    assert sheet.shape == (64, 2 * 3 * 32, 3)  # photo, drawing and cartoon of 3 photos, in 2 columns
    opened = records.open_records(drawn_dir, "validation")
    shown = np.hstack([dataset.read_photos(opened, 3)[0], dataset.read_drawings(opened, 3)[0]])
    assert np.abs(sheet[:32, :64].astype(int) - shown).mean() < 12


def test_vgg19_is_asked_for_where_it_is_used(drawn_dir, tmp_path, capsys):
    run = (drawn_dir, tmp_path / "run", "--adversarial_epochs=0", "--initialization_epochs=1")
    for flags in ((TEACHER, "--teacher_content_weight=1"), ("--initialization_loss=content",)):
        assert train_small(*run, NO_VGG19, *flags) == 1
        assert NO_VGG19 in capsys.readouterr().err
    assert train_small(*run, NO_VGG19, "--initialization_loss=pixels") == 0


def test_a_dry_run_of_a_distillation(drawn_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dry_run, "TIMED_SECS", 0)
    assert train_small(drawn_dir, tmp_path / "run", *DISTILLATION, "--dry_run") == 0
    assert "0 of 4 steps are done" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_an_interrupted_distillation_ends_like_one_that_was_not(drawn_dir, distilled, tmp_path, monkeypatch):
    write_results = RunFolder.write_results

    def write_and_fail(folder, generator, versions, step):
        write_results(folder, generator, versions, step)
        if step == 8:
            raise KeyboardInterrupt

    run = (drawn_dir, tmp_path / "run", *DISTILLATION, "--initialization_epochs=4", "--num_samples=3")
    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "write_results", write_and_fail)
        assert train_small(*run) == 130
    assert checkpoint_steps(tmp_path / "run") == [5]
    assert train_small(*run) == 0
    np.testing.assert_allclose(draw_with(tmp_path / "run"), draw_with(distilled), atol=2e-3)


def test_adversarial_training_can_follow_a_distillation(drawn_with_cartoons, tmp_path):
    run = (drawn_with_cartoons, tmp_path / "run", TEACHER, "--initialization_epochs=1")
    assert train_small(*run, "--adversarial_epochs=0", NO_VGG19) == 0
    assert train_small(*run, "--adversarial_epochs=1") == 0
    found = scalars(tmp_path / "run")
    assert list(found["initialization/teacher_loss"]) == [4] and list(found["adversarial/content_loss"]) == [8]
    assert checkpoint_steps(tmp_path / "run")[-1] == 8


def test_the_content_of_the_drawing_can_be_kept_in_place_of_the_photo_s(small_networks):
    """Content and colours are then compared with the drawing alone, here the photo at a quarter of its brightness."""
    config = small_config(color_weight=1.0, content_target="drawing")
    batch = small_batch() | {"drawing": small_batch()["photo"] // 4}
    networks = untrained(config)
    of_drawing = steps.adversarial_pass(networks, batch, config).scalars
    config = dataclasses.replace(config, content_target="photo")
    of_photo = steps.adversarial_pass(networks, batch, config).scalars
    drawn = networks.generator(pixels.to_float(batch["photo"]), training=True)
    dark = pixels.to_float(batch["drawing"])
    features = networks.vgg19_features
    expected = np.mean(np.abs(features(drawn) - features(dark)))
    assert float(of_drawing["content_loss"]) == pytest.approx(expected, rel=1e-3)
    assert float(of_drawing["color_loss"]) == pytest.approx(float(np.mean(losses.color_loss(drawn, dark))), rel=1e-3)
    assert float(of_photo["content_loss"]) != pytest.approx(expected, rel=1e-2)
    assert float(of_photo["generator_loss"]) == pytest.approx(float(of_drawing["generator_loss"]), rel=1e-5)


def test_what_the_records_lack_is_named_with_the_way_to_get_it(data_dir, drawn_dir, tmp_path, capsys):
    assert train_small(data_dir, tmp_path / "run", TEACHER) == 1
    error = capsys.readouterr().err
    assert TEACHER in error and "data_pipeline.build_tfrecords" in error and "--teacher=" in error
    assert train_small(data_dir, tmp_path / "run", "--content_target=drawing") == 1
    assert "--content_target=drawing" in capsys.readouterr().err
    for flags in (("--adversarial_epochs=1",), ("--adversarial_epochs=0", "--discriminator_warmup_steps=1")):
        assert train_small(drawn_dir, tmp_path / "run", TEACHER, *flags) == 1
        error = capsys.readouterr().err
        assert f"--data_dir={drawn_dir}" in error and "--cartoons_dir" in error
    assert not (tmp_path / "run").exists()
