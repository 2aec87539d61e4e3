"""Processes on this machine that train as workers on several machines would; TF_CONFIG joins them."""

import contextlib
import itertools
import json
import random
import socket
from collections.abc import Iterator, Sequence

from benchmarks.watched_process import WatchedProcess


@contextlib.contextmanager
def started(command: Sequence[str], num_workers: int, has_chief: bool = False) -> Iterator[list[WatchedProcess]]:
    """Start the same command in each process of a cluster on this machine; kill the processes at the end.

    Args:
      command: the command with its arguments; it is run in the repository's root.
      num_workers: number of processes.
      has_chief: whether TF_CONFIG calls the first one the chief, and not worker 0.

    Yields:
      the workers; the first one is the chief.
    """
    workers = [start(command, tf_config) for tf_config in tf_configs(num_workers, has_chief)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()


def start(command: Sequence[str], tf_config: dict) -> WatchedProcess:
    """Start one process of a cluster."""
    return WatchedProcess(command, {"TF_CONFIG": json.dumps(tf_config)})


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
