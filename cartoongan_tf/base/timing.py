"""Processes of their own for what is measured, turns that they take, and what a report says of the machine."""

import concurrent.futures
import contextlib
import dataclasses
import functools
import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

from cartoongan_tf.base import atomic, machine, memory


def fresh_process(**kwargs) -> concurrent.futures.ProcessPoolExecutor:
    """An executor with one process that inherits nothing from this one."""
    return concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), **kwargs)


class Worker:
    """Something to call, loaded in a fresh process that waits for work; a context manager.

    No worker shares threads, allocator or imports with another, and the memory of its process is its own.
    """

    def __init__(self, load: Callable[..., Callable], *args):
        """
        Args:
          load: called with `args` in the process; returns what is to be called. To be found by its name in a module.
        """
        self._pool = fresh_process(initializer=_load, initargs=(load, args))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown()

    def call(self, *args) -> Any:
        """What it returns."""
        return self._pool.submit(_call, *args).result()

    def seconds(self, *args) -> float:
        """Time of one call, without its arguments' way into the process."""
        return self._pool.submit(_seconds, *args).result()

    def peak_bytes(self) -> int:
        """The most memory that the process has held so far."""
        return self._pool.submit(memory.peak_bytes).result()


_loaded: list[Callable] = []  # in a worker's process: what it calls


def _load(load: Callable[..., Callable], args: tuple) -> None:
    _loaded.append(load(*args))


def _call(*args) -> Any:
    return _loaded[0](*args)


def _seconds(*args) -> float:
    start = time.perf_counter()
    _loaded[0](*args)
    return time.perf_counter() - start


def take_turns(ways: Mapping[Any, Callable[[], float]], rounds: int) -> dict[Any, list[float]]:
    """What each way returns in each round, by name; in every other round the turns are reversed."""
    found: dict[Any, list[float]] = {name: [] for name in ways}
    for index in range(rounds):
        for name in list(ways)[:: 1 if index % 2 == 0 else -1]:
            found[name].append(ways[name]())
    return found


def seconds_in_turns(ways: Mapping[Any, tuple], argument: Any, rounds: int) -> dict[Any, list[float]]:
    """The time of a call in each round, each way in a process of its own, after a call to warm up.

    Args:
      ways: what `Worker` takes to load each.
      argument: of the call.
      rounds: how often each is called.
    """
    with contextlib.ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(*way)) for name, way in ways.items()}
        calls = {name: functools.partial(worker.seconds, argument) for name, worker in workers.items()}
        for warm_up in calls.values():
            warm_up()
        return take_turns(calls, rounds)


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
    ran_on = f"{machine.cpu_model()}, {os.cpu_count()} CPUs; Python {platform.python_version()}, {versions}."
    text = "\n".join([f"`python -m {module} {flags}`", "", ran_on, "", *table]) + "\n"
    print(text)
    if output:
        with atomic.replacing(output) as temporary:
            temporary.write_text(text, encoding="utf-8")
