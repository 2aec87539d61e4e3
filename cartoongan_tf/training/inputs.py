"""The inputs of a training run, built from records: its batches, samples to look at, and a description."""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.feeds import Feeds
from data_pipeline import dataset
from data_pipeline.records import Records

_NUM_CARTOONS = 24  # enough to measure the style's share of edges


class Inputs(NamedTuple):
    """The inputs of a run.

    Attributes:
      feeds: training and validation batches.
      steps_per_epoch: number of batches in a pass over the photos.
      image_size: side of the pictures in a batch, in pixels.
      photos: sample photos, uint8 RGB [N, S, S, 3]; held-out ones if there are any.
      cartoons: cartoons of the style, likewise.
      description: description of the records, one line.
    """

    feeds: Feeds
    steps_per_epoch: int
    image_size: int
    photos: np.ndarray
    cartoons: np.ndarray
    description: str


def build_inputs(config: TrainConfig, training: Records, held_out: Records) -> Inputs:
    """Build the inputs of a recipe.

    Args:
      config: the recipe.
      training: opened records to train on.
      held_out: opened records of held-out pictures; they may be empty.

    Raises:
      InputError: there are no photos or no cartoons to train on, or their pictures are smaller than a crop.
    """
    has_held_out = bool(len(held_out.photos) and len(held_out.cartoons))
    sampled = held_out if has_held_out else training
    return Inputs(
        feeds=build_feeds(
            training,
            config.batch_size,
            config.seed,
            config.crop_size,
            held_out if has_held_out else None,
            config.validation_batches,
        ),
        steps_per_epoch=count_steps_per_epoch(training, config.batch_size),
        image_size=config.crop_size or training.image_size,
        photos=dataset.read_photos(sampled, config.num_samples),
        cartoons=dataset.read_cartoons(sampled, _NUM_CARTOONS),
        description=_describe(config.data_dir, training, held_out),
    )


def build_feeds(
    training: Records,
    batch_size: int,
    seed: int,
    crop_size: int,
    held_out: Records | None = None,
    validation_batches: int = 0,
) -> Feeds:
    """Build the batches of a run.

    Args:
      training: opened records to train on.
      batch_size: number of examples in a batch, over all workers.
      seed: seed of orders, crops and flips.
      crop_size: side of the training squares, in pixels; 0: complete pictures.
      held_out: opened records to validate on; None: no validation.
      validation_batches: number of batches to validate on; 0: no validation.
    """

    def training_batches(first_batch: int, num_workers: int, worker: int) -> tf.data.Dataset:
        return dataset.build_dataset(training, batch_size, seed, first_batch, crop_size, num_workers, worker)

    def held_out_batches(num_workers: int, worker: int) -> tf.data.Dataset:
        assert held_out is not None
        batches = dataset.build_dataset(held_out, batch_size, seed, 0, crop_size, num_workers, worker)
        return batches.take(validation_batches)

    has_validation = held_out is not None and validation_batches
    return Feeds(training_batches, batch_size, held_out_batches if has_validation else None)


def count_steps_per_epoch(training: Records, batch_size: int) -> int:
    """Count the batches in a pass over the photos. The last one is filled up from the next pass."""
    return math.ceil(len(training.photos) / batch_size)


def check_records(data_dir: str, training: Records) -> None:
    """Raise InputError if there are no photos or no cartoons to train on."""
    for kind, index in (("photos", training.photos), ("cartoons", training.cartoons)):
        if not len(index):
            raise InputError(
                f"--data_dir={data_dir}: there are no {kind} to train on; build it again from more pictures, or with a "
                "smaller --validation_fraction"
            )


def _describe(data_dir: str, training: Records, held_out: Records) -> str:
    return (
        f"{len(training.photos):,} photos, {len(training.cartoons):,} cartoons of {training.image_size} px in "
        f"{data_dir}; held out: {len(held_out.photos):,} and {len(held_out.cartoons):,}"
    )
