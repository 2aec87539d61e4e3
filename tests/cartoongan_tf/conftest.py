"""What the tests of training share."""

from pathlib import Path

import pytest

from tests.small_runs import train_small


@pytest.fixture(scope="session")
def finished(data_dir, tmp_path_factory) -> Path:
    """The folder of a whole run; tests copy it before they change it."""
    run_dir = tmp_path_factory.mktemp("runs") / "finished"
    assert train_small(data_dir, run_dir) == 0
    return run_dir
