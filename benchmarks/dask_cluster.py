"""A cluster of Dask on this machine, with the commands of docs/archive.md."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_DASK = Path(sys.executable).with_name("dask")
_SECS_TO_START = 60
VARIABLES = {  # as in docs/archive.md
    "DASK_DISTRIBUTED__WORKER__DAEMON": "False",  # workers start processes to draw in
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",  # it takes a tenth of a core from each worker
}


@contextlib.contextmanager
def cluster(num_workers: int, port: int, folder: Path) -> Iterator[str]:
    """Start a scheduler and workers of one thread each; yield the scheduler's address.

    Args:
      num_workers: number of workers, each a process.
      port: port of the scheduler, at 127.0.0.1.
      folder: folder for logs, which the commands run in.

    Raises:
      TimeoutError: the workers do not start.
    """
    address = f"tcp://127.0.0.1:{port}"
    scheduler = [_DASK, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    workers = [_DASK, "worker", address, "--nworkers", str(num_workers), "--nthreads", "1", "--no-dashboard"]
    with _running(scheduler, folder / "scheduler.log"), _running(workers, folder / "workers.log"):
        process_ids(address, num_workers)
        yield address


def process_ids(address: str, num_workers: int) -> list[int]:
    """Wait for the workers; return their process ids. Raises TimeoutError."""
    from distributed import Client

    with Client(address, timeout=_SECS_TO_START) as client:
        client.wait_for_workers(num_workers, timeout=_SECS_TO_START)
        return list(client.run(os.getpid).values())


@contextlib.contextmanager
def _running(command: list, log: Path) -> Iterator[None]:
    """Run a command in a group of processes of its own, which ends with the block."""
    environment = os.environ | VARIABLES
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=log.parent, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
