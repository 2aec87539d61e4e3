import pytest
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.training.scalars import Window


def test_the_first_step_that_is_not_finite_is_named():
    window = Window("adversarial")
    window.add(10, {"content_loss": tf.constant([1.0, 2.0]), "generator_loss": tf.constant([1.0, 1.0])}, 4)
    window.add(12, {"content_loss": tf.constant([1.0, float("nan")]), "generator_loss": tf.constant([1.0, 1.0])}, 4)
    with pytest.raises(InputError, match=r"content_loss is nan at step 14 of the run"):
        window.fetch()
