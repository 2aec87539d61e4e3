"""Recipes of the networks that experiments train, from an experiment's flags and its scale."""

import dataclasses
from pathlib import Path
from typing import Literal

from cartoongan_tf.training.config import TrainConfig
from experiments.baselines.cyclegan_config import TrainCycleGANConfig
from experiments.config import SCALES, ExperimentConfig, Scale

_SAME_IN_CYCLEGAN = (
    "generator",
    "generator_width",
    "generator_num_blocks",
    "discriminator_width",
    "data_dir",
    "run_dir",
    "crop_size",
    "mixed_precision",
    "checkpoint_every_steps",
    "seed",
)


def cartoongan(config: ExperimentConfig, generator: str, data_dir: Path, run_dir: Path) -> TrainConfig:
    """Return CartoonGAN's recipe at the experiment's scale.

    Args:
      config: flags of the experiment.
      generator: architecture of the generator.
      data_dir: folder of the records.
      run_dir: folder of the run.
    """
    scale = SCALES[config.scale]
    values = {**scale.recipe, **scale.own_recipes.get(generator, {})}
    if config.mixed_precision != "by_scale":
        values["mixed_precision"] = config.mixed_precision
    return TrainConfig(
        data_dir=str(data_dir),
        run_dir=str(run_dir),
        vgg19_weights=config.vgg19_weights,
        seed=config.seed,
        **values | {"generator": generator},
    )


def initialization(recipe: TrainConfig, loss: Literal["content", "pixels"], steps_per_epoch: int) -> TrainConfig:
    """Return a recipe with the initialization phase alone, keeping a checkpoint of each epoch.

    Args:
      recipe: recipe of a CartoonGAN.
      loss: --initialization_loss.
      steps_per_epoch: number of batches in a pass over the photos.
    """
    return dataclasses.replace(
        recipe,
        initialization_loss=loss,
        adversarial_epochs=0,
        discriminator_warmup_steps=0,
        checkpoint_every_steps=steps_per_epoch,
        keep_every_steps=steps_per_epoch,
        keep_checkpoints=1,
    )


def cyclegan(recipe: TrainConfig, scale: Scale) -> TrainCycleGANConfig:
    """Return CycleGAN's recipe at a scale, with the networks and the data of a CartoonGAN's recipe."""
    same = {name: getattr(recipe, name) for name in _SAME_IN_CYCLEGAN}
    return TrainCycleGANConfig(**same, **scale.cyclegan)
