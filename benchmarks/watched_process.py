"""A process that is started, asked and killed while its output is read."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[1]


class WatchedProcess:
    """A process whose standard output and error go to a file, so that it never waits for a reader."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]):
        """
        Args:
          command: the command with its arguments; it runs in the root of this checkout.
          environment: variables beside those of this process.
        """
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  open as long as this object is
        self.process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    @property
    def output(self) -> str:
        """The text that it has written so far."""
        descriptor = self._output.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def close_input(self) -> None:
        """End its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait(self, timeout_secs: float) -> int:
        """Return its exit status, or minus the number of the signal that ended it.

        Raises:
          TimeoutError: it runs for longer, and is killed now; the message has its output.
        """
        try:
            return self.process.wait(timeout_secs)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"still running after {timeout_secs} s:\n{self.output}") from None

    def wait_for(self, pattern: str, timeout_secs: float) -> re.Match:
        """Wait until its output matches a regular expression, and return the match.

        Raises:
          TimeoutError: it takes longer, or the process ends before; the message has its output.
        """
        deadline = time.monotonic() + timeout_secs
        while True:
            is_running = self.process.poll() is None
            if match := re.search(pattern, self.output):
                return match
            if not is_running or time.monotonic() > deadline:
                raise TimeoutError(f"no {pattern!r} in its output:\n{self.output}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it by SIGKILL, as if its machine were lost."""
        self.process.kill()
        self.process.wait()
