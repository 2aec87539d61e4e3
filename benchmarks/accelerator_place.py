"""The devices that `benchmarks.accelerators` checks, and the results of its checks."""

import dataclasses
import os
from typing import Any, NamedTuple

from cartoongan_tf.base import program
from cartoongan_tf.training.config import TrainConfig

NO_GPU = "skipped: no GPU"


class Finding(NamedTuple):
    """The result of a check: the measured value, and "pass", "fail" or "skipped", the last two with a reason."""

    measured: str
    verdict: str


class Place(NamedTuple):
    """The devices to check, and how much to do.

    Attributes:
      num_gpus: number of GPUs to use; 0: the CPU.
      is_tiny: whether networks and pictures are tiny, and not the paper's.
      steps: steps to time in each number format.
    """

    num_gpus: int
    is_tiny: bool
    steps: int

    @property
    def recipe(self) -> TrainConfig:
        """The recipe of a step: the authors', with random VGG19."""
        recipe = TrainConfig(data_dir="", run_dir="", vgg19_weights="random", crop_size=256)
        if not self.is_tiny:
            return recipe
        return dataclasses.replace(
            recipe,
            generator_width=4,
            generator_num_blocks=1,
            discriminator_width=4,
            batch_size=2,
            crop_size=32,
            pool_size=2,
        )


def describe_devices() -> list[str]:
    """Return the names of this machine's GPUs; call it in a process of its own, as it starts TensorFlow."""
    program.start_tensorflow()
    import tensorflow as tf

    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return [each.get("device_name", "unknown GPU") for each in details]


def start(place: Place) -> Any:
    """Start TensorFlow in this process, without GPUs if the place has none; return the module."""
    if not place.num_gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    program.start_tensorflow()
    import tensorflow

    return tensorflow
