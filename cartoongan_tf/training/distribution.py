"""The devices that training runs on: one, all of this machine, or those of several machines that train as one.

Several machines ("workers") run the same command. The environment variable TF_CONFIG (Kubernetes' TFJob and Vertex AI
write it) names all of them, and tells each one which of them it is. All workers run every step together. The chief,
worker 0, writes the run's folder; all of them read it, so it must be on storage that they share.

All workers must call `from_all_workers`, and the functions built on it, equally often and in the same order: each call
waits for the other workers.
"""

import contextlib
import functools
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.training.cluster import Cluster, parse_tf_config, read_tf_config

_MOST_SECS_TO_LEAVE = 30.0  # that the chief waits for the other workers' processes to end; they usually take one


def build_strategy(kind: str) -> tf.distribute.Strategy:
    """Build the strategy, and print the devices that training runs on.

    Call it before any other operation of TensorFlow, as machines can only be joined before the first one.

    Args:
      kind: "one": the first GPU. "mirrored": all GPUs of this machine. "multi_worker": all GPUs of all machines in
        TF_CONFIG; waits until all machines have started. A machine without GPUs uses its CPU.

    Raises:
      InputError: TF_CONFIG is missing or unusable, or this worker cannot join the others.
    """
    if kind == "multi_worker":
        return _join(read_tf_config(os.environ.get("TF_CONFIG", "")))
    gpus = [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
    used = gpus[:1] if kind == "one" else gpus
    if not gpus:
        print(
            "No GPU found: training on the CPU. That is fine for a trial; a network of the paper's size needs a GPU "
            "(the README lists what to install for NVIDIA's)."
        )
    elif len(used) < len(gpus):
        print(f"Training on one of {len(gpus)} GPUs; --strategy=mirrored uses all of them.")
    else:
        print(f"Training on {len(gpus)} GPU{'s' if len(gpus) > 1 else ''}.")
    devices = used or ["/cpu:0"]
    # The devices are named because MirroredStrategy would follow a TF_CONFIG otherwise.
    return tf.distribute.OneDeviceStrategy(devices[0]) if kind == "one" else tf.distribute.MirroredStrategy(devices)


def cluster_of(strategy: tf.distribute.Strategy) -> Cluster:
    """Return the machines that a strategy of `build_strategy` joins, and the number of this one."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return Cluster()
    resolver = strategy.cluster_resolver
    task = {"type": resolver.task_type, "index": resolver.task_id}
    return parse_tf_config({"cluster": resolver.cluster_spec().as_dict(), "task": task})


def _join(cluster: Cluster) -> tf.distribute.Strategy:
    """Build the strategy of this worker; wait for the others."""
    name = f"worker {cluster.worker} of {cluster.num_workers}{', the chief' if cluster.is_chief else ''}"
    waiting = f" Waiting for {', '.join(cluster.other_addresses)}." if cluster.other_addresses else ""
    print(f"This is {name}.{waiting}", flush=True)
    with _interruptible():
        try:
            # By default, GPUs communicate through NCCL, and CPUs in a ring.
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except tf.errors.OpError as error:
            raise InputError(
                f"this {name}, cannot join the others as {cluster.addresses[cluster.worker]} ({error}). Is the port "
                "free, and is TF_CONFIG equal everywhere, except for the task? Start all workers again."
            ) from error
    num_replicas = strategy.num_replicas_in_sync
    devices = f"GPU{'s' if num_replicas > 1 else ''}" if tf.config.list_physical_devices("GPU") else "CPUs"
    print(
        f"All workers have joined: training on {num_replicas} {devices} of {cluster.num_workers} workers.", flush=True
    )
    return strategy


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process in the block, where TensorFlow waits in C++ and Python's handler is never called."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def from_all_workers(strategy: tf.distribute.Strategy, number: int) -> list[int]:
    """Return the numbers of all workers, in their order. All must call it at the same point; it waits for all."""
    cluster = cluster_of(strategy)
    if cluster.num_workers == 1:
        return [number]
    contribution = [number if worker == cluster.worker else 0 for worker in range(cluster.num_workers)]
    return _sum_over_workers(strategy)(tf.constant(contribution, tf.int64)).numpy().tolist()


@functools.lru_cache(maxsize=1)  # traced once, because each eager call would leave a collective's key behind
def _sum_over_workers(strategy: tf.distribute.Strategy):
    return tf.function(lambda values: strategy.reduce("SUM", values, axis=None), autograph=False)


def any_worker(strategy: tf.distribute.Strategy, flag: bool) -> bool:
    """Return whether the flag is True on any worker. All must call it at the same point."""
    return any(from_all_workers(strategy, int(flag)))


def same_everywhere(strategy: tf.distribute.Strategy, number: int) -> bool:
    """Return whether all workers give the same number. All must call it at the same point."""
    return len(set(from_all_workers(strategy, number))) == 1


@contextlib.contextmanager
def explaining_lost_workers(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Run a block that all workers run together, and leave it together.

    At the end of the block each worker waits for the others, since a worker that is gone while the chief still writes
    would be reported as crashed. The chief leaves last: it runs TensorFlow's coordination service, and workers that
    outlive that service report its loss at length.

    Raises:
      InputError: another worker was lost in the block or at its end.
    """
    cluster = cluster_of(strategy)
    if cluster.num_workers == 1:
        yield
        return
    try:
        yield
        from_all_workers(strategy, 0)
    except tf.errors.OpError as error:
        if not _is_of_lost_worker(error):
            raise
        raise InputError(
            f"another worker was lost, cannot be reached, or has stopped with an error of its own ({_reason(error)}). "
            "Look at the last lines of the others, and start all workers again with the same command: the run resumes "
            "from its last checkpoint."
        ) from error
    if cluster.is_chief:
        _wait_until_gone(cluster.other_addresses)


def _wait_until_gone(addresses: list[str]) -> None:
    """Wait until the processes at these addresses have ended, but not for ever."""
    deadline = time.monotonic() + _MOST_SECS_TO_LEAVE
    while any(_has_listener(address) for address in addresses) and time.monotonic() < deadline:
        time.sleep(0.1)


def _has_listener(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=1.0):
            return True
    except OSError:
        return False


def _is_of_lost_worker(error: tf.errors.OpError) -> bool:
    kinds = (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.DeadlineExceededError,
        tf.errors.CancelledError,  # of what still waited when another operation noticed it
    )
    return isinstance(error, kinds) or any(sign in str(error) for sign in ("Collective ops is aborted", "NCCL"))


def _reason(error: tf.errors.OpError) -> str:
    """Return the line of TensorFlow's message that has the reason."""
    lines = str(error).splitlines()
    for line in lines:
        _, separator, reason = line.partition("Collective ops is aborted by: ")
        if separator:
            return reason.rstrip(": ")
    return lines[0].rstrip(": ")
