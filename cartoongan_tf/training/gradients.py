"""Losses of one pass, their gradients, and the updates that follow; shared by all training steps."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

Batch = Mapping[str, tf.Tensor]
Scalars = dict[str, tf.Tensor]


class Losses(NamedTuple):
    """Of one pass.

    Attributes:
      objectives: by the name of the network that minimises each.
      scalars: to report, by name.
      generated: float32 RGB [B, S, S, 3] in [-1, 1], where a generator ran.
    """

    objectives: Scalars
    scalars: Scalars
    generated: tf.Tensor | None = None


def with_gradients(compute_losses: Callable[..., Losses], networks: Any, jit_compile: bool) -> Callable:
    """Make of a function of losses one that returns (the Losses, {network's name: its gradients}).

    Args:
      compute_losses: its objectives name networks.
      networks: has these as attributes: Keras models.
      jit_compile: compile it by XLA; updates stay outside of it, as they speak to other replicas.
    """

    def compute(*inputs):
        with tf.GradientTape(persistent=True) as tape:
            found = compute_losses(*inputs)
        models = {name: getattr(networks, name) for name in found.objectives}
        return found, {
            name: tape.gradient(found.objectives[name], model.trainable_variables) for name, model in models.items()
        }

    return tf.function(compute, jit_compile=True) if jit_compile else compute


def update(networks, optimizers: Mapping[str, keras.optimizers.Optimizer], gradients: Mapping[str, list]) -> Scalars:
    """Apply the gradients of each named network; return their norms, as "generator_gradient_norm" and the like."""
    for name, optimizer in optimizers.items():
        variables = getattr(networks, name).trainable_variables
        optimizer.apply_gradients(zip(gradients[name], variables, strict=True))
    return {f"{name}_gradient_norm": tf.linalg.global_norm(each) for name, each in gradients.items()}


def average(per_example: tf.Tensor, batch_size: int) -> tf.Tensor:
    """This replica's share of the average over a global batch: float32 [B] -> []."""
    return tf.nn.compute_average_loss(per_example, global_batch_size=batch_size)


def mean_logit(logits: tf.Tensor) -> tf.Tensor:
    """Of each picture: [B, h, w, 1] -> float32 [B]."""
    return tf.reduce_mean(tf.cast(logits, tf.float32), axis=[1, 2, 3])
