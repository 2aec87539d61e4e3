"""The record of a run, run.json: time, machine, code, flags and data of each start.

Weeks later it answers why two runs differ. Resuming a run does not need it.
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
from data_pipeline.records import DATASET_FILE

_SOURCE = Path(__file__).parent
_GIT_TIMEOUT_SECS = 20  # a checkout on a sleeping network drive must not hold a run up


def record_start(
    path: str | os.PathLike, config: Any, first_step: int, data_dir: str | os.PathLike, devices: Sequence[str]
) -> None:
    """Add a start of training, or a resumption, to a run's record.

    A damaged record is moved aside and reported on standard error; training does not depend on it.

    Args:
      path: path of run.json.
      config: dataclass of all options, as resolved.
      first_step: number of steps of the run done before.
      data_dir: folder of the training records.
      devices: names of the devices that train.
    """
    starts = _read_starts(path)
    if starts is None:
        print(
            f"{path}: damaged; moved to {atomic.move_aside(path)}, and begun again. Training does not need it.",
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
    """Return whether a run was last trained on other data than is in `data_dir` now; None if that is unknown."""
    starts = _read_starts(path)
    before = starts[-1].get("data_sha256") if starts else None
    now = data_hash(data_dir)
    return None if None in (before, now) else before != now


def _read_starts(path: str | os.PathLike) -> list[dict] | None:
    """Return the starts in a record, an empty list if there is no file, and None if it is damaged."""
    try:
        starts = json.loads(Path(path).read_text(encoding="utf-8"))["starts"]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError):  # depends on what is wrong
        return None
    return starts if isinstance(starts, list) and all(isinstance(start, dict) for start in starts) else None


def data_hash(data_dir: str | os.PathLike) -> str | None:
    """Return a hash that identifies training records: of the file that holds all shards' hashes; None without it."""
    try:
        return hashlib.sha256((Path(data_dir) / DATASET_FILE).read_bytes()).hexdigest()
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
    """Return the commit of the checkout of this code; None if the code was installed, or there is no git."""
    # Git must know this package: an installed one may be in a virtual environment in somebody's repository.
    if not _git("ls-files", "__init__.py"):
        return {"commit": None, "has_uncommitted_changes": None}
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "commit": _git("rev-parse", "HEAD"),
        "has_uncommitted_changes": None if changes is None else bool(changes),
    }


def _git(*arguments: str) -> str | None:
    """Return git's output in the folder of this code; None if git fails or is not installed."""
    try:
        process = subprocess.run(
            ("git", "--no-optional-locks", *arguments),
            cwd=_SOURCE,
            capture_output=True,
            text=True,
            check=True,
            timeout=_GIT_TIMEOUT_SECS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return process.stdout.strip()


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
