"""On which devices training runs: one, all of this machine, or those of several machines that train as one.

Several machines ("workers") run the same command, and each is told of the others, and which of them it is, by the
environment variable TF_CONFIG (Kubernetes' TFJob and Vertex AI write it). All workers do every step together. The
chief, worker 0, writes the run's folder; all of them read it, so it lies on storage that they share.

What crosses workers here (`from_all_workers` and what is built on it) has to be called by all of them, the same
number of times and in the same order: each call waits for all others.
"""

import contextlib
import functools
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import tensorflow as tf

from cartoongan_tf.base.errors import InputError

STRATEGIES = ("one", "mirrored", "multi_worker")
_LEAVES_LATER_SECS = 2.0  # a Python with TensorFlow in it takes about one to end

_TF_CONFIG_EXAMPLE = (
    "Each worker needs it in its environment, the same but for its own task:\n"
    '    TF_CONFIG=\'{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}\''
)


class Cluster(NamedTuple):
    """The machines that train together, as one of them sees it.

    Attributes:
      addresses: of all workers ("host:port"), in their order; none of a machine that trains alone.
      worker: which of them this is; the number of its input pipeline, too.
    """

    addresses: tuple[str, ...] = ()
    worker: int = 0

    @property
    def num_workers(self) -> int:
        return max(len(self.addresses), 1)

    @property
    def is_chief(self) -> bool:
        """Whether it is the one that writes what there is one of: checkpoints, generator.keras, samples, curves."""
        return self.worker == 0


