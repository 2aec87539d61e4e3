"""Adam on pixels or features, for methods that optimise each picture anew (theirs is L-BFGS)."""

from collections.abc import Callable

import keras
import tensorflow as tf

from cartoongan_tf.training.optimizers import ConstantThenLinear


class Descent:
    """A tensor on its way downhill; the rate falls linearly to 0 in the second half.

    Attributes:
      values: where it is, a float32 tf.Variable.
    """

    def __init__(self, loss: Callable[[tf.Tensor], tf.Tensor], start: tf.Tensor, num_steps: int, learning_rate: float):
        """
        Args:
          loss: of such a tensor, float32 []; what it takes of variables may change between calls of `go`.
          start: float32, of any shape.
          num_steps: of Adam, in all.
          learning_rate: about how far an element moves in a step.
        """
        self.values = tf.Variable(start)
        rate = ConstantThenLinear(learning_rate, num_steps - num_steps // 2, num_steps // 2)
        optimizer = keras.optimizers.Adam(rate)
        optimizer.build([self.values])

        @tf.function
        def go(steps):
            for _ in tf.range(steps):
                with tf.GradientTape() as tape:
                    value = loss(self.values)
                optimizer.apply_gradients([(tape.gradient(value, self.values), self.values)])

        self._go = go

    def go(self, num_steps: int) -> tf.Tensor:
        """Do so many steps; the values after them."""
        self._go(tf.constant(num_steps))
        return tf.convert_to_tensor(self.values)


def minimise(
    loss: Callable[[tf.Tensor], tf.Tensor], start: tf.Tensor, num_steps: int, learning_rate: float
) -> tf.Tensor:
    """The whole way of a `Descent`: float32, of the start's shape."""
    return Descent(loss, start, num_steps, learning_rate).go(num_steps)
