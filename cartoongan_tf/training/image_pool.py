"""The pool of earlier generated pictures that the discriminator is shown now and then, as in the authors' code.

Proposed by Shrivastava et al. (2017, section 2.3): a discriminator that is only shown the latest generated pictures
forgets earlier artefacts. The choices are pure functions of seed and step, and the pictures are in the run's
checkpoints, so a resumed run continues with the same pool. All replicas hold the same pool, filled from the complete
global batch, so the number of devices that share a batch changes nothing.
"""

from typing import NamedTuple

import tensorflow as tf


class Shown(NamedTuple):
    """The pictures of the pool for the discriminator, in place of this replica's generated pictures.

    Attributes:
      pictures: pictures of the pool, float32 [B, S, S, 3] in [-1, 1].
      instead: whether each of them is shown instead of the picture just generated, bool [B, 1, 1, 1].
    """

    pictures: tf.Tensor
    instead: tf.Tensor


class ImagePool(tf.Module):
    """A pool of generated pictures; under a distribution strategy, build it in the strategy's scope."""

    def __init__(self, size: int, image_size: int, seed: int):
        """
        Args:
          size: number of pictures, at least the global batch size.
          image_size: side of the training pictures, in pixels.
          seed: seed of the choices.
        """
        super().__init__(name="image_pool")
        self.pictures = tf.Variable(tf.zeros([size, image_size, image_size, 3]), trainable=False, name="pictures")
        self._size = size
        self._seed = seed

    def recall(self, step: tf.Tensor, num_pictures: int | tf.Tensor) -> Shown:
        """Choose pictures for this replica's part of a batch; once the pool is full, half of them on average.

        Args:
          step: number of the step in the phase, from 0 up: integer [].
          num_pictures: B, the number of pictures in this replica.
        """
        context = tf.distribute.get_replica_context()
        slots, is_swapped, _ = self._choose(step, num_pictures * context.num_replicas_in_sync)
        first = context.replica_id_in_sync_group * num_pictures
        last = first + num_pictures
        return Shown(tf.gather(self.pictures, slots[first:last]), is_swapped[first:last, None, None, None])

    def keep(self, step: tf.Tensor, generated: tf.Tensor) -> None:
        """Put a step's generated pictures, float32 [B, S, S, 3] in each replica, in place of those of `recall`."""
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            generated = context.all_gather(generated, axis=0)
        slots, is_swapped, is_filled = self._choose(step, tf.shape(generated)[0])
        is_kept = (is_swapped | is_filled)[:, None, None, None]
        kept = tf.where(is_kept, generated, tf.gather(self.pictures, slots))
        self.pictures.assign(tf.tensor_scatter_nd_update(self.pictures, slots[:, None], kept))

    def _choose(self, step: tf.Tensor, batch_size: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Choose a different slot for each picture of a global batch.

        Returns:
          the slots, whether each is swapped with its picture, and whether each is filled for the first time:
          [batch_size] each.
        """
        seed = tf.stack([tf.constant(self._seed, tf.int64), tf.cast(step, tf.int64)])
        first = tf.cast(step, tf.int32) * batch_size
        numbers = first + tf.range(batch_size)
        is_full = first >= self._size
        shuffled = tf.random.experimental.stateless_shuffle(tf.range(self._size), seed)[:batch_size]
        slots = tf.where(is_full, shuffled, numbers % self._size)
        is_swapped = is_full & (tf.random.stateless_uniform([batch_size], tf.roll(seed, 1, 0)) < 0.5)
        return slots, is_swapped, numbers < self._size
