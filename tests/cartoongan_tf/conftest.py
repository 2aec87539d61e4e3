"""Fixtures of the tests of training."""

from collections.abc import Iterator
from pathlib import Path

import keras
import pytest

from cartoongan_tf.models.vgg19 import build_vgg19_features
from cartoongan_tf.training import networks
from tests.small_runs import train_small


@pytest.fixture(scope="session", autouse=True)
def small_features() -> Iterator[None]:
    """Let training compare pictures by one random convolution in place of VGG19, which takes seconds to trace."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "build_vgg19_features", _build_small_features)
        yield


@pytest.fixture
def real_vgg19(monkeypatch) -> None:
    """Let training use VGG19 after all."""
    monkeypatch.setattr(networks, "build_vgg19_features", build_vgg19_features)


def _build_small_features(weights: str, seed: int) -> keras.Model:
    """Build an extractor with random weights, of features of about the size of VGG19's."""
    if weights != "random":
        return build_vgg19_features(weights, seed)
    picture = keras.Input((None, None, 3), name="picture")
    initializer = keras.initializers.HeNormal(seed)
    features = keras.layers.Conv2D(16, 8, strides=8, kernel_initializer=initializer)(100.0 * picture)
    extractor = keras.Model(picture, features, name="small_features")
    extractor.trainable = False
    return extractor


@pytest.fixture(scope="session")
def finished(small_features, data_dir, tmp_path_factory) -> Path:
    """The folder of a complete run; tests copy it before they change it."""
    run_dir = tmp_path_factory.mktemp("runs") / "finished"
    assert train_small(data_dir, run_dir, "--num_samples=3") == 0
    return run_dir
