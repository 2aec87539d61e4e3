"""The inputs of a training run, built from records: its batches, samples to look at, and a description."""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.feeds import Feeds
from data_pipeline import dataset, records
from data_pipeline.records import Records

_NUM_CARTOONS = 24  # enough to measure the style's share of edges


class Inputs(NamedTuple):
    """The inputs of a run.

    Attributes:
      feeds: training and validation batches.
      steps_per_epoch: number of batches in a pass over the photos.
      image_size: side of the pictures in a batch, in pixels.
      photos: sample photos, uint8 RGB [N, S, S, 3]; held-out ones if there are any.
      cartoons: cartoons of the style, likewise; none if the networks learn from none.
      description: description of the records, one line.
      drawings: the teacher's drawings of `photos`, likewise; None unless the generator learns from them.
    """

    feeds: Feeds
    steps_per_epoch: int
    image_size: int
    photos: np.ndarray
    cartoons: np.ndarray
    description: str
    drawings: np.ndarray | None = None


def build_inputs(config: TrainConfig, training: Records, held_out: Records) -> Inputs:
    """Build the inputs of a recipe.

    Args:
      config: the recipe.
      training: opened records to train on.
      held_out: opened records of held-out pictures; they may be empty.

    Raises:
      InputError: there are no photos or no cartoons to train on, or their pictures are smaller than a crop.
    """
    sampled = held_out if has_examples(config, held_out) else training
    return Inputs(
        feeds=build_feeds(
            training,
            config.batch_size,
            config.seed,
            config.crop_size,
            held_out if has_examples(config, held_out) else None,
            config.validation_batches,
            with_drawings=config.needs_drawings,
            with_cartoons=config.learns_from_cartoons,
            with_faces=config.face_weight != 1,
        ),
        steps_per_epoch=count_steps_per_epoch(training, config.batch_size),
        image_size=config.crop_size or training.image_size,
        photos=dataset.read_photos(sampled, config.num_samples),
        cartoons=dataset.read_cartoons(sampled, _NUM_CARTOONS if config.learns_from_cartoons else 0),
        description=_describe(config.data_dir, training, held_out),
        drawings=dataset.read_drawings(sampled, config.num_samples) if config.needs_drawings else None,
    )


def build_feeds(
    training: Records,
    batch_size: int,
    seed: int,
    crop_size: int,
    held_out: Records | None = None,
    validation_batches: int = 0,
    with_drawings: bool = False,
    with_cartoons: bool = True,
    with_faces: bool = False,
) -> Feeds:
    """Build the batches of a run.

    Args:
      training: opened records to train on.
      batch_size: number of examples in a batch, over all workers.
      seed: seed of orders, crops and flips.
      crop_size: side of the training squares, in pixels; 0: complete pictures.
      held_out: opened records to validate on; None: no validation.
      validation_batches: number of batches to validate on; 0: no validation.
      with_drawings, with_cartoons, with_faces: what the batches have beside photos, see `dataset.build_dataset`.
    """
    kinds = {"with_drawings": with_drawings, "with_cartoons": with_cartoons, "with_faces": with_faces}

    def training_batches(first_batch: int, num_workers: int, worker: int) -> tf.data.Dataset:
        return dataset.build_dataset(training, batch_size, seed, first_batch, crop_size, num_workers, worker, **kinds)

    def held_out_batches(num_workers: int, worker: int) -> tf.data.Dataset:
        assert held_out is not None
        batches = dataset.build_dataset(held_out, batch_size, seed, 0, crop_size, num_workers, worker, **kinds)
        return batches.take(validation_batches)

    has_validation = held_out is not None and validation_batches
    return Feeds(training_batches, batch_size, held_out_batches if has_validation else None)


def count_steps_per_epoch(training: Records, batch_size: int) -> int:
    """Count the batches in a pass over the photos. The last one is filled up from the next pass."""
    return math.ceil(len(training.photos) / batch_size)


def has_examples(config: TrainConfig, opened: Records) -> bool:
    """Return whether records hold some of each kind of pictures that the recipe learns from."""
    return len(opened.photos) > 0 and (len(opened.cartoons) > 0 or not config.learns_from_cartoons)


def check_records(config: TrainConfig, training: Records) -> None:
    """Raise InputError if photos, faces, cartoons or a teacher's drawings that the recipe learns from are missing."""
    data_dir = config.data_dir
    command = records.BUILD_COMMAND.format(data_dir)
    if config.needs_drawings and not training.teacher:
        flag = "--initialization_loss=teacher" if config.learns_from_teacher else "--content_target=drawing"
        raise InputError(
            f"{flag}: {data_dir} holds no drawings of the photos. Build it again with a teacher:"
            f"\n    {command} --teacher=abstraction --overwrite"
        )
    if config.face_weight != 1 and not training.has_faces:
        raise InputError(
            f"--face_weight={config.face_weight:g}: nobody looked for the faces in the photos of {data_dir}. Build it "
            f"again with --faces:\n    {command} --faces --overwrite"
        )
    if config.learns_from_cartoons and training.teacher and not len(training.cartoons):
        raise InputError(
            f"--data_dir={data_dir}: holds no cartoons; build it again with --cartoons_dir, or learn from the teacher "
            "alone, by --adversarial_epochs=0 and --discriminator_warmup_steps=0"
        )
    if not has_examples(config, training):
        raise InputError(
            f"--data_dir={data_dir}: there are no {'cartoons' if len(training.photos) else 'photos'} to train on; "
            "build it again from more pictures, or with a smaller --validation_fraction"
        )


def _describe(data_dir: str, training: Records, held_out: Records) -> str:
    return (
        f"{len(training.photos):,} photos, {len(training.cartoons):,} cartoons of {training.image_size} px in "
        f"{data_dir}; held out: {len(held_out.photos):,} and {len(held_out.cartoons):,}"
    )
