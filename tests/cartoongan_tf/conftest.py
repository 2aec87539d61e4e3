"""Fixtures of the tests of training."""

from pathlib import Path

import pytest

from tests import small_runs


@pytest.fixture
def small_features():
    """Let training compare pictures by one random convolution, not VGG19."""
    with small_runs.small_features():
        yield


@pytest.fixture
def small_networks():
    """Let training build networks of a layer or two."""
    with small_runs.small_networks():
        yield


@pytest.fixture(scope="session")
def finished(data_dir, tmp_path_factory) -> Path:
    """The folder of a complete run; tests copy it before they change it."""
    run_dir = tmp_path_factory.mktemp("runs") / "finished"
    assert small_runs.train_small(data_dir, run_dir, "--num_samples=3") == 0
    return run_dir
