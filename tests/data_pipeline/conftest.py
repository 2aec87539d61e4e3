"""A folder of extracted frames."""

import shutil

import pytest

from tests.extracting import long_film, run


@pytest.fixture(scope="session")
def extracted(tmp_path_factory):
    """A folder with the film of PARTS, and `frames`, the frames extracted from it."""
    root = tmp_path_factory.mktemp("films")
    long_film(root / "film.mp4")
    assert run(root / "film.mp4", root / "frames") == 0
    return root


@pytest.fixture
def mine(extracted, tmp_path):
    """A copy of `extracted` that a test may change; the film is not copied, as analyses belong to its path."""
    shutil.copytree(extracted / "frames", tmp_path / "frames")
    shutil.copy(extracted / "frames-contact-sheet.jpg", tmp_path)
    return tmp_path / "frames"
