"""Whole runs of training on small networks and records, for several tests."""

import re

import numpy as np

from cartoongan_tf import train
from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.training.checkpoints import found_checkpoints
from tests.helpers import TINY_NETWORKS

PHOTO = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)


def train_flags(data_dir, run_dir, *more):
    """7 photos in batches of 2: 4 steps an epoch; 8 steps of initialization, 12 of adversarial training."""
    flags = [f"--data_dir={data_dir}", f"--run_dir={run_dir}", "--vgg19_weights=random", *TINY_NETWORKS]
    flags += [
        "--batch_size=2",
        "--initialization_epochs=2",
        "--adversarial_epochs=3",
        "--generator_learning_rate=1e-3",
    ]
    return [*flags, "--checkpoint_every_steps=5", "--summary_every_steps=4", "--num_samples=3", *more]


def train_small(data_dir, run_dir, *more):
    """The exit status of a run of `train_flags`."""
    return train.main(["train", *train_flags(data_dir, run_dir, *more)])


def draw_with(run_dir):
    """What a run's generator makes of PHOTO."""
    return np.asarray(load_generator(run_dir / "generator.keras")(PHOTO))


def checkpoint_steps(run_dir):
    """Of the newest checkpoints, in their order."""
    return sorted(int(re.search(r"step-(\d+)\.index", p.name)[1]) for p in (run_dir / "checkpoints").glob("*.index"))


def newest_step(run_dir):
    """The step of the checkpoint that a resumed run starts from."""
    found = found_checkpoints(run_dir / "checkpoints")
    return int(found[-1].rpartition("-")[2]) if found else 0
