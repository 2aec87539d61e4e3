"""A forward pass, its gradients, and the updates that follow; shared by all training steps."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

Batch = Mapping[str, tf.Tensor]
Scalars = dict[str, tf.Tensor]


class ForwardPass(NamedTuple):
    """The result of one forward pass through the networks.

    Attributes:
      objectives: loss to be minimised, by the name of the network that minimises it.
      scalars: scalars to report, by name.
      generated: generated pictures, float32 RGB [B, S, S, 3] in [-1, 1]; None if no generator ran.
    """

    objectives: Scalars
    scalars: Scalars
    generated: tf.Tensor | None = None


def with_gradients(run_forward: Callable[..., ForwardPass], networks: Any, jit_compile: bool) -> Callable:
    """Return a function that runs a forward pass and returns it with {network's name: its gradients}.

    Args:
      run_forward: the forward pass; its objectives name networks.
      networks: object that has these networks, Keras models, as attributes.
      jit_compile: whether to compile pass and gradients by XLA. Updates stay outside, as they cross replicas.
    """

    def run(*inputs):
        with tf.GradientTape(persistent=True) as tape:
            forward = run_forward(*inputs)
        gradients = {}
        for name, objective in forward.objectives.items():
            gradients[name] = tape.gradient(objective, getattr(networks, name).trainable_variables)
        return forward, gradients

    return tf.function(run, jit_compile=True, autograph=False) if jit_compile else run


def update(
    networks,
    optimizers: Mapping[str, keras.optimizers.Optimizer],
    gradients: Mapping[str, list],
    sent_as: str = "float32",
) -> Scalars:
    """Apply the gradients of each named network; return their norms, as "generator_gradient_norm" and the like.

    Args:
      networks: object that has these networks, Keras models, as attributes.
      optimizers: optimizers of the networks to update; each sums the gradients over all replicas first.
      gradients: this replica's part of each network's gradients.
      sent_as: number format in which the replicas send each other gradients, and add them; see `_to_send`.
    """
    for name, optimizer in optimizers.items():
        variables = getattr(networks, name).trainable_variables
        optimizer.apply_gradients(zip(_to_send(gradients[name], sent_as), variables, strict=True))
    norms = {}
    for name, gradients_of_network in gradients.items():
        norms[f"{name}_gradient_norm"] = tf.linalg.global_norm(gradients_of_network)
    return norms


def _to_send(gradients: list[tf.Tensor], number_format: str) -> list[tf.Tensor]:
    """Round gradients to the format in which replicas send them; a single replica sends none, and rounds none.

    An optimizer sums gradients in the format that they come in. Then it computes in that of the weights, float32.
    """
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return gradients
    return [tf.cast(gradient, number_format) for gradient in gradients]


def average(per_example: tf.Tensor, batch_size: int) -> tf.Tensor:
    """Return this replica's share of the average over a global batch: float32 [B] -> []."""
    return tf.nn.compute_average_loss(per_example, global_batch_size=batch_size)


def mean_logit(logits: tf.Tensor) -> tf.Tensor:
    """Return the mean logit of each picture: [B, h, w, K] -> float32 [B]."""
    return tf.reduce_mean(tf.cast(logits, tf.float32), axis=[1, 2, 3])
