"""Processes on this machine that train as workers on several machines would; TF_CONFIG joins them."""

import contextlib
import itertools
import json
import os
import random
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence

from tests.helpers import REPOSITORY


class Worker:
    """One process of a cluster. Its standard output and error go to a file, so it never waits for a reader."""

    def __init__(self, command: Sequence[str], tf_config: dict, environment: dict[str, str]):
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the worker is
        variables = os.environ | {"TF_CONFIG": json.dumps(tf_config)} | environment
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, env=variables, stdout=self._output, stderr=subprocess.STDOUT
        )

    @property
    def output(self) -> str:
        """The text that it has written so far."""
        descriptor = self._output.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def wait(self, timeout_secs: float) -> int:
        """Return its exit status. If it runs for longer, kill it, and raise AssertionError with its output."""
        try:
            return self.process.wait(timeout_secs)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {timeout_secs} s:\n{self.output}") from None

    def wait_for(self, pattern: str, timeout_secs: float) -> re.Match:
        """Wait until its output matches. Raise AssertionError with its output if it ends before, or takes longer."""
        deadline = time.monotonic() + timeout_secs
        while not (match := re.search(pattern, self.output)):
            is_running = self.process.poll() is None
            assert is_running and time.monotonic() < deadline, f"no {pattern!r} in its output:\n{self.output}"
            time.sleep(0.05)
        return match

    def kill(self) -> None:
        """Kill it by SIGKILL, as if its machine were lost."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def started(
    command: Sequence[str], num_workers: int, has_chief: bool = False, environment: dict[str, str] | None = None
) -> Iterator[list[Worker]]:
    """Start the same command in each process of a cluster on this machine; kill the processes at the end.

    Args:
      command: the command with its arguments; it is run in the repository's root.
      num_workers: number of processes.
      has_chief: whether TF_CONFIG calls the first one the chief, and not worker 0.
      environment: variables for all of them, beside those of this process.

    Yields:
      the workers; the first one is the chief.
    """
    workers = [Worker(command, tf_config, environment or {}) for tf_config in tf_configs(num_workers, has_chief)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()


def tf_configs(num_workers: int, has_chief: bool = False) -> list[dict]:
    """Return TF_CONFIG for each process, with free ports of this machine."""
    addresses = [f"localhost:{port}" for port in _free_ports(num_workers)]
    cluster = {"chief": addresses[:1], "worker": addresses[1:]} if has_chief else {"worker": addresses}
    configs = []
    for kind, addresses_of_kind in cluster.items():
        for index in range(len(addresses_of_kind)):
            configs.append({"cluster": cluster, "task": {"type": kind, "index": index}})
    return configs


def _free_ports(count: int) -> list[int]:
    """Return free ports, below those that the system gives to outgoing connections."""
    candidates = random.SystemRandom().sample(range(20_000, 32_000), 1000)
    return list(itertools.islice(filter(_is_free, candidates), count))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("", port)).close()
    except OSError:
        return False
    return True
