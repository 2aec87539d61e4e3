"""Flags of all experiments, and their scales: sizes of networks, pictures and runs."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from cartoongan_tf.base.options import Config, option


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentConfig(Config):
    photos_dir: str = option("Folder of photos; every eighth is held out, to be cartoonized and measured.")
    cartoons_dir: str = option(
        "Folder of cartoons of one style; the last fifth, in the order of their names, is held out to compare with."
    )
    output_dir: str = option(
        "Folder to write to. Experiments with the same one share records and runs, and resume what was interrupted."
    )
    scale: Literal["cpu", "paper", "tiny"] = option(
        "cpu: narrow networks on small crops, at most 40 minutes on 2 cores. paper: the authors' networks and recipe, "
        "for GPUs: the paper's own hardware took 84 hours for each network (200 epochs of 1,518 s). tiny: a trial of "
        "the program, in a minute or two, whose results mean nothing.",
        "cpu",
    )
    generator: Literal["by_scale", "light", "narrow", "paper"] = option(
        "Architecture of the generators, as in training. --scale=cpu takes the narrow one: the paper's, narrow enough "
        "for a CPU, loses the photo's colours in runs that short.",
        "by_scale",
    )
    vgg19_weights: str = option(
        "VGG19 for losses and distances: imagenet (downloaded once, 80 MB), the path of a weights file, or random (for "
        "trials only).",
        "imagenet",
    )
    mixed_precision: Literal["by_scale", "auto", "off", "bfloat16"] = option(
        "As in training; --scale=cpu takes auto: bfloat16 halves the time on CPUs that have instructions for it.",
        "by_scale",
    )
    num_processes: int = option(
        "Number of networks to train side by side, each on its share of the cores; 0: as many as there are cores, or "
        "one if there is a GPU.",
        0,
        at_least=0,
    )
    seed: int = option("Seed of initial weights, order, crops and resamplings.", 0, at_least=0, below=2**31)


@dataclasses.dataclass(frozen=True)
class MeasuringConfig:
    """Settings that the rows of a table were measured with: flags of `evaluate`."""

    photos_dir: str
    cartoons_dir: str
    vgg19_weights: str
    num_crops: int
    crop_px: int
    long_side: int
    num_resamplings: int
    seed: int


@dataclasses.dataclass(frozen=True)
class Scale:
    """Sizes of an experiment's networks, pictures and runs.

    Attributes:
      preparation: flags of `build_tfrecords`, for the records.
      generator: architecture of the generators.
      recipe: flags of `train`, for CartoonGAN; its own defaults are the authors' recipe.
      own_recipes: further flags of `train`, by architecture.
      cyclegan: flags of `train_cyclegan` that differ from the recipe of CycleGAN's paper.
      num_crops, crop_px, num_resamplings: flags of `evaluate`.
      max_photos: largest number of held-out photos to cartoonize.
      long_side: longer side of the pictures that are cartoonized and measured, in pixels.
      slow_long_side, slow_max_photos: the same for experiments with a method that optimises each picture.
      slow_steps: number of steps of such an optimisation.
    """

    preparation: Mapping[str, Any]
    generator: str
    recipe: Mapping[str, Any]
    own_recipes: Mapping[str, Mapping[str, Any]]
    cyclegan: Mapping[str, Any]
    num_crops: int
    crop_px: int
    num_resamplings: int
    max_photos: int
    long_side: int
    slow_long_side: int
    slow_max_photos: int
    slow_steps: int


# The recipe of configs/photo_start.flags, which explains why each flag departs from the authors', with fewer epochs.
# The light generator begins as the photo; the paper's must be initialized first.
_CPU_RECIPE = {
    "discriminator_width": 16,
    "batch_size": 4,
    "crop_size": 96,
    "initialization_loss": "pixels",
    "initialization_learning_rate": 5e-4,
    "discriminator_warmup_steps": 600,
    "adversarial_epochs": 12,
    "adversarial_decay_epochs": 5,
    "generator_learning_rate": 2e-4,
    "discriminator_learning_rate": 4e-4,
    "content_weight": 3e-4,
    "edge_loss_weight": 0.1,
    "color_weight": 1.0,
    "pool_size": 0,
    "ema_decay": 0.995,
    "mixed_precision": "auto",
    "checkpoint_every_steps": 288,
}
_CPU_OWN_RECIPES = {
    "narrow": {"initialization_epochs": 2, "initialization_decay_epochs": 1},
    "paper": {
        "generator_width": 16,
        "generator_num_blocks": 4,
        "initialization_epochs": 10,
        "initialization_decay_epochs": 5,
    },
}
_TINY_RECIPE = {
    "generator_width": 4,
    "generator_num_blocks": 1,
    "discriminator_width": 4,
    "batch_size": 2,
    "crop_size": 32,
    "initialization_epochs": 2,
    "initialization_loss": "pixels",
    "adversarial_epochs": 1,
    "pool_size": 0,
    "ema_decay": 0.9,
}

SCALES = {
    "cpu": Scale(
        preparation={"image_size": 256, "crops_per_image": 6},
        generator="narrow",
        recipe=_CPU_RECIPE,
        own_recipes=_CPU_OWN_RECIPES,
        cyclegan={"batch_size": 4, "epochs": 6, "decay_epochs": 2},  # they take as long as CartoonGAN's 12
        num_crops=500,
        crop_px=96,
        num_resamplings=200,
        max_photos=16,
        long_side=512,
        slow_long_side=320,
        slow_max_photos=8,
        slow_steps=150,
    ),
    "paper": Scale(
        preparation={"image_size": 256},
        generator="paper",
        recipe={},
        own_recipes={},
        cyclegan={},
        num_crops=1000,
        crop_px=96,
        num_resamplings=200,
        max_photos=200,
        long_side=512,
        slow_long_side=512,
        slow_max_photos=100,
        slow_steps=500,
    ),
    "tiny": Scale(
        preparation={"image_size": 48},
        generator="light",
        recipe=_TINY_RECIPE,
        own_recipes={},
        cyclegan={"batch_size": 2, "epochs": 1, "decay_epochs": 0, "pool_size": 2},
        num_crops=16,
        crop_px=32,
        num_resamplings=20,
        max_photos=2,
        long_side=64,
        slow_long_side=48,
        slow_max_photos=2,
        slow_steps=3,
    ),
}
