"""What --dry_run tells of a training before it begins: how long it will take, and whether disk and memory suffice.

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

_OTHER_BYTES = 200_000_000  # samples and TensorBoard's curves of a long run
_MEMORY_MARGIN = 1.1  # on the peak of a few steps: a run also reads data ahead and writes checkpoints
_DISK_ADVICE = "Make room, lower --keep_checkpoints, raise --keep_every_steps, or name a --run_dir on another disk."
MEMORY_ADVICE = "Lower --batch_size or --crop_size, or train a smaller network (--generator_width)."


class Room(NamedTuple):
    """Of a disk or of a memory.

    Attributes:
      place: what it is called.
      needed: bytes that the training takes, in all.
      available: bytes that it can have; None: not known.
    """

    place: str
    needed: int
    available: int | None

    @property
    def is_short(self) -> bool:
        return self.available is not None and self.needed > self.available


class StepTime(NamedTuple):
    """Seconds of the first call, which traces and compiles, and of a step after it."""

    first_secs: float
    step_secs: float


class PhaseEstimate(NamedTuple):
    """A phase of training: its name, its steps to come, and the time of one."""

    name: str
    num_steps: int
    time: StepTime

    @property
    def secs(self) -> float:
        """The time of all its steps, without checkpoints."""
        return self.time.first_secs + self.num_steps * self.time.step_secs if self.num_steps else 0.0


class CheckpointEstimate(NamedTuple):
    """The number of checkpoints to come, and the seconds of one: samples and held-out losses included."""

    number: int
    each_secs: float

    @property
    def secs(self) -> float:
        return self.number * self.each_secs


def variable_bytes(trackables: Iterable[Any]) -> int:
    """The size of what a checkpoint of these holds: Keras models and optimizers, tf.Modules and tf.Variables."""
    variables = (each for item in trackables for each in getattr(item, "variables", [item]))
    unique = {id(each): each for each in variables}
    return sum(math.prod(each.shape) * tf.as_dtype(each.dtype).size for each in unique.values())


def disk_check(
    folder: str | os.PathLike, checkpoint_bytes: int, keep_checkpoints: int, generator_bytes: int, num_kept: int
) -> Room:
    """What a run takes on disk from its start to its end, and what is free or its own already.

    Args:
      folder: of the run; it need not exist yet.
      checkpoint_bytes: of one checkpoint.
      keep_checkpoints: how many of the newest ones are kept.
      generator_bytes: of generator.keras.
      num_kept: checkpoints that are kept for good beside them.
    """
    folder = Path(os.path.realpath(folder))
    existing = atomic.nearest_existing(folder)
    # Each file is written beside the one that it replaces.
    needed = (keep_checkpoints + num_kept + 1) * checkpoint_bytes + 2 * generator_bytes + _OTHER_BYTES
    own = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Room(f"disk of {existing}", needed, shutil.disk_usage(existing).free + own)


def memory_check() -> list[Room]:
    """The peak so far, with a margin, of each GPU's memory and of the machine's: call it after the costly steps."""
    gpus = [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices("GPU")]
    total = _gpu_bytes() if gpus else None
    peaks = [Room(gpu, tf.config.experimental.get_memory_info(gpu)["peak"], total) for gpu in gpus]
    # What is in use by this process now is its own, beside what it can still take.
    machine = memory.available_bytes() + psutil.Process().memory_info().rss
    peaks.append(Room("this machine", memory.peak_bytes(), machine))
    return [room._replace(place=f"memory of {room.place}", needed=int(_MEMORY_MARGIN * room.needed)) for room in peaks]


def _gpu_bytes() -> int | None:
    """The memory of the smallest GPU; None if the driver's tool does not tell. TensorFlow knows its own share alone."""
    command = ("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
        return min(int(line) for line in text.split()) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def time_steps(run_step: Callable[[], None], least_secs: float, most_steps: int) -> StepTime:
    """Time one call, then more, of which the mean counts: waiting for data now and then is part of it.

    Args:
      run_step: does a step and waits for its result, as reading a loss off the device does.
      least_secs: how long to go on, as the first steps find data read ahead; at least two calls.
      most_steps: no more calls than this.
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
    """Return the whole as text, warnings last.

    Args:
      data: what the training reads, on one line.
      phases: in their order; those without steps are left out.
      checkpoints: of all phases.
      rooms: of `disk_check` and `memory_check`.
      advice: what makes it slow, and the flag that mends it.
    """
    total = duration(sum(phase.secs for phase in phases) + checkpoints.secs)
    rows = [f"{phase.name:<16}{phase.num_steps:>10,}{_times(phase)}" for phase in phases if phase.num_steps]
    lines = [
        f"Data: {data}",
        "",
        f"{'phase':<16}{'steps':>10}{'first step, s':>15}{'others, s':>12}{'hours':>9}",
        *rows,
        f"{'checkpoints':<16}{checkpoints.number:>10,}{'':>15}{checkpoints.each_secs:>12.3f}"
        f"{checkpoints.secs / 3600:>9.1f}",
        f"Training takes about {total} on this machine.",
        *(f"WARNING: {sentence}." for sentence in advice),
        "",
        *(_room_line(room) for room in rooms),
    ]
    return "\n".join(lines + [_warning(room) for room in rooms if room.is_short])


def _times(phase: PhaseEstimate) -> str:
    return f"{phase.time.first_secs:>15.1f}{phase.time.step_secs:>12.3f}{phase.secs / 3600:>9.1f}"


def duration(secs: float) -> str:
    """In the two largest units, as one says it: "5 days and 1 hour", "3 hours and 20 minutes", "40 seconds"."""
    units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    first = next((index for index, (_, size) in enumerate(units) if secs >= size), 3)
    smallest = units[min(first + 1, 3)][1]
    left, parts = round(secs / smallest) * smallest, []
    for name, size in units:
        number, left = divmod(left, size)
        parts += [f"{number} {name}{'' if number == 1 else 's'}"] if number else []
    return " and ".join(parts) or "0 seconds"


def _room_line(room: Room) -> str:
    of = "" if room.available is None else f" of {_gigabytes(room.available)} that it can have"
    return f"{room.place[0].upper()}{room.place[1:]}: training takes {_gigabytes(room.needed)}{of}."


def _gigabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:,.{0 if num_bytes >= 1e11 else 1}f} GB"


def _warning(room: Room) -> str:
    advice = _DISK_ADVICE if room.place.startswith("disk") else MEMORY_ADVICE
    return f"WARNING: the {room.place} is short by {_gigabytes(room.needed - room.available)}. {advice}"
