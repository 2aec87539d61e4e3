import keras
import numpy as np
import pytest

from cartoongan_tf.models import pixels
from experiments.baselines.descent import Descent, minimise
from experiments.baselines.style_transfer import StyleTransfer, gram_matrix, style_loss
from tests.helpers import draw


@pytest.fixture(scope="module")
def transfer():
    return StyleTransfer.load("random")


def test_gram_matrix_by_hand():
    features = np.array([[[1.0, 2.0], [3.0, -1.0]]], np.float32)[np.newaxis]  # two places, two channels
    # Products summed over places: [[1 + 9, 2 - 3], [2 - 3, 4 + 1]]; two places, two channels: a quarter of it.
    np.testing.assert_allclose(gram_matrix(features), [[10 / 4, -1 / 4], [-1 / 4, 5 / 4]])


def test_gram_matrices_of_other_sizes_compare():
    features = np.random.default_rng(0).normal(size=(1, 4, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(gram_matrix(np.tile(features, (1, 2, 3, 1))), gram_matrix(features), rtol=1e-5)


def test_style_loss_by_hand():
    first = np.full((1, 1, 1, 1), 2.0, np.float32)
    second = np.full((1, 1, 1, 1), 3.0, np.float32)
    wanted = [np.array([[1.0]], np.float32), np.array([[5.0]], np.float32)]
    np.testing.assert_allclose(style_loss([first, second], wanted), (4 - 1) ** 2 + (9 - 5) ** 2)


def test_a_collections_style_is_the_mean_of_its_pictures(transfer):
    pictures = [draw(seed, 32, 48) for seed in range(2)]
    first_style = transfer.style_of(pictures[:1])
    second_style = transfer.style_of(pictures[1:])
    for first, second, mean in zip(first_style, second_style, transfer.style_of(pictures), strict=True):
        np.testing.assert_allclose((first + second) / 2, mean, rtol=1e-5)


def test_steps_bring_a_photo_nearer_to_a_style(transfer):
    photo = draw(0, 40, 56)
    style = transfer.style_of([draw(1, 48, 32)])
    drawing = transfer.draw(photo, style, num_steps=12)
    assert drawing.shape == photo.shape and drawing.dtype == np.uint8

    def distance(picture):
        return float(style_loss(transfer.features(pixels.to_float(picture[np.newaxis]))[:-1], style))

    assert distance(drawing) < 0.7 * distance(photo)
    assert np.abs(drawing.astype(int) - photo).mean() < np.abs(draw(2, 40, 56).astype(int) - photo).mean()


def test_descent_reaches_a_minimum_and_continues_from_its_last_step():
    def loss(values):
        return keras.ops.sum((values - 3.0) ** 2)

    np.testing.assert_allclose(minimise(loss, np.zeros(4, np.float32), 200, 0.1), 3.0, atol=0.02)
    descent = Descent(loss, np.zeros(4, np.float32), 10, 0.1)
    halves = [np.asarray(descent.run(5)) for _ in range(2)]
    assert (halves[0] < halves[1]).all()
    np.testing.assert_allclose(halves[1], minimise(loss, np.zeros(4, np.float32), 10, 0.1), rtol=1e-5)
