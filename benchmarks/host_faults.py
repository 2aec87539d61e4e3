"""Faults of a training on two hosts: a link that is cut, a host that is lost; and how the training goes on."""

import dataclasses
import functools
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.virtual_hosts import VirtualHosts
from benchmarks.watched_process import WatchedProcess
from cartoongan_tf.base.errors import InputError

_SECS_TO_START = 300.0  # for two processes on a busy machine, until their first checkpoints
_SECS_TO_END = 60.0  # after a fault, and after a signal
_LOST = re.compile(r"train: error: (.*)")

Both = Sequence[WatchedProcess]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of a fault.

    Attributes:
      endings: for each host, its exit status and the seconds after which it came; None if it trains on.
      message: the error that a surviving host ended with; "" if none did.
      saved: step of the newest checkpoint when the fault was over.
      resumed: step that the same command resumed from; None if both train on.
    """

    endings: list[tuple[int, float] | None]
    message: str
    saved: int
    resumed: int | None


@dataclasses.dataclass(frozen=True)
class HostTraining:
    """A training by the program itself, in the same run folder on both hosts.

    Attributes:
      hosts: the hosts.
      run_dir: the run's folder.
      flags: all other flags; checkpoints should be seconds apart.
    """

    hosts: VirtualHosts
    run_dir: Path
    flags: Sequence[str]

    @property
    def command(self) -> list[str]:
        """The command, the same on both hosts."""
        program = [sys.executable, "-m", "cartoongan_tf.train", "--strategy=multi_worker"]
        return [*program, f"--run_dir={self.run_dir}", *self.flags]

    def saved_step(self) -> int:
        """Return the step of the newest checkpoint, which must be complete; 0 if there is none.

        Raises:
          InputError: the newest checkpoint is damaged.
        """
        from cartoongan_tf.training.checkpoints import all_checkpoints, find_newest_complete

        step, path = find_newest_complete(self.run_dir / "checkpoints") or (0, "")
        if [path] != all_checkpoints(self.run_dir / "checkpoints")[-1:] and step:
            raise InputError(f"{self.run_dir}: its newest checkpoint is damaged")
        return step

    def wait_for_checkpoints(self, both: Both, count: int) -> None:
        """Wait until so many more checkpoints are written.

        Raises:
          TimeoutError: a host ends, or it takes too long; the message has the chief's output.
        """
        deadline = time.monotonic() + _SECS_TO_START
        step = self.saved_step()
        while count:
            if any(process.process.poll() is not None for process in both) or time.monotonic() > deadline:
                raise TimeoutError(f"no further checkpoint in {self.run_dir}:\n{both[0].output}")
            time.sleep(0.2)
            count -= self.saved_step() > step
            step = self.saved_step()

    def stop(self, both: Both) -> list[int]:
        """Ask one host to stop, wait for both, and return their exit statuses."""
        both[1].process.send_signal(signal.SIGTERM)
        return [process.wait(_SECS_TO_END) for process in both]

    def suffer(self, fault: "Fault") -> Outcome:
        """Train, suffer a fault, and go on by the same command if it ended the training."""
        with self.hosts.started(self.command) as both:
            self.wait_for_checkpoints(both, 2)
            endings = fault(self.hosts, both)
            saved = self.saved_step()
            if None in endings:
                self.wait_for_checkpoints(both, 2)
                self.stop(both)
                return Outcome(endings, "", saved, None)
            messages = [match[1] for process in both if (match := _LOST.search(process.output))]
        with self.hosts.started(self.command) as both:
            resumed = int(both[0].wait_for(r"Resuming from the checkpoint of step (\d+)", _SECS_TO_START)[1])
            self.wait_for_checkpoints(both, 1)
            self.stop(both)
        return Outcome(endings, messages[0] if messages else "", saved, resumed)


# Does something to the hosts; returns `Outcome.endings`.
Fault = Callable[[VirtualHosts, Both], list[tuple[int, float] | None]]


def cut_link(secs: float, hosts: VirtualHosts, both: Both) -> list[tuple[int, float] | None]:
    """Cut the link for so many seconds."""
    hosts.cut()
    endings = endings_within(secs, both, waits_for_all=False)
    hosts.mend()
    return endings


def kill(host: int, hosts: VirtualHosts, both: Both) -> list[tuple[int, float] | None]:
    """Kill the process on a host by SIGKILL, and wait for the other."""
    both[host].kill()
    return endings_within(_SECS_TO_END, both)


FAULTS: dict[str, Fault] = {
    "link cut for 5 s": functools.partial(cut_link, 5.0),
    "link cut for 60 s": functools.partial(cut_link, 60.0),
    "worker 1 killed": functools.partial(kill, 1),
    "chief killed": functools.partial(kill, 0),
}


def endings_within(secs: float, both: Both, waits_for_all: bool = True) -> list[tuple[int, float] | None]:
    """Wait for so many seconds; return `Outcome.endings`.

    Args:
      secs: seconds to wait.
      both: the processes.
      waits_for_all: whether to return as soon as all have ended.
    """
    began = time.monotonic()
    endings: list[tuple[int, float] | None] = [None] * len(both)
    while (passed := time.monotonic() - began) < secs and not (waits_for_all and None not in endings):
        for index, process in enumerate(both):
            status = process.process.poll()
            if endings[index] is None and status is not None:
                endings[index] = (status, passed)
        time.sleep(0.05)
    return endings


def table(outcomes: dict[str, Outcome]) -> list[str]:
    """Return a Markdown table of outcomes by the names of their faults."""
    lines = [
        "| fault | chief | worker 1 | message | checkpoint | the same command |",
        "| --- | --- | --- | --- | --: | --- |",
    ]
    for name, outcome in outcomes.items():
        endings = " | ".join(map(_ending, outcome.endings))
        goes_on = "not needed" if outcome.resumed is None else f"resumes from step {outcome.resumed}"
        lines.append(f"| {name} | {endings} | {outcome.message} | {outcome.saved} | {goes_on} |")
    return lines


def _ending(ending: tuple[int, float] | None) -> str:
    if ending is None:
        return "trains on"
    status, secs = ending
    return "killed" if status == -signal.SIGKILL else f"status {status} after {secs:.1f} s"
