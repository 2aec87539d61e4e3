"""L0 smoothing against the same iterations with a matrix, and its effect."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

from cartoongan_tf.media.l0_smoothing import l0_smooth
from tests.helpers import draw


def _differences(length):
    """The matrix of differences to the next sample; the last one has none."""
    matrix = sparse.diags([-np.ones(length), np.ones(length - 1)], [0, 1]).tolil()
    matrix[length - 1] = 0
    return matrix


def _smooth_by_matrix(picture, strength, growth):
    height, width, channels = picture.shape
    dx = sparse.kron(sparse.eye(height), _differences(width)).tocsr()
    dy = sparse.kron(_differences(height), sparse.eye(width)).tocsr()
    given = picture.reshape(-1, channels).astype(np.float64)
    result, beta = given, 2 * strength
    while beta < 1e5:
        x, y = dx @ result, dy @ result
        is_small = (x**2 + y**2).sum(1) < strength / beta
        x[is_small] = y[is_small] = 0
        matrix = sparse.eye(len(given)) + beta * (dx.T @ dx + dy.T @ dy)
        result = spsolve(matrix.tocsc(), given + beta * (dx.T @ x + dy.T @ y))
        beta *= growth
    return result.reshape(picture.shape)


@pytest.mark.parametrize("strength, growth", [(0.02, 2.0), (0.1, 4.0)])
def test_the_fast_solution_is_that_of_the_matrix(strength, growth):
    noise = np.random.default_rng(0).normal(0, 0.03, (24, 30, 3))
    picture = np.clip(draw(1, 24, 30) / 255 + noise, 0, 1).astype(np.float32)
    expected = _smooth_by_matrix(picture, strength, growth)
    assert np.abs(expected - picture).max() > 0.05
    np.testing.assert_allclose(l0_smooth(picture, strength, growth), expected, atol=2e-3)


def test_noise_goes_and_edges_stay_sharp_in_any_size():
    clean = np.full((37, 53, 3), 0.2, np.float32)
    clean[:, 20:] = (0.8, 0.5, 0.3)
    noisy = (clean + np.random.default_rng(0).normal(0, 0.04, clean.shape)).astype(np.float32)
    smooth = l0_smooth(noisy, 0.03)
    assert smooth.shape == clean.shape and smooth.dtype == np.float32
    np.testing.assert_allclose(smooth, clean, atol=0.05)
    differences = np.abs(np.diff(smooth[:, :20], axis=1))
    assert np.mean(differences < 0.002) > 0.95
    assert np.abs(np.diff(noisy[:, :20], axis=1)).mean() > 20 * differences.mean()
    opposite = l0_smooth(np.ascontiguousarray(noisy[:, ::-1]), 0.03)[:, ::-1]
    assert np.abs(opposite - smooth).mean() < 0.002
