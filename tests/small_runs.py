"""Complete runs of training on small networks and records, for several tests."""

import numpy as np

from cartoongan_tf import train
from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.training.checkpoints import recent_checkpoints
from tests.helpers import TINY_NETWORKS

PHOTO = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)


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
    """Train by `train_flags`; return the exit status."""
    return train.main(["train", *train_flags(data_dir, run_dir, *more)])


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
