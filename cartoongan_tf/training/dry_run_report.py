"""The report of --dry_run: the time that training will take, and the space that it needs on disk and in memory.

Knows nothing of the training loop: it is given sizes, and functions to time.
"""

import math
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import tensorflow as tf

from cartoongan_tf.base import atomic, memory

_OTHER_BYTES = 200_000_000  # for samples and TensorBoard's curves of a long run
_MEMORY_MARGIN = 1.1  # times the peak of a few steps, as a run also reads data ahead and writes checkpoints
_DISK_ADVICE = "Make room, lower --keep_checkpoints, raise --keep_every_steps, or name a --run_dir on another disk."
MEMORY_ADVICE = "Lower --batch_size or --crop_size, or train a smaller network (--generator_width)."


class Room(NamedTuple):
    """The space needed and available on a disk or in a memory.

    Attributes:
      place: name of the disk or memory.
      needed: number of bytes that the training takes, in all.
      available: number of bytes that it can have; None: unknown.
    """

    place: str
    needed: int
    available: int | None

    @property
    def is_short(self) -> bool:
        return self.available is not None and self.needed > self.available


class StepTime(NamedTuple):
    """The seconds of the first step, which traces and compiles, and of a later one."""

    first_secs: float
    step_secs: float


class PhaseEstimate(NamedTuple):
    """The steps to come in a phase of training, and the time of one."""

    name: str
    num_steps: int
    time: StepTime

    @property
    def secs(self) -> float:
        """The seconds of all its steps, without checkpoints."""
        return self.time.first_secs + self.num_steps * self.time.step_secs if self.num_steps else 0.0


class CheckpointEstimate(NamedTuple):
    """The number of checkpoints to come, and the seconds of one, with its samples and its validation."""

    number: int
    checkpoint_secs: float

    @property
    def secs(self) -> float:
        return self.number * self.checkpoint_secs


def variable_bytes(trackables: Iterable[Any]) -> int:
    """Return the size of a checkpoint of Keras models and optimizers, tf.Modules and tf.Variables."""
    sizes = {}
    for trackable in trackables:
        for variable in getattr(trackable, "variables", [trackable]):
            sizes[id(variable)] = math.prod(variable.shape) * tf.as_dtype(variable.dtype).size
    return sum(sizes.values())


def disk_check(
    folder: str | os.PathLike, checkpoint_bytes: int, keep_checkpoints: int, generator_bytes: int, num_kept: int
) -> Room:
    """Return the space that a run takes on disk from its start to its end; its own files count as available.

    Args:
      folder: folder of the run; it need not exist yet.
      checkpoint_bytes: size of one checkpoint.
      keep_checkpoints: number of newest checkpoints that are kept.
      generator_bytes: size of generator.keras.
      num_kept: number of checkpoints that are kept for good.
    """
    folder = Path(os.path.realpath(folder))
    existing = atomic.nearest_existing(folder)
    # One checkpoint and one generator more than are kept: a file is written beside the one that it replaces.
    needed = (keep_checkpoints + num_kept + 1) * checkpoint_bytes + 2 * generator_bytes + _OTHER_BYTES
    written = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Room(f"disk of {existing}", needed, shutil.disk_usage(existing).free + written)


def memory_check() -> list[Room]:
    """Return the space needed in each GPU's memory and in the machine's. Call it after the costly steps.

    It is the peak so far, with a margin.
    """
    gpus = [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices("GPU")]
    gpu_bytes = _gpu_bytes() if gpus else None
    rooms = []
    for gpu in gpus:
        peak_bytes = tf.config.experimental.get_memory_info(gpu)["peak"]
        rooms.append(Room(f"memory of {gpu}", int(_MEMORY_MARGIN * peak_bytes), gpu_bytes))
    # This process can keep the memory that it uses now, beside the memory that is free.
    machine_bytes = memory.available_bytes() + psutil.Process().memory_info().rss
    rooms.append(Room("memory of this machine", int(_MEMORY_MARGIN * memory.peak_bytes()), machine_bytes))
    return rooms


