"""Problems with a picture inside a graph: string scalars, of which "" is none.

A graph cannot catch an error. So all that may be wrong with a picture is computed, and only the signatures that refuse
a whole request raise it.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def unless(met: tf.Tensor, *message: str | tf.Tensor) -> tf.Tensor:
    """Return "" if a condition, a bool scalar, is met, else the message: text and numbers, joined."""
    texts = [item if isinstance(item, str) else tf.strings.as_string(item) for item in message]
    return tf.where(met, "", tf.strings.join(texts))


def first(*problems: tf.Tensor) -> tf.Tensor:
    """Return the first of several problems that is one; "" if none is."""
    found = problems[0]
    for problem in problems[1:]:
        found = tf.where(found == "", problem, found)
    return found


def require_none(problem: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Return `value`, in a graph that fails with INVALID_ARGUMENT before it uses the value if there is a problem."""
    with tf.control_dependencies([tf.debugging.Assert(problem == "", [problem])]):
        return tf.identity(value)


def attempt(function: Callable, argument: Any, otherwise: tf.Tensor) -> tf.Tensor:
    """Return `function(argument)`, or `otherwise` if an operator in the function fails.

    A dataset is the only place where a graph goes on after an error: `otherwise` is its second element, and the first
    that is there is taken.

    Args:
      function: function of a tensor, or of the items of a tuple.
      argument: a tensor, or a tuple of tensors.
      otherwise: a tensor of the function's dtype and rank.
    """
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False  # these take longer than most pictures
    options.autotune.enabled = False
    results = tf.data.Dataset.from_tensors(argument).map(tf.autograph.experimental.do_not_convert(function))
    results = results.ignore_errors().concatenate(tf.data.Dataset.from_tensors(otherwise)).take(1)
    return results.with_options(options).get_single_element()
