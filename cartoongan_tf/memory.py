"""How much memory there is to use: the machine's, or what its container may take."""

from pathlib import Path

import psutil

_CONTAINER = Path("/sys/fs/cgroup")  # version 2; where there is none, the machine's memory counts


def available_bytes() -> int:
    """Memory that this process can still take without swapping."""
    machine = psutil.virtual_memory().available
    container = _container_bytes(_CONTAINER)
    return machine if container is None else min(machine, container)


def _container_bytes(folder: Path) -> int | None:
    """What is left of a control group's limit; None if it has none. Cached files do not count, they give way."""
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    if not limit.isdecimal():
        return None
    return max(0, int(limit) - used + int(statistics.get("inactive_file", 0)))
