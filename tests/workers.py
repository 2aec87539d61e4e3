"""Training on several machines, tried on this one: worker processes that find one another through TF_CONFIG."""

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
    """One process of a cluster; what it writes to standard output and error goes to a file, so it never waits."""

    def __init__(self, command: Sequence[str], tf_config: dict, environment: dict[str, str]):
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the worker is
        variables = os.environ | {"TF_CONFIG": json.dumps(tf_config)} | environment
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, env=variables, stdout=self._output, stderr=subprocess.STDOUT
        )

    @property
    def output(self) -> str:
        """What it has written so far."""
        descriptor = self._output.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def wait(self, timeout_secs: float) -> int:
        """Its exit status. It is killed, and AssertionError raised with its output, if it runs on for longer."""
        try:
            return self.process.wait(timeout_secs)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {timeout_secs} s:\n{self.output}") from None

    def wait_for(self, pattern: str, timeout_secs: float) -> re.Match:
        """Wait until its output matches; AssertionError with its output if it ends before, or takes longer."""
        deadline = time.monotonic() + timeout_secs
        while not (found := re.search(pattern, self.output)):
            is_running = self.process.poll() is None
            assert is_running and time.monotonic() < deadline, f"no {pattern!r} in its output:\n{self.output}"
            time.sleep(0.05)
        return found

    def kill(self) -> None:
        """As kill -9 does, or a machine that is lost."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def started(
    command: Sequence[str], num_workers: int, has_chief: bool = False, environment: dict[str, str] | None = None
) -> Iterator[list[Worker]]:
    """Start the same command in each process of a cluster on this machine; those that still run in the end are killed.

    Args:
      command: with its arguments; run in the repository's root.
      num_workers: processes.
      has_chief: whether TF_CONFIG calls the first one the chief, or worker 0.
      environment: variables of all of them, besides this process's own.

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
    """TF_CONFIG of each process, on ports of this machine that are free."""
    addresses = [f"localhost:{port}" for port in _free_ports(num_workers)]
    cluster = {"chief": addresses[:1], "worker": addresses[1:]} if has_chief else {"worker": addresses}
    tasks = [{"type": kind, "index": index} for kind, places in cluster.items() for index in range(len(places))]
    return [{"cluster": cluster, "task": task} for task in tasks]


def _free_ports(count: int) -> list[int]:
    """Ports that are free, below those that the system gives to outgoing connections meanwhile."""
    candidates = random.SystemRandom().sample(range(20_000, 32_000), 1000)
    return list(itertools.islice(filter(_is_free, candidates), count))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("", port)).close()
    except OSError:
        return False
    return True
