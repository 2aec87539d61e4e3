"""The steps of a run at which its losses are read, its curves get a point, and a checkpoint is written."""

import dataclasses
from typing import NamedTuple

FETCH_EVERY_STEPS = 10  # steps between two readings of the losses: each reading waits for the device


class Due(NamedTuple):
    """The work that is due after a call of steps, in the order in which it is done.

    Attributes:
      fetch: whether to read the scalars from the device.
      summary: whether to write points of the curves.
      checkpoint: whether to write a checkpoint.
    """

    fetch: bool
    summary: bool
    checkpoint: bool


@dataclasses.dataclass(frozen=True)
class Cadence:
    """The number of steps between checkpoints, between summaries, and in a call of TensorFlow."""

    checkpoint_every_steps: int
    summary_every_steps: int
    steps_per_call: int = 1

    def steps_in_next_call(self, done: int, end: int) -> int:
        """Return the number of steps to run next: a call ends at a checkpoint at the latest, and at step `end`."""
        steps_to_checkpoint = self.checkpoint_every_steps - done % self.checkpoint_every_steps
        return min(self.steps_per_call, steps_to_checkpoint, end - done)

    def due(self, done: int, num_steps: int, is_last: bool) -> Due:
        """Return what is due after step `done`, the last one of a call of `num_steps`.

        Args:
          done: number of steps of the run done so far.
          num_steps: number of steps in the call.
          is_last: whether the phase or the run ends here; then everything is due.
        """
        summary = is_last or _has_passed_multiple(self.summary_every_steps, done, num_steps)
        checkpoint = is_last or done % self.checkpoint_every_steps == 0
        fetch = summary or checkpoint or _has_passed_multiple(FETCH_EVERY_STEPS, done, num_steps)
        return Due(fetch, summary, checkpoint)


def _has_passed_multiple(every_steps: int, done: int, num_steps: int) -> bool:
    """Return whether a multiple of `every_steps` is among the last `num_steps` steps."""
    return (done - num_steps) // every_steps < done // every_steps
