"""The scalars of a run, from the device to the progress bar and to TensorBoard."""

import contextlib
import math
import sys
import time
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.training.checkpoints import NOT_FINITE_ADVICE

Values = dict[str, float]


class Window:
    """The scalars of the steps since the last summary, and the time that they took."""

    def __init__(self, phase_name: str):
        self._phase_name = phase_name
        self._pending: list[tuple[int, dict[str, tf.Tensor]]] = []
        self._open()

    def _open(self) -> None:
        self._values: dict[str, list[float]] = {}
        self._num_images = 0
        self._began = time.monotonic()

    def add(self, first_step: int, scalars: dict[str, tf.Tensor], num_images: int) -> None:
        """Add the scalars of consecutive steps, float32 [steps] each, without waiting for the device."""
        self._pending.append((first_step, scalars))
        self._num_images += num_images

    def fetch(self) -> Values:
        """Wait for the scalars that were added, and return the newest values.

        Raises:
          InputError: a scalar is not finite; the message names the first such step.
        """
        for first_step, scalars in self._pending:
            values = {name: tensor.numpy() for name, tensor in scalars.items()}
            _require_finite(values, first_step, self._phase_name)
            for name, values_of_steps in values.items():
                self._values.setdefault(name, []).extend(values_of_steps.tolist())
        self._pending.clear()
        return {name: values_of_steps[-1] for name, values_of_steps in self._values.items()}

    def close(self) -> Values:
        """Return the means of the scalars fetched, with images per second, and open a new window."""
        means = {}
        for name, values_of_steps in self._values.items():
            means[name] = math.fsum(values_of_steps) / len(values_of_steps)
        means["images_per_second"] = self._num_images / max(time.monotonic() - self._began, 1e-9)
        self._open()
        return means

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Exclude the time of the block."""
        began = time.monotonic()
        yield
        self._began += time.monotonic() - began


def _require_finite(values: dict[str, np.ndarray], first_step: int, phase_name: str) -> None:
    is_finite = np.logical_and.reduce([np.isfinite(values_of_steps) for values_of_steps in values.values()])
    if is_finite.all():
        return
    index = int(np.argmin(is_finite))
    values_at_step = {name: values_of_steps[index] for name, values_of_steps in values.items()}
    terms = [f"{name} is {value}" for name, value in values_at_step.items() if not np.isfinite(value)]
    raise InputError(
        f"{', '.join(terms)} at step {first_step + index + 1} of the run ({phase_name}). {NOT_FINITE_ADVICE}"
    )


def show(progress: Bar, values: Values, batch_size: int) -> None:
    """Show the newest values beside a progress bar, without gradient norms."""
    steps_per_second = progress.format_dict["rate"] or 0.0
    texts = {"images/s": f"{steps_per_second * batch_size:.3g}"}
    for name, value in values.items():
        if not name.endswith("_gradient_norm"):
            texts[name.removesuffix("_loss")] = f"{value:.3g}"
    progress.set_postfix(texts, refresh=False)


def write(values: Values, phase_name: str, step: int) -> None:
    """Write points of TensorBoard's curves to the default writer. If the disk is full, they are lost."""
    with surviving_a_full_disk(step):
        for name, value in values.items():
            tf.summary.scalar(f"{phase_name}/{name}", value, step=step)


@contextlib.contextmanager
def surviving_a_full_disk(step: int) -> Iterator[None]:
    """Report it if TensorBoard's files cannot be written in the block, and continue."""
    try:
        yield
    except tf.errors.OpError as error:
        tqdm.write(f"Step {step}: its curves are not written: {error.message.splitlines()[0]}", file=sys.stderr)
