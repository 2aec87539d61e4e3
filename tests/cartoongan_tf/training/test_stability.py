"""--stability_weight: steps by hand, and runs."""

import dataclasses

import cv2
import keras
import numpy as np
import pytest
import skimage.data
import tensorflow as tf

from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels
from cartoongan_tf.models.disturbance import disturb, through_window
from cartoongan_tf.training import steps
from cartoongan_tf.training.run_folder import RunFolder
from cartoongan_tf.training.stability import Disturbance, draw_disturbance, stability_loss
from data_pipeline import records
from tests.helpers import build_records, draw, scalars
from tests.small_runs import checkpoint_steps, draw_with, train_small
from tests.small_steps import build_with_gradient_descent, run_steps, small_batch, small_config, untrained

CONFIG = small_config(initialization_loss="pixels", stability_weight=2.0)
PHOTO = pixels.to_float(small_batch()["photo"])


def _moved_only(photo=PHOTO):
    """The shifts of a disturbance, without noise and other brightness."""
    disturbed = draw_disturbance(CONFIG, 0, photo)
    draws = tf.concat([disturbed.draws[:, :2], tf.tile([[0.5, 0.0]], [len(photo), 1])], 1)
    return Disturbance(draws, disturbed.noise)


def test_a_drawing_that_moves_along_costs_nothing():
    """A convolution does; it sees less than the border that is left out."""
    convolution = keras.layers.Conv2D(3, 7, padding="same")
    np.testing.assert_allclose(stability_loss(convolution, PHOTO, convolution(PHOTO), _moved_only()), 0, atol=1e-5)


def test_a_drawing_that_depends_on_the_place_costs_what_it_changes():
    """Whatever halves the resolution without regard to the shift, for instance."""

    def blocks(photo, training=True):
        return tf.repeat(tf.repeat(photo[:, ::4, ::4], 4, 1), 4, 2)

    disturbed = _moved_only()
    seen = disturb(PHOTO, *disturbed)
    difference = blocks(seen) - through_window(blocks(PHOTO), disturbed.draws)
    expected = np.abs(difference[:, 8:-8, 8:-8]).mean((1, 2, 3))
    measured = stability_loss(blocks, PHOTO, blocks(PHOTO), disturbed)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)
    assert measured.shape == (4,) and measured.numpy().max() > 0.1


def test_brightness_is_no_part_of_the_drawing():
    """A drawing that gets lighter with the photo costs as much; one that does not costs nothing."""
    lighter = _moved_only()
    lighter = lighter._replace(draws=lighter.draws + np.array([0, 0, 0.4, 0], np.float32))
    photo = 0.5 * PHOTO

    def photo_itself(photo, training=True):
        return photo

    def without_mean(photo, training=True):
        return photo - tf.nn.avg_pool2d(photo, 3, 1, "SAME")

    np.testing.assert_allclose(stability_loss(photo_itself, photo, photo, lighter), 0.8 * 5 / 127.5, rtol=1e-4)
    steady = stability_loss(without_mean, photo, without_mean(photo), lighter)
    np.testing.assert_allclose(steady, 0, atol=1e-6)


