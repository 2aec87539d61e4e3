"""--face_weight: steps by hand. Runs with it are in test_stability.py."""

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models import losses, pixels
from cartoongan_tf.training import steps
from cartoongan_tf.training.face_weights import read_face_weights
from cartoongan_tf.training.stability import draw_disturbance, stability_loss
from tests.small_runs import train_small
from tests.small_steps import run_steps, small_batch, small_config, untrained

WEIGHT = 5.0


def _mean(values, weights):
    return tf.reduce_mean(weights * tf.abs(values))


def _expected_terms(networks, config):
    """Return the weighted means that the step must report."""
    batch = small_batch()
    photo, drawing = (pixels.to_float(batch[name]) for name in ("photo", "drawing"))
    generated = networks.generator(photo)
    features = networks.vgg19_features
    weights = 1 + (WEIGHT - 1) * tf.cast(batch["faces"], tf.float32)
    of_features = tf.constant(np.asarray(weights).reshape(4, 4, 8, 4, 8, 3).mean((2, 4))[..., :1])
    difference = generated - drawing
    right = (weights[:, :, 1:] + weights[:, :, :-1]) / 2
    down = (weights[:, 1:] + weights[:, :-1]) / 2
    of_steps = _mean(difference[:, :, 1:] - difference[:, :, :-1], right)
    return {
        "content": {"content_loss": _mean(features(generated) - features(photo), of_features)},
        "pixels": {"content_loss": _mean(generated - photo, weights)},
        "teacher": {
            "teacher_loss": _mean(difference, weights),
            "teacher_gradient_loss": of_steps + _mean(difference[:, 1:] - difference[:, :-1], down),
            "teacher_content_loss": _mean(features(generated) - features(drawing), of_features),
        },
    }[config.initialization_loss]


@pytest.mark.parametrize("loss", ["content", "pixels", "teacher"])
def test_the_initialization_weighs_faces(small_networks, loss):
    config = small_config(
        initialization_loss=loss, face_weight=WEIGHT, teacher_gradient_weight=1.0, teacher_content_weight=1.0
    )
    fresh = untrained(config)
    with tf.GradientTape() as tape:
        expected = _expected_terms(fresh, config)
        total = sum(expected.values())
    expected["generator_gradient_norm"] = tf.linalg.global_norm(
        tape.gradient(total, fresh.generator.trainable_variables)
    )
    (measured,), _ = run_steps(steps.initialization_step, config, 1)
    assert set(measured) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(measured[name], value, rtol=1e-3, err_msg=name)


@pytest.mark.slow
def test_adversarial_training_weighs_faces_in_the_content_alone(small_networks):
    """And with --stability_weight, it has that term, too."""
    config = small_config(color_weight=1.0, face_weight=WEIGHT, stability_weight=2.0)
    fresh = untrained(config)
    photo = pixels.to_float(small_batch()["photo"])
    with tf.GradientTape() as tape:
        (content,) = _expected_terms(fresh, config).values()
        generated = fresh.generator(photo)
        expected = {
            "content_loss": content,
            "color_loss": tf.reduce_mean(losses.color_loss(generated, photo)),
            "generator_loss": tf.reduce_mean(losses.generator_loss(fresh.discriminator(generated), "least_squares")),
            "stability_loss": tf.reduce_mean(
                stability_loss(fresh.generator, photo, generated, draw_disturbance(config, 0, photo))
            ),
        }
        weights = {"content_loss": config.content_weight, "stability_loss": 2.0}
        total = sum(weights.get(name, 1.0) * value for name, value in expected.items())
    gradients = tape.gradient(total, fresh.generator.trainable_variables)
    expected["generator_gradient_norm"] = tf.linalg.global_norm(gradients)
    (measured,), _ = run_steps(steps.adversarial_step, config, 1)
    assert set(measured) > set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(measured[name], value, rtol=1e-3, err_msg=name)


def test_weights_are_means_over_what_a_feature_stands_for():
    config = small_config(face_weight=3.0)
    is_face = np.zeros((1, 36, 36, 3), np.uint8)  # four features of 8 pixels, and a rest of 4
    is_face[:, :4, 8:24] = 1
    weights = read_face_weights({"faces": tf.constant(is_face)}, config)
    np.testing.assert_array_equal(weights.of_pixels, 1 + 2 * is_face[..., :1])
    expected = np.ones((4, 4))
    expected[0, 1:3] = 2
    np.testing.assert_array_equal(weights.of_features[0, ..., 0], expected)
    assert read_face_weights({}, small_config()) == (None, None)


def test_records_without_faces_are_refused(data_dir, tmp_path, capsys):
    assert train_small(data_dir, tmp_path / "run", f"--face_weight={WEIGHT}", "--initialization_loss=pixels") == 1
    error = capsys.readouterr().err
    assert "--face_weight=5" in error and "--faces" in error and "data_pipeline.build_tfrecords" in error
    assert not (tmp_path / "run").exists()
