"""Edges and flat regions, by hand and on sets of pictures whose order is known."""

import numpy as np
import pytest

from cartoongan_tf.media import image_measures


def _take_means(measure, picture_sets):
    return {name: np.nanmean([measure(picture) for picture in pictures]) for name, pictures in picture_sets.items()}


def test_edge_density_knows_the_order(picture_sets):
    means = _take_means(image_measures.edge_density, picture_sets)
    assert means["photos"] < 0.7 * means["drawings"]
    assert means["drawings"] == pytest.approx(means["other drawings"], rel=0.2)
    assert means["other drawings"] < 0.5 * means["noise"]


def test_edge_density_by_hand():
    picture = np.zeros((40, 50, 3), np.uint8)
    picture[:, 25:] = 255
    assert image_measures.edge_density(picture) == pytest.approx(1 / 50)


def test_edge_sharpness_knows_the_order(picture_sets):
    means = _take_means(
        image_measures.edge_sharpness, {name: picture_sets[name] for name in ("drawings", "other drawings", "smoothed")}
    )
    assert means["drawings"] == pytest.approx(means["other drawings"], abs=0.05)
    assert means["smoothed"] < means["other drawings"] - 0.15


def test_edge_sharpness_is_one_by_the_number_of_steps():
    for contrast in (130, 255):
        for steps, expected in {1: 1, 2: 0.5, 3: 0.33}.items():
            ramp = np.concatenate([np.zeros(20), np.arange(1, steps) / steps, np.ones(20)])
            picture = np.broadcast_to((ramp * contrast)[None, :, None], (40, len(ramp), 3)).round().astype(np.uint8)
            turned = picture.transpose(1, 0, 2).copy()
            assert image_measures.edge_sharpness(picture) == pytest.approx(expected, abs=0.03), (contrast, steps)
            assert image_measures.edge_sharpness(turned) == pytest.approx(expected, abs=0.03), (contrast, steps)


def test_a_picture_without_edges_has_no_sharpness():
    assert np.isnan(image_measures.edge_sharpness(np.full((32, 32, 3), 90, np.uint8)))


def test_flatness_knows_the_order(picture_sets):
    means = _take_means(image_measures.flatness, picture_sets)
    assert means["drawings"] == pytest.approx(means["other drawings"], abs=0.1)
    assert means["drawings"] > means["smoothed"] > 0.3 > 0.1 > means["photos"] >= means["noise"] == 0


def test_flatness_by_hand():
    """A step of 100 levels at the middle of 40 columns: the two on each side see it."""
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 20:] = 100
    assert image_measures.flatness(picture) == pytest.approx(36 / 40)
    picture[:, 20:] = 4
    assert image_measures.flatness(picture) == 1


def test_psnr_by_hand():
    zeros = np.zeros((2, 2))
    assert image_measures.psnr(zeros, zeros) == np.inf
    assert image_measures.psnr(zeros + 255, zeros) == pytest.approx(0)
    assert image_measures.psnr(zeros + 0.2, zeros, peak=2.0) == pytest.approx(20)
    assert image_measures.psnr(zeros + np.nan, zeros) == -np.inf