def _gpu_bytes() -> int | None:
    """Return the memory of the smallest GPU, by the driver's tool; None if that fails.

    TensorFlow itself only knows its own share.
    """
    command = ("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
        return min(int(line) for line in text.split()) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def time_steps(run_step: Callable[[], None], least_secs: float, most_steps: int) -> StepTime:
    """Time a first step, and the mean of the steps after it. Waiting for data now and then is part of the mean.

    Args:
      run_step: function that runs a step and waits for its result.
      least_secs: least seconds for the steps after the first, as the first ones find data read ahead. At least two
        steps are timed, however long they take.
      most_steps: greatest number of steps after the first.
    """
    times = [_secs(run_step)]
    while len(times) < 3 or (sum(times[1:]) < least_secs and len(times) <= most_steps):
        times.append(_secs(run_step))
    return StepTime(times[0], statistics.mean(times[1:]))


def _secs(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def report(
    data: str,
    phases: Sequence[PhaseEstimate],
    checkpoints: CheckpointEstimate,
    rooms: Sequence[Room],
    advice: Sequence[str] = (),
) -> str:
    """Return the report as text, warnings last.

    Args:
      data: description of the records, one line.
      phases: phases in their order; those without steps are skipped.
      checkpoints: checkpoints of all phases.
      rooms: results of `disk_check` and `memory_check`.
      advice: reasons why training is slow, each with the flag that helps.
    """
    total = duration(sum(phase.secs for phase in phases) + checkpoints.secs)
    lines = [
        f"Data: {data}",
        "",
        f"{'phase':<16}{'steps':>10}{'first step, s':>15}{'others, s':>12}{'hours':>9}",
        *(_phase_row(phase) for phase in phases if phase.num_steps),
        f"{'checkpoints':<16}{checkpoints.number:>10,}{'':>15}{checkpoints.checkpoint_secs:>12.3f}"
        f"{checkpoints.secs / 3600:>9.1f}",
        f"Training takes about {total} on this machine.",
        *(f"WARNING: {sentence}." for sentence in advice),
        "",
        *(_room_line(room) for room in rooms),
    ]
    warnings = [_warning(room) for room in rooms if room.is_short]
    return "\n".join(lines + warnings)


def _phase_row(phase: PhaseEstimate) -> str:
    times = f"{phase.time.first_secs:>15.1f}{phase.time.step_secs:>12.3f}{phase.secs / 3600:>9.1f}"
    return f"{phase.name:<16}{phase.num_steps:>10,}{times}"


def duration(secs: float) -> str:
    """Return a duration in its two largest units: "5 days and 1 hour", "3 hours and 20 minutes", "40 seconds"."""
    units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    largest = next((index for index, (_, unit_secs) in enumerate(units) if secs >= unit_secs), len(units) - 1)
    smallest = min(largest + 1, len(units) - 1)
    _, smallest_secs = units[smallest]
    left = round(secs / smallest_secs) * smallest_secs
    parts = []
    for name, unit_secs in units:
        number, left = divmod(left, unit_secs)
        if number:
            parts.append(f"{number} {name}{'' if number == 1 else 's'}")
    return " and ".join(parts) or "0 seconds"


def _room_line(room: Room) -> str:
    limit = "" if room.available is None else f" of {_gigabytes(room.available)} that it can have"
    return f"{room.place[0].upper()}{room.place[1:]}: training takes {_gigabytes(room.needed)}{limit}."


def _gigabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:,.{0 if num_bytes >= 1e11 else 1}f} GB"


def _warning(room: Room) -> str:
    advice = _DISK_ADVICE if room.place.startswith("disk") else MEMORY_ADVICE
    return f"WARNING: the {room.place} is short by {_gigabytes(room.needed - (room.available or 0))}. {advice}"
