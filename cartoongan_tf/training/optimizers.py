"""Adam with the settings of the authors' code, and their schedule: a constant rate, then a linear fall to 0."""

import keras
from keras import ops

ADAM_BETAS = (0.5, 0.999)
ADAM_EPSILON = 1e-8  # Torch's default


def build_adam(
    model: keras.Model, learning_rate: float, num_steps: int, num_decay_steps: int
) -> keras.optimizers.Optimizer:
    """Build the optimizer of a model for one phase of training.

    Args:
      model: model whose variables it trains.
      learning_rate: rate before it falls.
      num_steps: number of steps in the phase; the rate is 0 after it.
      num_decay_steps: number of last steps in which the rate falls linearly to 0. If there are more than `num_steps`,
        the rate starts as far down as if the steps missing had been done before.
    """
    schedule = ConstantThenLinear(learning_rate, num_steps - num_decay_steps, num_decay_steps)
    optimizer = keras.optimizers.Adam(schedule, *ADAM_BETAS, epsilon=ADAM_EPSILON)
    optimizer.build(model.trainable_variables)
    return optimizer


@keras.saving.register_keras_serializable(package="cartoongan_tf")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that is constant for `constant_steps`, then falls linearly to 0 over `decay_steps`.

    With a negative number of constant steps it falls from the first step, as if it had begun before.
    """

    def __init__(self, learning_rate: float, constant_steps: int, decay_steps: int):
        self.learning_rate = learning_rate
        self.constant_steps = constant_steps
        self.decay_steps = decay_steps

    def __call__(self, step):
        steps_into_decay = ops.maximum(ops.cast(step, "float32") - self.constant_steps, 0.0)
        return self.learning_rate * ops.maximum(1.0 - steps_into_decay / max(self.decay_steps, 1), 0.0)

    def get_config(self):
        return {
            "learning_rate": self.learning_rate,
            "constant_steps": self.constant_steps,
            "decay_steps": self.decay_steps,
        }
