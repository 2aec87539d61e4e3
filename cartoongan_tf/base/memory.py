"""Memory: the amount still available to this process, and the amount that it has taken."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

try:
    import resource
except ImportError:  # Windows, where psutil knows the peak
    resource = None  # type: ignore[assignment]

# Control groups of version 2; without them the machine's memory is the limit.
_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")
_OWN_STATUS = Path("/proc/self/status")  # on Linux only

_promises: list[float] = []
_changed = threading.Condition()


def available_bytes() -> int:
    """Return the memory that this process can still take without swapping, within its container's limit."""
    limits = [psutil.virtual_memory().available]
    for group in _own_groups():
        left = _left_in_group(group)
        if left is not None:
            limits.append(left)
    return min(limits)


@contextlib.contextmanager
def promised(num_bytes: float, usable_share: float) -> Iterator[None]:
    """Promise memory to the block; threads wait here while the memory promised to others leaves too little.

    Args:
      num_bytes: upper limit of the memory that the block takes.
      usable_share: share of the available memory that may be promised, from 0 to 1.
    """
    with _changed:
        _changed.wait_for(lambda: not _promises or sum(_promises) + num_bytes <= usable_share * available_bytes())
        _promises.append(num_bytes)
    try:
        yield
    finally:
        with _changed:
            _promises.remove(num_bytes)
            _changed.notify_all()


def peak_bytes() -> int:
    """Return the most memory that this process has held so far.

    Linux's getrusage is not used, because there a process inherits the peak of its parent.
    """
    try:
        status = _OWN_STATUS.read_text()
    except OSError:
        if resource is None:
            return psutil.Process().memory_info().peak_wset
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024


def _own_groups() -> list[Path]:
    """List the folders of this process's control group and of the groups around it."""
    try:
        line = next(line for line in _OWN_GROUP.read_text().splitlines() if line.startswith("0::/"))
    except (OSError, StopIteration):
        return []
    own = _GROUPS / line.removeprefix("0::/")
    return [group for group in (own, *own.parents) if group == _GROUPS or _GROUPS in group.parents]


def _left_in_group(group: Path) -> int | None:
    """Return the unused part of a control group's limit, or None without a limit. Cached files count as unused."""
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    if not limit.isdecimal():
        return None
    return max(0, int(limit) - used + int(statistics.get("inactive_file", 0)))
