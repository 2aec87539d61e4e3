"""Faults of a training on two hosts: a link that is cut, a process that is killed; and how the training goes on."""

import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.virtual_hosts import VirtualHosts
from benchmarks.watched_process import WatchedProcess

_MOST_SECS = 300.0  # until two processes on a busy machine have started, and written checkpoints
_SECS_TO_STOP = 60.0
_ERROR = re.compile(r"train: error: (.*)")
_RESUMED = re.compile(r"Resuming from the checkpoint of step (\d+)")


class Fault(NamedTuple):
    """A fault that begins, lasts for some seconds, and ends."""

    begin: Callable[["HostTraining"], None]
    secs: float = 0.0
    end: Callable[["HostTraining"], None] = lambda training: None


class Ending(NamedTuple):
    """The first end of a process after a fault: its exit status, and the seconds after the fault's beginning."""

    status: int
    secs: float


class Outcome(NamedTuple):
    """The result of a fault, when the training goes on.

    Attributes:
      endings: by host, the end of its process; hosts that train on are not in it.
      message: the error that a process ended with; "" if none did.
      saved: step of the newest checkpoint when the chief ended; None if it trains on.
      resumed: step that the chief resumed from when it was started again.
      secs: seconds from the fault's beginning to the next checkpoint.
    """

    endings: dict[int, Ending]
    message: str
    saved: int | None
    resumed: int | None
    secs: float


class HostTraining:
    """A training by the program itself, with one run folder for both hosts; a context manager.

    Attributes:
      processes: the present process on each host; the first one is the chief's.
    """

    def __init__(self, hosts: VirtualHosts, run_dir: Path, flags: Sequence[str]):
        """
        Args:
          hosts: the hosts.
          run_dir: the run's folder.
          flags: all other flags; checkpoints should be seconds apart.
        """
        self.hosts = hosts
        self._checkpoints = run_dir / "checkpoints"
        program = [sys.executable, "-m", "cartoongan_tf.train", "--strategy=multi_worker"]
        self._command = [*program, f"--run_dir={run_dir}", *flags]
        self.processes: list[WatchedProcess] = []

    def __enter__(self):
        self.processes = [self._start(host) for host in range(2)]
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()

    def _start(self, host: int) -> WatchedProcess:
        return self.hosts.start(host, self._command)

    def saved_step(self) -> int:
        """Return the step of the newest checkpoint; 0 if there is none."""
        indices = self._checkpoints.glob("step-*.index")  # a checkpoint's index is written last
        return max((int(path.stem.removeprefix("step-")) for path in indices), default=0)

    def wait_for_checkpoint(self) -> None:
        """Wait until a further checkpoint is written.

        Raises:
          TimeoutError: it takes too long, or a process ends; the message has the output of both.
        """
        deadline = time.monotonic() + _MOST_SECS
        saved = self.saved_step()
        while self.saved_step() == saved:
            self._require(time.monotonic() < deadline and not any(map(_has_ended, self.processes)))
            time.sleep(0.1)

    def suffer(self, fault: Fault) -> Outcome:
        """Suffer a fault, and start each process that ends again, by the same command, until the training goes on.

        Raises:
          TimeoutError: it does not go on; the message has the output of both processes.
        """
        endings: dict[int, Ending] = {}
        message, saved = "", None
        began = time.monotonic()
        fault.begin(self)
        lasts = True
        newest = self.saved_step()
        while lasts or self.saved_step() == newest or len(endings) == 1:
            passed = time.monotonic() - began
            self._require(passed < fault.secs + _MOST_SECS)
            if lasts and passed >= fault.secs:
                fault.end(self)
                lasts = False
            for host in filter(lambda host: _has_ended(self.processes[host]), range(2)):
                ended = self.processes[host]
                endings.setdefault(host, Ending(ended.process.returncode, passed))
                message = message or _first(_ERROR, ended.output)
                if host == 0:
                    saved = newest = self.saved_step()
                self.processes[host] = self._start(host)
            time.sleep(0.05)
        resumed = int(_first(_RESUMED, self.processes[0].output)) if saved else None
        return Outcome(endings, message, saved, resumed, time.monotonic() - began)

    def stop(self) -> list[int]:
        """Ask worker 1 to stop, wait for both, and return their exit statuses."""
        self.processes[1].process.send_signal(signal.SIGTERM)
        return [process.wait(_SECS_TO_STOP) for process in self.processes]

    def _require(self, goes_on: bool) -> None:
        if not goes_on:
            outputs = "\n".join(process.output for process in self.processes)
            raise TimeoutError(f"the training does not go on:\n{outputs}")


def _has_ended(process: WatchedProcess) -> bool:
    return process.process.poll() is not None


def _first(pattern: re.Pattern, text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def cut_link(secs: float) -> Fault:
    """Return the fault of a link that is cut for so many seconds."""
    return Fault(lambda training: training.hosts.cut(), secs, lambda training: training.hosts.mend())


def kill(host: int) -> Fault:
    """Return the fault of a process that is killed by SIGKILL."""
    return Fault(lambda training: training.processes[host].kill())


FAULTS: dict[str, Fault] = {
    "link cut for 5 s": cut_link(5.0),
    "link cut for 60 s": cut_link(60.0),
    "worker 1 killed": kill(1),
    "chief killed": kill(0),
}


def table(outcomes: dict[str, Outcome]) -> list[str]:
    """Return a Markdown table of outcomes by the names of their faults."""
    lines = [
        "| fault | chief | worker 1 | message | newest checkpoint | resumed from | s until the next one |",
        "| --- | --- | --- | --- | --: | --: | --: |",
    ]
    for name, outcome in outcomes.items():
        endings = [_describe(outcome.endings.get(host)) for host in range(2)]
        steps = ["" if step is None else str(step) for step in (outcome.saved, outcome.resumed)]
        lines.append(
            f"| {' | '.join([name, *endings, outcome.message.partition('. ')[0], *steps, f'{outcome.secs:.0f}'])} |"
        )
    return lines


def _describe(ending: Ending | None) -> str:
    if ending is None:
        return "trains on"
    return "killed" if ending.status == -signal.SIGKILL else f"status {ending.status} after {ending.secs:.1f} s"
