"""run.json of a run's folder: when, where, with which code, flags and data each part of the run was trained.

Weeks later it answers why two runs differ. Nothing of it is needed to go on with a run.
"""

import dataclasses
import datetime
import hashlib
import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import psutil
import tensorflow as tf

from cartoongan_tf import __version__
from cartoongan_tf.base import atomic, machine

_DATASET_FILE = "dataset.json"  # data_pipeline.records writes it; it holds the hash of each shard
_SOURCE = Path(__file__).parent
_GIT_TIMEOUT_SECS = 20  # a checkout on a sleeping network drive must not hold a run up


def record_start(
    path: str | os.PathLike, config: Any, first_step: int, data_dir: str | os.PathLike, devices: Sequence[str]
) -> None:
    """Add a start, or a resumption, of training to a run's record.

    A record that cannot be read is moved aside and said on standard error: the run itself is whole without it.

    Args:
      path: of run.json.
      config: the dataclass of all options, as resolved.
      first_step: steps of the run done before.
      data_dir: of the training records.
      devices: names of those that train.
    """
    starts = _read_starts(path)
    if starts is None:
        print(
            f"{path}: damaged; moved to {atomic.move_aside(path)}, and begun anew. Training does not need it.",
            file=sys.stderr,
        )
        starts = []
    start = {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "first_step": first_step,
        "data_sha256": data_hash(data_dir),
        "versions": _versions(),
        "source": _source(),
        "machine": _machine(),
        "devices": list(devices),
        "flags": dataclasses.asdict(config),
    }
    atomic.write_json(path, {"starts": [*starts, start]})


def data_changed(path: str | os.PathLike, data_dir: str | os.PathLike) -> bool | None:
    """Whether a run was last trained on other data than lies in `data_dir` now; None where that is not known."""
    starts = _read_starts(path)
    before = starts[-1].get("data_sha256") if starts else None
    now = data_hash(data_dir)
    return None if None in (before, now) else before != now


def _read_starts(path: str | os.PathLike) -> list[dict] | None:
    """The starts in a record, none where there is no file; None where it is damaged."""
    try:
        starts = json.loads(Path(path).read_text(encoding="utf-8"))["starts"]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError):  # by what stands where something else should
        return None
    return starts if isinstance(starts, list) and all(isinstance(start, dict) for start in starts) else None


def data_hash(data_dir: str | os.PathLike) -> str | None:
    """What tells training records from others: the hash of the file that holds all shards' hashes, if it is there."""
    try:
        return hashlib.sha256((Path(data_dir) / _DATASET_FILE).read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def _versions() -> dict[str, str]:
    return {
        "cartoongan-tf": __version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def _source() -> dict[str, Any]:
    """The commit of the checkout that this code lies in; None where it was installed, or there is no git."""
    # Git must know this package: an installed one may lie in a virtual environment in somebody's repository.
    if not _git("ls-files", "__init__.py"):
        return {"commit": None, "has_uncommitted_changes": None}
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "commit": _git("rev-parse", "HEAD"),
        "has_uncommitted_changes": None if changes is None else bool(changes),
    }


def _git(*arguments: str) -> str | None:
    """What git says in the folder of this code; None if it fails or is not there."""
    try:
        done = subprocess.run(
            ("git", "--no-optional-locks", *arguments),
            cwd=_SOURCE,
            capture_output=True,
            text=True,
            check=True,
            timeout=_GIT_TIMEOUT_SECS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _machine() -> dict[str, Any]:
    gpus = tf.config.list_physical_devices("GPU")
    return {
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "cpu": machine.cpu_model(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "gpus": [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus],
    }
