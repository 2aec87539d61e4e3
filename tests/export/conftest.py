"""Fixtures that the tests of exports share: small generators, converted once, and servers for one of them."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from benchmarks import prediction_server as server
from cartoongan_tf.inference.tflite_facts import TFLiteFacts
from cartoongan_tf.inference.tflite_model import PICTURE
from cartoongan_tf.models.generator_file import load_generator
from export import client, parity, tflite, tflite_file
from export.serving import saved_model
from export.serving.session import ServingSession
from export.tflite_metadata import Metadata
from tests.helpers import draw

MAX_PIXELS = 100 * 100
METADATA = Metadata("demo-fp16", "Draws circles.", "cartoongan-tf 7", "Ana", "CC0-1.0")


@pytest.fixture(scope="session")
def generator(generator_path):
    return load_generator(generator_path)


@pytest.fixture(scope="session")
def generators(generator, light_path, narrow_path):
    """A small generator of each architecture, by its name."""
    return {"paper": generator, "light": load_generator(light_path), "narrow": load_generator(narrow_path)}


@pytest.fixture(scope="session")
def converted(generators):
    """A function that returns the contents of a .tflite file, converted once: (architecture, precision, size,
    kept_float)."""

    @functools.cache
    def convert(architecture="paper", precision="fp32", size=None, kept_float=""):
        calibration = []
        if precision == "int8_full":
            calibration = [parity.fitting(draw(seed, 300, 300), tflite.FIRST_SIZE_PX) for seed in range(2)]
        return tflite.convert(generators[architecture], precision, METADATA, size, calibration, kept_float)

    return convert


@pytest.fixture(scope="session")
def brightening():
    """A function that returns a .tflite file which adds a number to each value of a photo; converted once for each."""

    @functools.cache
    def convert(offset):
        photo = tf.TensorSpec([None, None, None, 3], tf.float32)
        function = tf.function(lambda photo: photo + offset).get_concrete_function(photo)
        content = tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()
        model = tflite_file.with_signature(content, PICTURE, (8, 8))
        return tflite_file.completed(model, METADATA, TFLiteFacts("", 3.0, reach=0))

    return convert


@pytest.fixture(scope="session")
def version(generator, tmp_path_factory):
    """An exported version of the model `demo` that accepts up to 100 x 100 pixels."""
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


@pytest.fixture(params=["grpc", "rest"])
def ask(request):
    """Run the client over gRPC or REST."""
    address = request.getfixturevalue(f"{request.param}_address")

    def run(*arguments, model="demo"):
        flags = [f"--server={address}", f"--model={model}"]
        if request.param == "rest":
            flags.append("--rest")
        return client.main(["client", *flags, *map(str, arguments)])

    return run


@pytest.fixture
def photo_path(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.asarray(draw(5, 33, 47))).save(path)
    return path
