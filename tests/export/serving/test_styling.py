"""Colours and strength inside a graph, against those of `cartoonize`."""

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.inference import blending
from export.serving import styling
from tests.helpers import draw_photo_like


def _noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (100, 100, 3), dtype=np.uint8)


def _greys(step):
    return np.repeat(np.arange(0, 256, step, dtype=np.uint8)[np.newaxis, :, np.newaxis], 3, 2)


@pytest.mark.parametrize(
    "photo, cartoon",
    [
        (draw_photo_like(0), draw_photo_like(1)),
        (_noise(0), _noise(1)),  # all colours, most of them out of range afterwards
        (_greys(1), _greys(1)[:, ::-1]),
        (_noise(2) // 16, _noise(3) // 16),  # dark ones
    ],
)
def test_colors_are_those_of_cartoonize(photo, cartoon):
    kept = styling.keep_colors(tf.constant(photo), tf.constant(cartoon)).numpy()
    differences = np.abs(kept.astype(int) - blending.keep_colors(photo, cartoon))
    assert differences.mean() < 0.3 and np.mean(differences > 1) < 1e-3 and differences.max() <= 3


def test_strengths_are_those_of_cartoonize():
    for strength in (0.0, 0.25, 0.7, 1.0):
        expected = blending.blend(_noise(0), _noise(1), strength)
        mixed = styling.blend(tf.constant(_noise(0)), tf.constant(_noise(1)), tf.constant(strength, tf.float32))
        np.testing.assert_allclose(mixed.numpy().astype(int), expected, atol=1)
