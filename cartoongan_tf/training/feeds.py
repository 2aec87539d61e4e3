"""The batches of a run, and their distribution over workers and devices."""

import dataclasses
from collections.abc import Callable, Iterator

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Feeds:
    """The sources of training and validation batches.

    Attributes:
      training: function of (number of the first batch, number of workers, number of this worker) that returns an
        endless dataset: this worker's part of each batch.
      batch_size: number of examples in a batch, over all workers.
      validation: function of (number of workers, number of this worker) that returns this worker's part of the
        held-out batches, which have the same size and are the same ones each time; None: no validation.
    """

    training: Callable[[int, int, int], tf.data.Dataset]
    batch_size: int
    validation: Callable[[int, int], tf.data.Dataset] | None = None

    def distribute_training(self, strategy: tf.distribute.Strategy, first_batch: int) -> Iterator:
        """Return the training batches from `first_batch` on, each split over the replicas."""
        # Without a known cardinality, workers would ask one another before each step whether there is a batch.
        endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)

        def batches_of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            batches = self.training(first_batch, context.num_input_pipelines, context.input_pipeline_id)
            return self._split(batches.apply(endless), context)

        return iter(strategy.distribute_datasets_from_function(batches_of_worker))

    def distribute_validation(self, strategy: tf.distribute.Strategy) -> tf.distribute.DistributedDataset:
        """Return the validation batches, each split over the replicas; `validation` must not be None."""
        validation = self.validation
        assert validation is not None

        def batches_of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            batches = validation(context.num_input_pipelines, context.input_pipeline_id)
            return self._split(batches, context)

        return strategy.distribute_datasets_from_function(batches_of_worker)

    def _split(self, batches: tf.data.Dataset, context: tf.distribute.InputContext) -> tf.data.Dataset:
        """Split a worker's part of each batch into the parts of its replicas."""
        return batches.rebatch(context.get_per_replica_batch_size(self.batch_size))
