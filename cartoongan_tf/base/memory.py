"""How much memory there is to use, the machine's or what its container may take; and how much this process took."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

try:
    import resource
except ImportError:  # Windows, where psutil knows the peak
    resource = None

_GROUPS, _OWN_GROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")  # version 2; elsewhere the machine counts
_OWN_STATUS = Path("/proc/self/status")  # Linux alone has it


def available_bytes() -> int:
    """Memory that this process can still take without swapping."""
    left = [_left_in_group(group) for group in _own_groups()]
    return min([psutil.virtual_memory().available, *(bytes for bytes in left if bytes is not None)])


@contextlib.contextmanager
def promised(num_bytes: float, usable_share: float) -> Iterator[None]:
    """Promise memory to the block: where several threads want much at once, some wait until others are done.

    Args:
      num_bytes: that the block takes at most.
      usable_share: of the memory at hand, from 0 to 1.
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


_promises: list[float] = []
_changed = threading.Condition()


def peak_bytes() -> int:
    """The most memory that this process has held so far.

    On Linux not by getrusage: there a process starts with the peak of the one that started it.
    """
    try:
        status = _OWN_STATUS.read_text()
    except OSError:
        return (
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if resource else psutil.Process().memory_info().peak_wset
        )
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024


def _own_groups() -> list[Path]:
    """The folder of this process's control group, and those of the groups around it."""
    try:
        line = next(line for line in _OWN_GROUP.read_text().splitlines() if line.startswith("0::/"))
    except (OSError, StopIteration):
        return []
    own = _GROUPS / line.removeprefix("0::/")
    return [group for group in (own, *own.parents) if group == _GROUPS or _GROUPS in group.parents]


def _left_in_group(group: Path) -> int | None:
    """What is left of a control group's limit; None if it has none. Cached files do not count, they give way."""
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    if not limit.isdecimal():
        return None
    return max(0, int(limit) - used + int(statistics.get("inactive_file", 0)))
