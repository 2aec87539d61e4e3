"""A training or validation step as a TensorFlow graph over all replicas.

Knows nothing of the networks: a step is any function of a batch that returns scalars. A step has no Python `if` or
`while` on tensors, so nothing is given to AutoGraph, whose conversion takes seconds at the start.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

# A function of a replica's part of a batch. It returns float32 scalars by name, whose sums over the replicas count.
Step = Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]


def switch_remapper_off() -> None:
    """Switch off Grappler's remapper: it gives up on the gradient of LeakyReLU, with an error line and no gain."""
    tf.config.optimizer.set_experimental_options({"remapping": False})


def several_steps(
    step: Step, batches: Iterator, strategy: tf.distribute.Strategy
) -> Callable[[int], dict[str, tf.Tensor]]:
    """Trace a step, and return a function that runs so many more steps in one call of TensorFlow.

    Args:
      step: the step in a replica.
      batches: distributed batches, as many as there will be steps.
      strategy: the strategy whose replicas share each batch.

    Returns:
      a function of the number of steps that returns {name: float32 [number of steps]}.
    """
    run_step = _on_all_replicas(step, strategy)

    @tf.function(autograph=False)
    def next_step(batches):
        """Run the step on the next batch."""
        return run_step(next(batches))

    names = next_step.get_concrete_function(batches).structured_outputs
    signature = {name: tf.TensorSpec([], tf.float32) for name in names}

    @tf.function(autograph=False)
    def run_steps(batches, num_steps):
        """Run steps one after the other, without returning to Python in between."""
        return tf.map_fn(
            lambda _: next_step(batches), tf.range(num_steps), fn_output_signature=signature, parallel_iterations=1
        )

    return lambda num_steps: run_steps(batches, tf.constant(num_steps))


def mean_over_batches(
    step: Step, batches: Iterable, strategy: tf.distribute.Strategy
) -> Callable[[], dict[str, float]]:
    """Return a function that runs a step on each of a few batches and averages its scalars.

    Args:
      step: the step in a replica.
      batches: distributed batches, the same ones at each iteration.
      strategy: the strategy whose replicas share each batch.
    """
    run_step = tf.function(_on_all_replicas(step, strategy), autograph=False)

    def run_on_all_batches() -> dict[str, float]:
        scalars = [run_step(batch) for batch in batches]
        means = {}
        for name in scalars[0]:
            means[name] = float(np.mean([of_batch[name] for of_batch in scalars]))
        return means

    return run_on_all_batches


def _on_all_replicas(step: Step, strategy: tf.distribute.Strategy) -> Callable:
    """Return a function of a distributed batch that runs a step in all replicas and sums its scalars."""

    def step_with_sums(batch):
        """Run the step in a replica; sum all scalars as one vector, since each sum is a message between devices."""
        scalars = step(batch)
        vector = tf.stack(list(scalars.values()))
        sums = tf.distribute.get_replica_context().all_reduce("SUM", vector)
        return dict(zip(scalars, tf.unstack(sums), strict=True))

    def run_step(batch):
        sums = strategy.run(step_with_sums, args=(batch,))
        return {name: strategy.experimental_local_results(copies)[0] for name, copies in sums.items()}

    return run_step
