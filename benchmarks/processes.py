"""Processes of their own for what is measured, and what a report says of the machine."""

import concurrent.futures
import contextlib
import dataclasses
import multiprocessing
import os
import platform
import resource
from importlib import metadata
from pathlib import Path
from typing import Any

from cartoongan_tf import atomic


def fresh_process(**kwargs) -> concurrent.futures.ProcessPoolExecutor:
    """An executor with one process that inherits nothing from this one."""
    return concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), **kwargs)


def peak_bytes() -> int:
    """The most memory that this process has held so far.

    On Linux not by getrusage: there a process starts with the peak of the one that started it.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024


def write_report(module: str, config: Any, packages: tuple[str, ...], table: list[str], output: str) -> None:
    """Print a table in Markdown, with the command and the machine above it, and write it to a file if one is named.

    Args:
      module: of the benchmark, as the command names it.
      config: its options, a dataclass.
      packages: whose versions matter.
      table: its lines.
      output: the file, or "".
    """
    flags = " ".join(f"--{name}={value}" for name, value in dataclasses.asdict(config).items() if value != "")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    machine = f"{_cpu_model()}, {os.cpu_count()} CPUs; Python {platform.python_version()}, {versions}."
    text = "\n".join([f"`python -m {module} {flags}`", "", machine, "", *table]) + "\n"
    print(text)
    if output:
        with atomic.replacing(output) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _cpu_model() -> str:
    """What Linux calls the processor; elsewhere what Python knows of it."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()
