import numpy as np

from cartoongan_tf.evaluation import classical_filters
from tests.helpers import draw


def test_classical_filters_smooth_between_edges_and_keep_colours():
    photo = draw(3, 60, 80) // 2 + 64
    noisy = np.clip(photo + np.random.default_rng(0).normal(0, 6, photo.shape), 0, 255).astype(np.uint8)
    inside = (slice(2, 6), slice(2, 6))
    for apply_filter in (classical_filters.stylization, classical_filters.drawn_edges):
        drawing = apply_filter(noisy)
        assert drawing.shape == photo.shape and drawing.dtype == np.uint8
        assert drawing[inside].std(axis=(0, 1)).max() < 0.8 * noisy[inside].std(axis=(0, 1)).max(), apply_filter
        assert np.abs(drawing.mean((0, 1)) - noisy.mean((0, 1))).max() < 60
        is_lit = drawing.max(2) > 40
        assert list(drawing[is_lit].mean(0).argsort()) == list(noisy.mean((0, 1)).argsort())
