"""The scalars of a run on their way from the device to the progress bar and TensorBoard."""

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
        self._num_images, self._began = 0, time.monotonic()

    def add(self, first_step: int, scalars: dict[str, tf.Tensor], num_images: int) -> None:
        """Take the scalars of steps, float32 [steps] each, as the device will have them."""
        self._pending.append((first_step, scalars))
        self._num_images += num_images

    def fetch(self) -> Values:
        """Wait for what was added, and return the newest values.

        Raises:
          InputError: one is not finite; the first of them is named.
        """
        for first_step, scalars in self._pending:
            values = {name: tensor.numpy() for name, tensor in scalars.items()}
            _require_finite(values, first_step, self._phase_name)
            for name, of_steps in values.items():
                self._values.setdefault(name, []).extend(of_steps.tolist())
        self._pending.clear()
        return {name: of_steps[-1] for name, of_steps in self._values.items()}

    def close(self) -> Values:
        """The means of what was fetched, with images a second; then begin anew."""
        seconds = max(time.monotonic() - self._began, 1e-9)
        means = {name: math.fsum(of_steps) / len(of_steps) for name, of_steps in self._values.items()}
        means["images_per_second"] = self._num_images / seconds
        self._open()
        return means

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time of the block out."""
        began = time.monotonic()
        yield
        self._began += time.monotonic() - began


def _require_finite(values: dict[str, np.ndarray], first_step: int, phase_name: str) -> None:
    finite = np.logical_and.reduce([np.isfinite(of_steps) for of_steps in values.values()])
    if finite.all():
        return
    index = int(np.argmin(finite))
    terms = [f"{name} is {of_steps[index]}" for name, of_steps in values.items() if not np.isfinite(of_steps[index])]
    raise InputError(
        f"{', '.join(terms)} at step {first_step + index + 1} of the run ({phase_name}). {NOT_FINITE_ADVICE}"
    )


def show(progress: Bar, values: Values, batch_size: int) -> None:
    """Put the newest values into a progress bar."""
    rate = progress.format_dict["rate"] or 0.0
    shown = {"images/s": f"{rate * batch_size:.3g}"}
    kept = {name: value for name, value in values.items() if not name.endswith("_gradient_norm")}
    shown |= {name.removesuffix("_loss"): f"{value:.3g}" for name, value in kept.items()}
    progress.set_postfix(shown, refresh=False)


def write(values: Values, phase_name: str, step: int) -> None:
    """Write points of TensorBoard's curves to the default writer; a full disk costs the points, not the run."""
    with surviving_a_full_disk(step):
        for name, value in values.items():
            tf.summary.scalar(f"{phase_name}/{name}", value, step=step)


@contextlib.contextmanager
def surviving_a_full_disk(step: int) -> Iterator[None]:
    """Where TensorBoard's files cannot be written in the block, say so and go on."""
    try:
        yield
    except tf.errors.OpError as error:
        tqdm.write(f"Step {step}: its curves are not written: {error.message.splitlines()[0]}", file=sys.stderr)
