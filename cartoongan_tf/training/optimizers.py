"""Adam with the settings of the authors' code, and their schedule: a constant rate, then a linear fall to 0.

A network without norms needs smaller steps than Adam's where gradients grow suddenly: `ClippedAdam` clips them.
"""

import keras
from keras import ops

ADAM_BETAS = (0.5, 0.999)
ADAM_EPSILON = 1e-8  # Torch's default


def build_adam(
    model: keras.Model, learning_rate: float, num_steps: int, num_decay_steps: int, update_clipping: float = 0.0
) -> keras.optimizers.Optimizer:
    """Build the optimizer of a model for one phase of training.

    Args:
      model: model whose variables it trains.
      learning_rate: rate before it falls.
      num_steps: number of steps in the phase; the rate is 0 after it.
      num_decay_steps: number of last steps in which the rate falls linearly to 0. If there are more than `num_steps`,
        the rate starts as far down as if the steps missing had been done before.
      update_clipping: threshold of `ClippedAdam`; 0: Adam as the authors use it.
    """
    schedule = ConstantThenLinear(learning_rate, num_steps - num_decay_steps, num_decay_steps)
    optimizer = ClippedAdam(update_clipping, schedule, *ADAM_BETAS, epsilon=ADAM_EPSILON)
    optimizer.build(model.trainable_variables)
    return optimizer


@keras.saving.register_keras_serializable(package="cartoongan_tf")
class ClippedAdam(keras.optimizers.Adam):
    """Adam whose updates are clipped (Shazeer and Stern 2018, section 5; not in the paper).

    Adam divides a gradient by its usual size, the root of a slow mean of its squares. After a sudden growth that mean
    is too low, and the step is up to thirty times as large as the learning rate. Here the rate of a variable is divided
    by the root mean square of its gradient in usual sizes, where that exceeds the threshold. That gradient is the sum
    over all replicas; Keras's own clipping sees each replica's part alone (findings/).
    """

    def __init__(self, update_clipping: float, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.update_clipping = update_clipping

    def update_step(self, gradient, variable, learning_rate):
        if self.update_clipping:
            excess = self._relative_size(gradient, variable) / self.update_clipping
            learning_rate = learning_rate / ops.maximum(excess, 1.0)
        super().update_step(gradient, variable, learning_rate)

    def _relative_size(self, gradient, variable):
        """Return the root mean square of a gradient by its usual size: 1 where it is as it was, float32 []."""
        squares = ops.square(ops.cast(gradient, variable.dtype))
        mean_squares = self._velocities[self._get_variable_index(variable)]
        mean_squares = mean_squares + (squares - mean_squares) * (1 - self.beta_2)
        step = ops.cast(self.iterations + 1, variable.dtype)
        unbiased = mean_squares / (1 - ops.power(ops.cast(self.beta_2, variable.dtype), step))
        return ops.sqrt(ops.mean(squares / ops.maximum(unbiased, self.epsilon**2)))

    def get_config(self):
        return {**super().get_config(), "update_clipping": self.update_clipping}


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
