"""The machines that train together, as the environment variable TF_CONFIG describes them. Loads no TensorFlow."""

import json
from typing import NamedTuple

from cartoongan_tf.base.errors import InputError

_TF_CONFIG_EXAMPLE = (
    "Each worker needs it in its environment, equal except for the task:\n"
    '    TF_CONFIG=\'{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}\''
)


class Cluster(NamedTuple):
    """The machines that train together, as one of them sees it.

    Attributes:
      addresses: addresses ("host:port") of all workers, in their order; empty for a machine that trains alone.
      worker: number of this worker, and of its input pipeline.
    """

    addresses: tuple[str, ...] = ()
    worker: int = 0

    @property
    def num_workers(self) -> int:
        return max(len(self.addresses), 1)

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes the run's folder: checkpoints, generator.keras, samples, curves."""
        return self.worker == 0

    @property
    def other_addresses(self) -> list[str]:
        return [address for worker, address in enumerate(self.addresses) if worker != self.worker]


def read_tf_config(text: str) -> Cluster:
    """Read the machines, and the number of this one, from the content of TF_CONFIG.

    It has a list of workers, with or without a chief beside it. The chief, or else the first worker, is worker 0.

    Raises:
      InputError: it is missing or unusable; the message shows a usable one.
    """
    if not text:
        raise InputError(f"--strategy=multi_worker: TF_CONFIG is not set. {_TF_CONFIG_EXAMPLE}")
    try:
        return parse_tf_config(json.loads(text))
    except (ValueError, TypeError, AttributeError, KeyError) as error:  # depends on what is wrong
        reason = f"no {error} in it" if isinstance(error, KeyError) else str(error)
        raise InputError(f"TF_CONFIG={text}: unusable: {reason}. {_TF_CONFIG_EXAMPLE}") from error


def parse_tf_config(tf_config: dict) -> Cluster:
    """Read the machines from the dictionary in TF_CONFIG; raise ValueError, TypeError and others if it is unusable."""
    jobs = tf_config["cluster"]
    kind = tf_config["task"]["type"]
    index = int(tf_config["task"]["index"])
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
        raise ValueError("an address appears twice in it")
    return Cluster(addresses, index + (len(jobs.get("chief", [])) if kind == "worker" else 0))
