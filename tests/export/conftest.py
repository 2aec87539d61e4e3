"""What the tests of exports share."""

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.models.generator_file import load_generator
from export.serving import saved_model
from export.serving.session import ServingSession
from tests.export.serving import server
from tests.helpers import draw

MAX_PIXELS = 100 * 100


@pytest.fixture(scope="session")
def generator(generator_path):
    return load_generator(generator_path)


@pytest.fixture(scope="session")
def version(generator, tmp_path_factory):
    """An exported version of the model `demo` that draws up to 100 x 100 pixels at once."""
    folder = tmp_path_factory.mktemp("serving") / "demo" / "1"
    folder.parent.mkdir()
    saved_model.write_version(generator, folder, "demo", draw(0), MAX_PIXELS)
    return folder


@pytest.fixture(scope="session")
def session(version):
    return ServingSession(version)


@pytest.fixture(scope="session")
def servicer(session):
    return server.PredictionServicer({"demo": {1: session}})


@pytest.fixture(scope="session")
def grpc_address(servicer):
    with server.grpc_server(servicer) as address:
        yield address


@pytest.fixture(scope="session")
def rest_address(servicer):
    with server.rest_server(servicer) as address:
        yield address


@pytest.fixture
def photo_path(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.asarray(draw(5, 33, 47))).save(path)
    return path
