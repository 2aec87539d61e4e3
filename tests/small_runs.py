"""Complete runs of training on small networks and records, for several tests.

As a process of its own: python -m tests.small_runs --data_dir=records --run_dir=run ...
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import keras
import numpy as np
import pytest

from cartoongan_tf import train
from cartoongan_tf.models import vgg19
from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.models.layers import conv
from cartoongan_tf.models.vgg19 import TAPS, build_style_features, build_vgg19_features
from cartoongan_tf.training import networks
from cartoongan_tf.training.checkpoints import recent_checkpoints
from tests.helpers import TINY_NETWORKS

PHOTO = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)


@contextlib.contextmanager
def _replaced(module, **builders: Callable) -> Iterator[None]:
    """Replace functions of a module in the block."""
    with pytest.MonkeyPatch.context() as patch:
        for name, builder in builders.items():
            patch.setattr(module, name, builder)
        yield


def small_features() -> AbstractContextManager[None]:
    """Let training describe pictures by single random convolutions, not VGG19, which takes seconds to trace."""
    return _replaced(networks, build_vgg19_features=_build_features, build_vgg19_taps=_build_taps)


@contextlib.contextmanager
def small_networks() -> Iterator[None]:
    """Let training build small networks of every kind, which have no .tflite file."""
    with small_features(), small_networks_of(networks), _replaced(train, _write_tflite=lambda *_: None):
        yield


def small_networks_of(module) -> AbstractContextManager[None]:
    """Let a module build networks of a layer or two: those of the paper take seconds to trace and to save."""
    return _replaced(module, build_generator=_build_generator, build_discriminator=_build_discriminator)


def small_measures() -> AbstractContextManager[None]:
    """Let evaluations measure crops by a single random convolution, not VGG19."""
    return _replaced(vgg19, build_style_features=_build_style_features)


def _build_generator(kind: str, width: int, num_blocks: int) -> keras.Model:
    photo = keras.Input((None, None, 3), name="photo")
    x = keras.layers.ReLU()(conv(photo, width, 7, "flat_conv"))
    cartoon = keras.layers.Activation("tanh", name="cartoon", dtype="float32")(conv(x, 3, 3, "output_conv"))
    return keras.Model(photo, cartoon, name="generator")


def _build_discriminator(width: int) -> keras.Model:
    picture = keras.Input((None, None, 3), name="picture")
    x = keras.layers.LeakyReLU()(conv(picture, width, 5, "strided_conv", strides=4))
    return keras.Model(picture, conv(x, 1, 3, "logits"), name="discriminator")


def _build_features(weights: str, seed: int) -> keras.Model:
    """Build an extractor with random weights, of features of about the size of VGG19's."""
    if weights != "random":
        return build_vgg19_features(weights, seed)
    picture = keras.Input((None, None, 3), name="picture")
    initializer = keras.initializers.HeNormal(seed)
    features = keras.layers.Conv2D(16, 8, strides=8, kernel_initializer=initializer)(100.0 * picture)
    extractor = keras.Model(picture, features, name="features")
    extractor.trainable = False
    return extractor


def _build_style_features(weights: str, layer: str, seed: int) -> keras.Model:
    if weights != "random":
        return build_style_features(weights, layer, seed)
    extractor = _build_features(weights, seed)
    pooled = keras.layers.GlobalAveragePooling2D()(extractor.outputs[0])
    return keras.Model(extractor.inputs, [pooled, extractor.outputs[0]])


def _build_taps(weights: str, seed: int) -> keras.Model:
    """Build an extractor of taps shaped like VGG19's, after the features of `_build_features`."""
    features = _build_features(weights, seed)
    picture = features.inputs[0]
    taps = []
    for halvings, channels in enumerate(TAPS.values()):
        side = 2**halvings
        initializer = keras.initializers.HeNormal(seed + halvings)
        layer = keras.layers.Conv2D(channels, side, side, activation="relu", kernel_initializer=initializer)
        taps.append(layer(100.0 * picture))
    extractor = keras.Model(picture, [features.outputs[0], *taps], name="taps")
    extractor.trainable = False
    return extractor


def run_train(*flags: str) -> int:
    """Train `small_networks` by flags; return the exit status."""
    with small_networks():
        return train.main(["train", *flags])


def train_flags(data_dir, run_dir, *more):
    """Return the flags of a run on 7 photos: 8 steps of initialization and 12 of adversarial training, 4 an epoch."""
    return [
        f"--data_dir={data_dir}",
        f"--run_dir={run_dir}",
        "--vgg19_weights=random",
        *TINY_NETWORKS,
        "--batch_size=2",
        "--initialization_epochs=2",
        "--adversarial_epochs=3",
        "--generator_learning_rate=1e-3",
        "--checkpoint_every_steps=5",
        "--summary_every_steps=4",
        "--num_samples=1",
        *more,
    ]


def train_small(data_dir, run_dir, *more):
    """Train `small_networks` by `train_flags`; return the exit status."""
    return run_train(*train_flags(data_dir, run_dir, *more))


def draw_with(run_dir):
    """Return the cartoon that a run's generator makes of PHOTO."""
    return np.asarray(load_generator(run_dir / "generator.keras")(PHOTO))


def checkpoint_steps(run_dir):
    """Return the steps of the newest checkpoints, in their order."""
    return [_step_of(path) for path in recent_checkpoints(run_dir / "checkpoints")]


def newest_step(run_dir):
    """Return the step of the checkpoint that a resumed run starts from; 0 without one."""
    return max(checkpoint_steps(run_dir), default=0)


def _step_of(path):
    return int(path.rpartition("-")[2])


if __name__ == "__main__":
    with small_networks():
        sys.exit(train.main())
