"""Adam on pixels or features, for methods that optimise each picture; the published ones use L-BFGS."""

from collections.abc import Callable

import keras
import tensorflow as tf

from cartoongan_tf.training.optimizers import ConstantThenLinear


class Descent:
    """The optimisation of one tensor by Adam, whose rate falls linearly to 0 in the second half.

    Attributes:
      values: the tensor, a float32 tf.Variable.
    """

    def __init__(self, loss: Callable[[tf.Tensor], tf.Tensor], start: tf.Tensor, num_steps: int, learning_rate: float):
        """
        Args:
          loss: function of such a tensor, float32 []. Variables that it reads may change between calls of `run`.
          start: float32, of any shape.
          num_steps: number of steps in total.
          learning_rate: how far an element moves in a step, roughly.
        """
        self.values = tf.Variable(start)
        num_decay_steps = num_steps // 2
        rate = ConstantThenLinear(learning_rate, num_steps - num_decay_steps, num_decay_steps)
        self._optimizer = keras.optimizers.Adam(rate)
        self._optimizer.build([self.values])
        self._loss = loss

    def run(self, num_steps: int) -> tf.Tensor:
        """Do some of the steps; return the tensor."""
        self._run(tf.constant(num_steps))
        return tf.convert_to_tensor(self.values)

    @tf.function
    def _run(self, num_steps: tf.Tensor) -> None:
        for _ in tf.range(num_steps):
            with tf.GradientTape() as tape:
                value = self._loss(self.values)
            gradient = tape.gradient(value, self.values)
            self._optimizer.apply_gradients([(gradient, self.values)])


def minimise(
    loss: Callable[[tf.Tensor], tf.Tensor], start: tf.Tensor, num_steps: int, learning_rate: float
) -> tf.Tensor:
    """Do all steps of a `Descent`; return the tensor, float32 of the start's shape."""
    return Descent(loss, start, num_steps, learning_rate).run(num_steps)