def test_draws_depend_on_seed_and_step_alone():
    first = draw_disturbance(CONFIG, 3, PHOTO)
    for ours, theirs in zip(first, draw_disturbance(CONFIG, tf.constant(3, tf.int64), PHOTO), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for config, step in ((CONFIG, 4), (dataclasses.replace(CONFIG, seed=1), 3)):
        for ours, theirs in zip(first, draw_disturbance(config, step, PHOTO), strict=True):
            assert np.isclose(ours, theirs).mean() < 0.01
    assert len(np.unique(first.draws)) == tf.size(first.draws)
    assert abs(np.mean(first.noise)) < 0.05 and abs(np.std(first.noise) - 1) < 0.05
    assert draw_disturbance(small_config(), 3, PHOTO) is None


def test_a_step_adds_the_term_of_its_own_draws(small_networks):
    """The first step by hand; in the second the photo is disturbed in another way."""
    fresh = untrained(CONFIG)
    disturbed = draw_disturbance(CONFIG, 0, PHOTO)
    with tf.GradientTape() as tape:
        generated = fresh.generator(PHOTO)
        again = fresh.generator(disturb(PHOTO, *disturbed))
        moved = through_window(generated, disturbed.draws)
        expected = {
            "content_loss": tf.reduce_mean(tf.abs(generated - PHOTO)),
            "stability_loss": tf.reduce_mean(tf.abs(again - moved)[:, 8:-8, 8:-8]),
        }
        total = expected["content_loss"] + 2.0 * expected["stability_loss"]
    gradients = tape.gradient(total, fresh.generator.trainable_variables)
    expected["generator_gradient_norm"] = tf.linalg.global_norm(gradients)
    config = dataclasses.replace(CONFIG, initialization_learning_rate=1e-9)
    (first, second), _ = run_steps(steps.initialization_step, config, 2)
    assert set(first) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(first[name], value, rtol=1e-3, err_msg=name)
    assert second["content_loss"] == pytest.approx(first["content_loss"], rel=1e-5)
    assert second["stability_loss"] != pytest.approx(first["stability_loss"], rel=1e-3)


@pytest.mark.slow
def test_two_replicas_do_what_one_does(small_networks, two_replicas):
    """Two replicas of batch 2 against one of batch 4: each photo is disturbed alike. With weighted faces, too."""
    config = dataclasses.replace(CONFIG, initialization_loss="teacher", face_weight=4.0)
    one, networks_one = run_steps(steps.initialization_step, config, 3, None, build_with_gradient_descent)
    two, networks_two = run_steps(steps.initialization_step, config, 3, two_replicas, build_with_gradient_descent)
    for ours, theirs in zip(two, one, strict=True):
        for name in ("stability_loss", "teacher_loss", "teacher_gradient_loss"):
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, err_msg=name)
    for ours, theirs in zip(networks_two.generator.get_weights(), networks_one.generator.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_bfloat16_is_close(small_networks):
    config = dataclasses.replace(CONFIG, initialization_loss="teacher", face_weight=4.0)
    exact, _ = run_steps(steps.initialization_step, config, 1)
    rounded, networks = run_steps(steps.initialization_step, dataclasses.replace(config, mixed_precision="bfloat16"), 1)
    assert networks.generator.get_layer("flat_conv").compute_dtype == "bfloat16"
    for name in ("teacher_loss", "teacher_gradient_loss", "stability_loss"):
        np.testing.assert_allclose(rounded[0][name], exact[0][name], rtol=0.06, err_msg=name)


@pytest.mark.slow
def test_training_makes_drawings_steadier(small_networks):
    def stability_after_training(weight):
        config = dataclasses.replace(CONFIG, stability_weight=weight, initialization_learning_rate=1e-2)
        return np.mean([each["stability_loss"] for each in run_steps(steps.initialization_step, config, 30)[0][-10:]])

    assert stability_after_training(5.0) < 0.7 * stability_after_training(1e-6)


@pytest.mark.slow
def test_compiled_steps_compute_the_same():
    config = dataclasses.replace(CONFIG, initialization_loss="content", face_weight=4.0)
    plain, _ = run_steps(steps.adversarial_step, config, 2, None, build_with_gradient_descent)
    compiled, _ = run_steps(
        steps.adversarial_step, dataclasses.replace(config, jit_compile=True), 2, None, build_with_gradient_descent
    )
    for ours, theirs in zip(compiled, plain, strict=True):
        for name in theirs:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-5, err_msg=name)


@pytest.fixture(scope="module")
def data_with_faces(tmp_path_factory):
    """Records of 32 px, of four photos of one face and of two photos without; some of them are held out."""
    root = tmp_path_factory.mktemp("pictures")
    portrait = skimage.data.astronaut()  # Eileen Collins, by NASA, in the public domain
    for number, side in enumerate((240, 320, 420, 500)):
        left = max(226 - side // 2, 0)
        photo = cv2.resize(portrait[:side, left : left + side], (96, 96), interpolation=cv2.INTER_AREA)
        pictures.write_picture(root / "photos" / f"face{number}.png", photo)
        pictures.write_picture(root / "cartoons" / f"{number}.png", draw(10 + number))
    for seed in range(2):
        pictures.write_picture(root / "photos" / f"none{seed}.png", draw(seed))
    folders = (root / "photos", root / "cartoons")
    return build_records(folders, root / "data", faces=True, validation_fraction=0.4, duplicate_bits=-1)


@pytest.mark.slow
def test_an_interrupted_run_ends_like_one_that_was_not(data_with_faces, tmp_path, monkeypatch):
    """Both weights are used at once; validation measures stability, too."""
    opened = records.open_records(data_with_faces)
    assert sum(len(records.parse_faces(opened.photos.read(number))) for number in range(len(opened.photos))) > 1
    write_results = RunFolder.write_results
    flags = ("--initialization_loss=pixels", "--initialization_epochs=4", "--adversarial_epochs=0")
    flags += ("--face_weight=5", "--stability_weight=5", "--checkpoint_every_steps=4")

    def write_and_fail(folder, generator, versions, step):
        write_results(folder, generator, versions, step)
        if step == 8:
            raise KeyboardInterrupt

    assert train_small(data_with_faces, tmp_path / "straight", *flags) == 0
    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "write_results", write_and_fail)
        assert train_small(data_with_faces, tmp_path / "run", *flags) == 130
    assert checkpoint_steps(tmp_path / "run") == [4]
    assert train_small(data_with_faces, tmp_path / "run", *flags) == 0
    np.testing.assert_allclose(draw_with(tmp_path / "run"), draw_with(tmp_path / "straight"), atol=2e-3)
    found = scalars(tmp_path / "straight")
    assert list(found["initialization/stability_loss"]) == [4, 8]
    assert list(found["initialization/validation/stability_loss"]) == [4, 8]
