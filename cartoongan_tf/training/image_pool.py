"""The pool of earlier generated pictures that the discriminator is shown now and then, as in the authors' code.

Shrivastava et al. (2017, section 2.3) brought it up: a discriminator that sees the generator's latest pictures only
forgets what it held against the earlier ones. The choices are pure functions of seed and step, and the pictures are
in the run's checkpoint, so a resumed run goes on with the same pool. All replicas hold the same pool, filled from the
whole global batch: how many devices share a batch changes nothing.
"""

from typing import NamedTuple

import tensorflow as tf


class Shown(NamedTuple):
    """What the pool has for the discriminator in place of this replica's generated pictures.

    Attributes:
      pictures: float32 [B, S, S, 3], in [-1, 1].
      instead: bool [B, 1, 1, 1], whether each of them is shown instead of the picture just generated.
    """

    pictures: tf.Tensor
    instead: tf.Tensor


class ImagePool(tf.Module):
    """`size` generated pictures; under a distribution strategy, make it in the strategy's scope."""

    def __init__(self, size: int, image_size: int, seed: int):
        """
        Args:
          size: at least the global batch.
          image_size: side of the training pictures, in pixels.
          seed: of the choices.
        """
        super().__init__(name="image_pool")
        self.pictures = tf.Variable(tf.zeros([size, image_size, image_size, 3]), trainable=False, name="pictures")
        self._size, self._seed = size, seed

    def recall(self, step: tf.Tensor, num_pictures: int | tf.Tensor) -> Shown:
        """Choose for this replica's part of the batch of a step; once the pool is full, every second picture.

        Args:
          step: number of the step in the phase, from 0 up: integer [].
          num_pictures: B, in this replica.
        """
        context = tf.distribute.get_replica_context()
        slots, swapped, _ = self._choices(step, num_pictures * context.num_replicas_in_sync)
        first = context.replica_id_in_sync_group * num_pictures
        own_slots, own_swapped = (values[first : first + num_pictures] for values in (slots, swapped))
        return Shown(tf.gather(self.pictures, own_slots), own_swapped[:, None, None, None])

    def keep(self, step: tf.Tensor, generated: tf.Tensor) -> None:
        """Put the step's generated pictures, float32 [B, S, S, 3] in each replica, where `recall` took others."""
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            generated = context.all_gather(generated, axis=0)
        slots, swapped, filling = self._choices(step, tf.shape(generated)[0])
        kept = tf.where((swapped | filling)[:, None, None, None], generated, tf.gather(self.pictures, slots))
        self.pictures.assign(tf.tensor_scatter_nd_update(self.pictures, slots[:, None], kept))

    def _choices(self, step: tf.Tensor, batch_size: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """(slots, whether each is swapped, whether each is filled): [batch_size] each, the slots all different."""
        seed = tf.stack([tf.constant(self._seed, tf.int64), tf.cast(step, tf.int64)])
        first = tf.cast(step, tf.int32) * batch_size
        numbers = first + tf.range(batch_size)
        is_full = first >= self._size
        shuffled = tf.random.experimental.stateless_shuffle(tf.range(self._size), seed)[:batch_size]
        slots = tf.where(is_full, shuffled, numbers % self._size)
        swapped = is_full & (tf.random.stateless_uniform([batch_size], tf.roll(seed, 1, 0)) < 0.5)
        return slots, swapped, numbers < self._size
