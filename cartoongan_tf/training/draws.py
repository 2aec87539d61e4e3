"""Random numbers of training steps, by seed and step: a resumed run, on any number of devices, continues with them."""

from collections.abc import Callable, Sequence

import tensorflow as tf


def seed_of_step(seed: int, step: tf.Tensor) -> tf.Tensor:
    """Return the seed of a step in a phase, which is numbered from 0 up: int64 [2]."""
    return tf.stack([tf.cast(step, tf.int64), tf.constant(seed, tf.int64)])


def draw_for_replica(sample: Callable, shape: Sequence, seed: tf.Tensor) -> tf.Tensor:
    """Draw random numbers for this replica's part of a batch.

    Args:
      sample: tf.random.stateless_uniform or tf.random.stateless_normal.
      shape: [B, ...], B the number of pictures in this replica.
      seed: int64 [2].
    """
    context = tf.distribute.get_replica_context()
    num_pictures, *others = shape
    numbers = sample([num_pictures * context.num_replicas_in_sync, *others], seed)
    first = context.replica_id_in_sync_group * num_pictures
    return numbers[first : first + num_pictures]
