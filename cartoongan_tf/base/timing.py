"""Fair timing: processes of their own, turns, and reports that name the machine."""

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
from typing import Any, TypeVar

from cartoongan_tf.base import atomic, machine, memory

Result = TypeVar("Result")


def fresh_process(**kwargs) -> concurrent.futures.ProcessPoolExecutor:
    """Return an executor with one process that inherits nothing from this one."""
    return concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), **kwargs)


class TimedProcess:
    """A fresh process that loads a function once, and times its calls; a context manager.

    It shares no threads, allocator or imports with other processes, and its memory is that of the function alone.
    """

    def __init__(self, load: Callable[..., Callable], *args):
        """
        Args:
          load: called with `args` in the process; returns the function. It must be found by its name in a module.
        """
        self._pool = fresh_process(initializer=_load, initargs=(load, args))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown()

    def call(self, *args) -> Any:
        """Call the function; return its result."""
        return self._pool.submit(_call, *args).result()

    def seconds(self, *args) -> float:
        """Call the function; return the time of the call, without sending its arguments."""
        return self._pool.submit(_seconds, *args).result()

    def peak_bytes(self) -> int:
        """Return the process's peak memory so far."""
        return self._pool.submit(memory.peak_bytes).result()


_loaded: list[Callable] = []  # in a timed process: the function


def _load(load: Callable[..., Callable], args: tuple) -> None:
    _loaded.append(load(*args))


def _call(*args) -> Any:
    return _loaded[0](*args)


def _seconds(*args) -> float:
    return seconds_of(_loaded[0], *args)


def seconds_of(function: Callable, *args) -> float:
    """Call a function; return the time of the call."""
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


def take_turns(methods: Mapping[Any, Callable[[], Result]], rounds: int) -> dict[Any, list[Result]]:
    """Return each method's results in all rounds, by name; in every other round the turns are reversed."""
    results: dict[Any, list[Result]] = {name: [] for name in methods}
    names = list(methods)
    for index in range(rounds):
        for name in names if index % 2 == 0 else reversed(names):
            results[name].append(methods[name]())
    return results


def seconds_in_turns(methods: Mapping[Any, tuple], argument: Any, rounds: int) -> dict[Any, list[float]]:
    """Time one call of each method in each round, each in a process of its own, after a call to warm up.

    Args:
      methods: arguments of `TimedProcess`, by name.
      argument: argument of the calls.
      rounds: number of timed calls of each method.
    """
    with contextlib.ExitStack() as stack:
        calls = {}
        for name, arguments in methods.items():
            process = stack.enter_context(TimedProcess(*arguments))
            calls[name] = functools.partial(process.seconds, argument)
        for warm_up in calls.values():
            warm_up()
        return take_turns(calls, rounds)


def write_report(module: str, config: Any, packages: tuple[str, ...], table: list[str], output: str) -> None:
    """Print a table in Markdown below the command and the machine, and write it to a file if one is named.

    Args:
      module: name of the benchmark, as in its command.
      config: options of the benchmark, a dataclass.
      packages: packages whose versions matter.
      table: lines of the table.
      output: path of the file, or "".
    """
    flags = " ".join(f"--{name}={value}" for name, value in dataclasses.asdict(config).items() if value != "")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    ran_on = f"{machine.cpu_model()}, {os.cpu_count()} CPUs; Python {platform.python_version()}, {versions}."
    text = "\n".join([f"`python -m {module} {flags}`", "", ran_on, "", *table]) + "\n"
    print(text)
    if output:
        with atomic.replacing(output) as temporary:
            temporary.write_text(text, encoding="utf-8")