def build_strategy(kind: str) -> tf.distribute.Strategy:
    """Make the strategy, and say where training runs.

    Call it before anything else of TensorFlow: machines can only be joined before the first operation.

    Args:
      kind: "one": the first GPU; "mirrored": all GPUs of this machine; both the CPU where there is no GPU.
        "multi_worker": all machines in TF_CONFIG, all GPUs of each, or its CPU; waits until they all have started.

    Raises:
      InputError: TF_CONFIG is missing, or cannot be used; this worker could not join the others.
    """
    if kind == "multi_worker":
        return _join(read_tf_config(os.environ.get("TF_CONFIG", "")))
    gpus = [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
    used = gpus[:1] if kind == "one" else gpus
    if not gpus:
        print(
            "No GPU found: training on the CPU. That is fine for a trial; a network of the paper's size needs a GPU "
            "(the README says what to install for NVIDIA's)."
        )
    elif len(used) < len(gpus):
        print(f"Training on one of {len(gpus)} GPUs; --strategy=mirrored takes them all.")
    else:
        print(f"Training on {len(gpus)} GPU{'s' if len(gpus) > 1 else ''}.")
    devices = used or ["/cpu:0"]
    # Named devices: without them, MirroredStrategy would heed a TF_CONFIG.
    return tf.distribute.OneDeviceStrategy(devices[0]) if kind == "one" else tf.distribute.MirroredStrategy(devices)


def cluster_of(strategy: tf.distribute.Strategy) -> Cluster:
    """The machines that a strategy of `build_strategy` joins, and which of them this is."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return Cluster()
    resolver = strategy.cluster_resolver
    task = {"type": resolver.task_type, "index": resolver.task_id}
    return _cluster({"cluster": resolver.cluster_spec().as_dict(), "task": task})


def read_tf_config(text: str) -> Cluster:
    """Read the machines, and which of them this is, from what TF_CONFIG says.

    There is a list of workers, or a chief and a list of workers: the chief, or else the first worker, is worker 0.

    Raises:
      InputError: it is missing or cannot be used; the message shows one that can.
    """
    if not text:
        raise InputError(f"--strategy=multi_worker: TF_CONFIG is not set. {_TF_CONFIG_EXAMPLE}")
    try:
        return _cluster(json.loads(text))
    except (ValueError, TypeError, AttributeError, KeyError) as error:  # by what stands where something else should
        reason = f"no {error} in it" if isinstance(error, KeyError) else str(error)
        raise InputError(f"TF_CONFIG={text}: cannot be used: {reason}. {_TF_CONFIG_EXAMPLE}") from error


def _cluster(tf_config: dict) -> Cluster:
    jobs = tf_config["cluster"]
    kind, index = tf_config["task"]["type"], int(tf_config["task"]["index"])
    for job in (*jobs, kind):
        if job not in ("chief", "worker"):
            raise ValueError(f'training takes a "chief" and "worker"s, nothing of type {json.dumps(job)}')
    if len(jobs.get("chief", [])) > 1:
        raise ValueError("there is more than one chief")
    if index not in range(len(jobs.get(kind, []))):
        raise ValueError(f"its task, {kind} {index}, is not in its cluster")
    addresses = (*jobs.get("chief", []), *jobs.get("worker", []))
    for address in addresses:
        if not (isinstance(address, str) and address.rpartition(":")[2].isdecimal()):
            raise ValueError(f'{json.dumps(address)} is not an address of the form "host:port"')
    if len(set(addresses)) < len(addresses):
        raise ValueError("an address is there twice")
    return Cluster(addresses, index + (len(jobs.get("chief", [])) if kind == "worker" else 0))


def _join(cluster: Cluster) -> tf.distribute.Strategy:
    others = [address for number, address in enumerate(cluster.addresses) if number != cluster.worker]
    name = f"worker {cluster.worker} of {cluster.num_workers}{', the chief' if cluster.is_chief else ''}"
    print(f"This is {name}." + f" Waiting for {', '.join(others)}." * bool(others), flush=True)
    with _interruptible():
        try:
            # By default it communicates through NCCL between GPUs, and in a ring between CPUs.
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except tf.errors.OpError as error:
            raise InputError(
                f"this {name}, cannot join the others as {cluster.addresses[cluster.worker]} ({error}). Is the port "
                "free, and is TF_CONFIG the same everywhere, but for its task? Start all workers again."
            ) from error
    num_replicas = strategy.num_replicas_in_sync
    devices = f"GPU{'s' if num_replicas > 1 else ''}" if tf.config.list_physical_devices("GPU") else "CPUs"
    print(f"All are here: training on {num_replicas} {devices} of {cluster.num_workers} workers.", flush=True)
    return strategy


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process within the block: TensorFlow waits in C++, where Python's handler is never called."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def from_all_workers(strategy: tf.distribute.Strategy, number: int) -> list[int]:
    """The number that each worker gives, in their order; waits for all of them. All must call it at the same point."""
    cluster = cluster_of(strategy)
    if cluster.num_workers == 1:
        return [number]
    own = [number if worker == cluster.worker else 0 for worker in range(cluster.num_workers)]
    return _summing(strategy)(tf.constant(own, tf.int64)).numpy().tolist()


@functools.lru_cache(maxsize=1)  # traced once: called eagerly, each call would leave a collective's key behind
def _summing(strategy: tf.distribute.Strategy):
    return tf.function(lambda values: strategy.reduce("SUM", values, axis=None))


def any_worker(strategy: tf.distribute.Strategy, flag: bool) -> bool:
    """Whether it is so on any worker. All must call it at the same point."""
    return any(from_all_workers(strategy, int(flag)))


def same_everywhere(strategy: tf.distribute.Strategy, number: int) -> bool:
    """Whether all workers give the same number. All must call it at the same point."""
    return len(set(from_all_workers(strategy, number))) == 1


@contextlib.contextmanager
def explaining_lost_workers(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Run the block that all workers run together, and leave it together.

    At its end each waits for the others: a worker that is gone while the chief still writes is reported as crashed.
    The chief leaves last: it runs the service whose loss TensorFlow reports, at length, in those that it leaves behind.

    Raises:
      InputError: in the block, or at its end, another worker was lost.
    """
    if cluster_of(strategy).num_workers == 1:
        yield
        return
    try:
        yield
        from_all_workers(strategy, 0)
        if cluster_of(strategy).is_chief:
            time.sleep(_LEAVES_LATER_SECS)
    except tf.errors.OpError as error:
        if not _tells_of_lost_worker(error):
            raise
        raise InputError(
            f"another worker was lost, or has stopped with an error of its own ({_reason(error)}). Look at what the "
            "others say last, and start all workers again with the same command: the run goes on from its last "
            "checkpoint."
        ) from error


def _tells_of_lost_worker(error: tf.errors.OpError) -> bool:
    kinds = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError)
    return isinstance(error, kinds) or any(sign in str(error) for sign in ("Collective ops is aborted", "NCCL"))


def _reason(error: tf.errors.OpError) -> str:
    """The line of TensorFlow's message that says what happened."""
    lines = [line.partition("Collective ops is aborted by: ") for line in str(error).splitlines()]
    return next((reason for _, found, reason in lines if found), lines[0][0]).rstrip(": ")
