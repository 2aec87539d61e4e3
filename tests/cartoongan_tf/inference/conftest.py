"""The small generator, loaded once for all tests of inference."""

import pytest

from cartoongan_tf import Cartoonizer
from cartoongan_tf.inference.runtimes import load_runtime
from tests.helpers import draw


@pytest.fixture(scope="session")
def runtime(generator_path):
    """The runtime of the small generator; tests change it through monkeypatch alone."""
    return load_runtime(generator_path)


@pytest.fixture(scope="session")
def cartoonizer(runtime):
    return Cartoonizer(runtime)


@pytest.fixture(scope="session")
def cartoon(cartoonizer):
    """The cartoon of `draw(0)`."""
    return cartoonizer(draw(0))
