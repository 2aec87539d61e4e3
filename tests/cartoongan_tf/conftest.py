"""Fixtures of the tests of training, of measures, and of `cartoonize` as a program."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from tests import small_runs
from tests.helpers import draw, draw_photo_like


@pytest.fixture(scope="session")
def finished(data_dir, tmp_path_factory) -> Path:
    """The folder of a complete run; tests copy it before they change it."""
    run_dir = tmp_path_factory.mktemp("runs") / "finished"
    assert small_runs.train_small(data_dir, run_dir, "--num_samples=3") == 0
    return run_dir


@pytest.fixture(scope="session")
def picture_sets() -> dict[str, list[np.ndarray]]:
    """Sets of 24 pictures, from the nearest to the drawings to the farthest."""
    from data_pipeline.edge_smoothing import smooth_edges

    others = [draw(seed, 96, 96) for seed in range(100, 124)]
    rng = np.random.default_rng(0)
    return {
        "drawings": [draw(seed, 96, 96) for seed in range(24)],
        "other drawings": others,
        "smoothed": [smooth_edges(drawing) for drawing in others],
        "photos": [draw_photo_like(seed) for seed in range(24)],
        "noise": [rng.integers(0, 256, (96, 96, 3), np.uint8) for _ in range(24)],
    }


@pytest.fixture(scope="session")
def cartoonizers() -> dict:
    """The cartoonizers that tests have loaded, by model and method."""
    return {}


@pytest.fixture
def load_once(cartoonizers, monkeypatch, draw_in_this_process):
    """Let all runs of `cartoonize` share one cartoonizer for each model."""
    from cartoongan_tf import Cartoonizer, cartoonize, styles
    from cartoongan_tf.inference import style_sheets

    @contextlib.contextmanager
    def shared_cartoonizer(model, method, drawing_size, on_progress):
        if drawing_size is None:
            drawing_size = styles.drawing_size(model)
        key = (styles.find_model(model), method, drawing_size)
        if key not in cartoonizers:
            cartoonizers[key] = Cartoonizer.load(key[0], method, drawing_size=drawing_size)
            cartoonizers[key].load = lambda: None
        yield cartoonizers[key]

    monkeypatch.setattr(cartoonize, "isolated_cartoonizer", shared_cartoonizer)
    monkeypatch.setattr(style_sheets, "isolated_cartoonizer", shared_cartoonizer)


@pytest.fixture
def photo(tmp_path) -> Path:
    """A small photo in a folder of its own."""
    from cartoongan_tf.media import pictures

    path = tmp_path / "photo.png"
    pictures.write_picture(path, draw(0))
    return path


@pytest.fixture(scope="session")
def cartoonizer(generator_path):
    from cartoongan_tf import Cartoonizer

    return Cartoonizer.load(generator_path)
