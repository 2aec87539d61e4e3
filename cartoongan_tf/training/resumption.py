"""The point from which a run begins or resumes: its step, the lengths of its phases, and the changes since then."""

import dataclasses

from cartoongan_tf.base.options import read_flagfile_values
from cartoongan_tf.training import run_record, schedule
from cartoongan_tf.training.checkpoints import find_newest_complete, read_optimizer_steps
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.optimizers import ConstantThenLinear
from cartoongan_tf.training.run_folder import RunFolder
from cartoongan_tf.training.schedule import ADVERSARIAL, INITIALIZATION, WARMUP, PhaseLength, Schedule

# The optimizer of `Networks` that counts the steps of each phase.
_OPTIMIZERS = {
    INITIALIZATION: "initialization_optimizer",
    WARMUP: "warmup_optimizer",
    ADVERSARIAL: "generator_optimizer",
}
_SPOKEN = {INITIALIZATION: "initialization", WARMUP: "the warm-up", ADVERSARIAL: "adversarial training"}


@dataclasses.dataclass(frozen=True)
class Resumption:
    """The beginning of a run, or the point from which it resumes.

    Attributes:
      schedule: lengths of the phases from here on.
      step: number of steps done; 0 for a run that begins.
      before: schedule of the part before; None for a run that begins.
      has_other_data: whether the data differ from those of the part before.
    """

    schedule: Schedule
    step: int = 0
    before: Schedule | None = None
    has_other_data: bool = False

    def list_changes(self, run_dir: str, data_dir: str) -> list[str]:
        """List the changes since the part before, one sentence or paragraph each."""
        if self.before is None:
            return []
        changes = []
        if self.has_other_data:
            changes.append(_describe_other_data(self.before, self.schedule, run_dir, data_dir))
        return changes + _describe_rates(self.before, self.schedule)


def find_resumption(folder: RunFolder, config: TrainConfig, steps_per_epoch: int) -> Resumption:
    """Find the point from which a run resumes, without changing anything in its folder.

    The steps done are read from the newest complete checkpoint, whose optimizers count them.

    Args:
      folder: folder of the run.
      config: the present recipe.
      steps_per_epoch: number of batches in a pass over the present photos.
    """
    newest = find_newest_complete(folder.checkpoints)
    if newest is None:
        return Resumption(schedule.plan(config, steps_per_epoch))
    step, path = newest
    taken = read_optimizer_steps(path)
    done = {phase: taken.get(optimizer, 0) for phase, optimizer in _OPTIMIZERS.items()}
    has_other_data = run_record.data_changed(folder.record, config.data_dir)
    before = schedule.read(folder.schedule)
    if before is None:
        before = _guess_schedule(folder, config, done, steps_per_epoch, has_other_data)
    return Resumption(
        schedule=schedule.plan_rest(before, done, config, steps_per_epoch),
        step=step,
        before=before,
        has_other_data=bool(has_other_data) or before.steps_per_epoch != steps_per_epoch,
    )


def _guess_schedule(
    folder: RunFolder, config: TrainConfig, done: dict[str, int], steps_per_epoch: int, has_other_data: bool | None
) -> Schedule:
    """Return the schedule of a run that has no usable schedule.json, as far as it can be known."""
    if has_other_data is not False:  # which is None if unknown
        steps_per_epoch = schedule.guess_steps_per_epoch(done, config) or steps_per_epoch
    return schedule.plan(_config_before(folder, config), steps_per_epoch)


def _config_before(folder: RunFolder, config: TrainConfig) -> TrainConfig:
    """Return the recipe with the epochs and learning rates of run.flags, by which the part before was trained."""
    try:
        changes = {}
        for name, text in read_flagfile_values(folder.flags).items():
            if name.endswith(("_epochs", "_learning_rate")) and hasattr(config, name):
                changes[name] = type(getattr(config, name))(text)
        return dataclasses.replace(config, **changes)
    except (OSError, ValueError):
        return config


def _describe_other_data(before: Schedule, after: Schedule, run_dir: str, data_dir: str) -> str:
    batches = ""
    if before.steps_per_epoch != after.steps_per_epoch:
        batches = f": {after.steps_per_epoch:,} batches an epoch where there were {before.steps_per_epoch:,}"
    phase = after.current
    rest = _describe_length(before.phase(phase.name), phase) if phase else "and the run is finished"
    return (
        f"{data_dir}: not the data that {run_dir} was last trained on{batches}. Steps that are done stay done, {rest}. "
        "The run cannot be repeated from its flags."
    )


def _describe_length(before: PhaseLength, now: PhaseLength) -> str:
    length = f"has {now.steps:,} steps"
    if before.steps != now.steps:
        length = f"now has {now.steps:,} steps, not {before.steps:,}"
    return f"and {_SPOKEN[now.name]}, of which {now.done:,} are done, {length}"


def _describe_rates(before: Schedule, after: Schedule) -> list[str]:
    """Return a sentence if the learning rates of the current phase jump up, as they do if a decay starts again."""
    now = after.current
    if now is None or not now.done:
        return []
    earlier = before.phase(now.name)
    share_before = _remaining_share(earlier, now.done)
    share_now = _remaining_share(now, now.done)
    if share_now <= share_before + 1 / max(now.decay_steps, 1):  # a smaller difference comes from rounding
        return []
    rates_before = _format_rates(earlier, share_before)
    rates_now = _format_rates(now, share_now)
    return [f"The learning rates had fallen to {rates_before}; they start again at {rates_now}."]


def _remaining_share(phase: PhaseLength, step: int) -> float:
    """Return the share of the initial learning rate that is left after so many steps of a phase."""
    return float(ConstantThenLinear(1.0, phase.steps - phase.decay_steps, phase.decay_steps)(step))


def _format_rates(phase: PhaseLength, share: float) -> str:
    rates = {name: f"{rate * share:.3g}" for name, rate in phase.learning_rates.items()}
    if len(set(rates.values())) == 1:
        return next(iter(rates.values()))
    return " and ".join(f"{rate} ({name})" for name, rate in rates.items())
