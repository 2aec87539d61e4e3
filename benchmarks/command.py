"""The time and memory of whole commands, from the prompt to the file: this checkout against earlier ones.

    python -m benchmarks.command --checkouts=.,../before --files=photo.jpg,film.mp4 --output=command.md

Checkouts take turns; ratios are medians over the rounds, against the last checkout.
"""

import dataclasses
import operator
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import take_turns, write_report


@dataclasses.dataclass(frozen=True)
class CommandConfig(Config):
    checkouts: str = option("Folders of checkouts, separated by commas; ratios are against the last one.")
    files: str = option("Pictures and films to cartoonize, separated by commas.")
    flags: str = option("Flags for cartoonize, separated by spaces.", "")
    rounds: int = option("Number of rounds.", 5, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(CommandConfig, _commands, __doc__, argv)


def _commands(config: CommandConfig, _) -> None:
    checkouts = config.checkouts.split(",")
    lines = ["| file | checkout | median s | x last | peak MB | x last |", "| --- | --- | --: | --: | --: | --: |"]
    for file in config.files.split(","):
        runs = {
            checkout: _Command(Path(checkout).resolve(), Path(file).resolve(), config.flags) for checkout in checkouts
        }
        for warm_up in runs.values():
            warm_up()
        seconds = take_turns(runs, config.rounds)
        last = checkouts[-1]
        for checkout in checkouts:
            ratio = statistics.median(map(operator.truediv, seconds[checkout], seconds[last]))
            median = statistics.median(seconds[checkout])
            peak = runs[checkout].peak_bytes
            of_last = peak / runs[last].peak_bytes
            lines.append(
                f"| {Path(file).name} | {checkout} | {median:.2f} | {ratio:.2f} | {peak / 1e6:,.0f} | {of_last:.2f} |"
            )
    write_report("benchmarks.command", config, ("ai-edge-litert", "tensorflow"), lines, config.output)


class _Command:
    """A command to draw a file with the code of a checkout.

    Attributes:
      peak_bytes: peak memory of the largest process so far.
    """

    def __init__(self, checkout: Path, file: Path, flags: str):
        self._checkout = checkout
        self._file = file
        self._flags = flags.split()
        self.peak_bytes = 0

    def __call__(self) -> float:
        """Run it; return the seconds that it took."""
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "cartoongan_tf.cartoonize", *self._flags]
            environment = {**os.environ, "PYTHONPATH": str(self._checkout)}
            begun = time.perf_counter()
            process = subprocess.Popen(
                [*command, f"--output={folder}/{self._file.name}", str(self._file)],
                cwd=folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise InputError(f"{self._checkout}: cartoonize {self._file} fails there; try it")
        self.peak_bytes = max(self.peak_bytes, usage.ru_maxrss * 1024)
        return seconds


if __name__ == "__main__":
    sys.exit(main())
