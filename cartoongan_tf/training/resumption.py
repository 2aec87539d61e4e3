"""Where a run goes on: from which step, with phases of which length, and what has changed since it was trained last."""

import dataclasses

from cartoongan_tf.base.options import read_flagfile_values
from cartoongan_tf.training import run_record, schedule
from cartoongan_tf.training.checkpoints import find_newest_whole, read_optimizer_steps
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.optimizers import ConstantThenLinear
from cartoongan_tf.training.run_folder import RunFolder
from cartoongan_tf.training.schedule import ADVERSARIAL, INITIALIZATION, WARMUP, PhaseLength, Schedule

# The optimizer of `Networks` that each phase takes its steps with.
_OPTIMIZERS = {
    INITIALIZATION: "initialization_optimizer",
    WARMUP: "warmup_optimizer",
    ADVERSARIAL: "generator_optimizer",
}
_SPOKEN = {INITIALIZATION: "initialization", WARMUP: "the warm-up", ADVERSARIAL: "adversarial training"}


@dataclasses.dataclass(frozen=True)
class Resumption:
    """The beginning of a run, or of its next part.

    Attributes:
      schedule: from here on.
      step: steps done; 0: it begins.
      before: the schedule of the part before; None: it begins.
      has_other_data: whether the data are not those of the part before.
    """

    schedule: Schedule
    step: int = 0
    before: Schedule | None = None
    has_other_data: bool = False

    def list_changes(self, run_dir: str, data_dir: str) -> list[str]:
        """Say what has changed, in sentences; there are none where nothing has."""
        if self.before is None:
            return []
        other_data = [_say_other_data(self.before, self.schedule, run_dir, data_dir)] if self.has_other_data else []
        return other_data + _say_rates(self.before, self.schedule)


def find_resumption(folder: RunFolder, config: TrainConfig, steps_per_epoch: int) -> Resumption:
    """Look at a run's folder, without changing anything in it.

    What is done is read from the newest whole checkpoint: its optimizers count their steps.

    Args:
      folder: of the run.
      config: its recipe of now.
      steps_per_epoch: batches in a pass over the photos of now.
    """
    newest = find_newest_whole(folder.checkpoints)
    if newest is None:
        return Resumption(schedule.plan(config, steps_per_epoch))
    step, path = newest
    taken = read_optimizer_steps(path)
    done = {phase: taken.get(optimizer, 0) for phase, optimizer in _OPTIMIZERS.items()}
    is_other = run_record.data_changed(folder.record, config.data_dir)
    before = schedule.read(folder.schedule)
    if before is None:
        same = steps_per_epoch if is_other is False else None
        batches = same or schedule.guess_steps_per_epoch(done, config) or steps_per_epoch
        before = schedule.plan(_config_before(folder, config), batches)
    after = schedule.plan_rest(before, done, config, steps_per_epoch)
    return Resumption(after, step, before, bool(is_other) or before.steps_per_epoch != steps_per_epoch)


def _config_before(folder: RunFolder, config: TrainConfig) -> TrainConfig:
    """Put the epochs and rates of run.flags, which the part before was trained with, into the recipe."""
    try:
        values = read_flagfile_values(folder.flags)
        names = [name for name in values if name.endswith(("_epochs", "_learning_rate")) and hasattr(config, name)]
        return dataclasses.replace(config, **{name: type(getattr(config, name))(values[name]) for name in names})
    except (OSError, ValueError):
        return config


def _say_other_data(before: Schedule, after: Schedule, run_dir: str, data_dir: str) -> str:
    batches = ""
    if before.steps_per_epoch != after.steps_per_epoch:
        batches = f": {after.steps_per_epoch:,} batches an epoch where there were {before.steps_per_epoch:,}"
    phase = after.in_hand
    ahead = _say_length(before.phase(phase.name), phase) if phase else "and that is all that was asked for"
    return (
        f"{data_dir}: not the data that {run_dir} was last trained on{batches}. What is done stays done, {ahead}. "
        "The run cannot be repeated from its flags."
    )


def _say_length(before: PhaseLength, now: PhaseLength) -> str:
    length = f"has {now.steps:,} steps"
    if before.steps != now.steps:
        length = f"now has {now.steps:,} steps, not {before.steps:,}"
    return f"and {_SPOKEN[now.name]}, of which {now.done:,} are done, {length}"


def _say_rates(before: Schedule, after: Schedule) -> list[str]:
    """Say it where the rates of the phase in hand jump up, as they do when a decay is begun again."""
    now = after.in_hand
    if now is None or not now.done:
        return []
    fallen_to, begin_at = _compute_share(before.phase(now.name), now.done), _compute_share(now, now.done)
    if begin_at <= fallen_to + 1 / max(now.decay_steps, 1):  # a step's worth is rounding
        return []
    fallen, begun = _format_rates(before.phase(now.name), fallen_to), _format_rates(now, begin_at)
    return [f"The learning rates had fallen to {fallen}; they start again at {begun}."]


def _compute_share(phase: PhaseLength, step: int) -> float:
    return float(ConstantThenLinear(1.0, phase.steps - phase.decay_steps, phase.decay_steps)(step))


def _format_rates(phase: PhaseLength, share: float) -> str:
    rates = {name: f"{rate * share:.3g}" for name, rate in phase.learning_rates.items()}
    if len(set(rates.values())) == 1:
        return next(iter(rates.values()))
    return " and ".join(f"{rate} ({name})" for name, rate in rates.items())
