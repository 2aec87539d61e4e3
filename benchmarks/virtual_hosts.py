"""Two hosts that are really apart, on one machine: network namespaces of Linux, joined by a virtual link.

Each host has a loopback and an address of its own. The link has a bandwidth, and a delay where the kernel has netem; it
can be cut and mended. Making hosts takes root. They are gone when the block ends; nothing outside of them changes.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.watched_process import WatchedProcess
from cartoongan_tf.base.errors import InputError

ADDRESSES = ("10.77.0.1", "10.77.0.2")
_LINK = "link0"  # the name of the link's end in each host
_SENT = Path("/sys/class/net", _LINK, "statistics", "tx_bytes")
_PORT = 2222
_BURST = "256kb"  # that may leave at once: more than the largest packet on a virtual link


class VirtualHosts:
    """Two hosts and the link between them.

    Attributes:
      can_delay: whether the kernel can make the link slow to answer, by netem.
    """

    def __init__(self, names: Sequence[str]):
        self._names = tuple(names)
        self.can_delay = self._has_netem()

    def start(self, host: int, command: Sequence[str]) -> WatchedProcess:
        """Start a command on a host, as the worker of that number in a cluster of both."""
        cluster = {"worker": [f"{address}:{_PORT}" for address in ADDRESSES]}
        tf_config = {"cluster": cluster, "task": {"type": "worker", "index": host}}
        in_host = ["ip", "netns", "exec", self._names[host], *command]  # ip becomes the command: no process between
        return WatchedProcess(in_host, {"TF_CONFIG": json.dumps(tf_config)})

    @contextlib.contextmanager
    def started(self, command: Sequence[str]) -> Iterator[list[WatchedProcess]]:
        """Start the same command on both hosts; kill what still runs at the end of the block."""
        both = [self.start(host, command) for host in range(2)]
        try:
            yield both
        finally:
            for process in both:
                process.kill()

    def limit(self, rate: str, delay_ms: float = 0.0) -> None:
        """Let each host send at most at a rate, and let each packet travel for a time, where the kernel can do that.

        Args:
          rate: bandwidth in the words of tc, such as "100mbit".
          delay_ms: milliseconds from one host to the other.
        """
        for name in self._names:
            shaper = ["handle", "1:", "tbf", "rate", rate, "burst", _BURST, "latency", "100ms"]
            _run("tc", "-n", name, "qdisc", "replace", "dev", _LINK, "root", *shaper)
            if delay_ms and self.can_delay:
                delay = ["netem", "delay", f"{delay_ms}ms", "limit", "100000"]
                _run("tc", "-n", name, "qdisc", "replace", "dev", _LINK, "parent", "1:", *delay)

    def cut(self) -> None:
        """Cut the link. What is sent is lost, and neither end of a connection is told."""
        _run("ip", "-n", self._names[0], "link", "set", _LINK, "down")

    def mend(self) -> None:
        """Mend the link."""
        _run("ip", "-n", self._names[0], "link", "set", _LINK, "up")

    def _has_netem(self) -> bool:
        try:
            _run("tc", "-n", self._names[0], "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
        except subprocess.CalledProcessError:
            return False
        _run("tc", "-n", self._names[0], "qdisc", "delete", "dev", "lo", "root")
        return True


@contextlib.contextmanager
def virtual_hosts() -> Iterator[VirtualHosts]:
    """Make two hosts, and remove them at the end of the block; the processes there must have ended by then.

    Raises:
      InputError: this machine cannot have them; the message says why.
    """
    if reason := reason_against():
        raise InputError(f"no virtual hosts: {reason}")
    names = [f"cartoongan-{os.getpid()}-{host}" for host in range(2)]
    with contextlib.ExitStack() as stack:
        for name in names:
            _run("ip", "netns", "add", name)
            stack.callback(_run, "ip", "netns", "delete", name)
        ends = ["name", _LINK, "netns", names[0], "type", "veth", "peer", "name", _LINK, "netns", names[1]]
        _run("ip", "link", "add", *ends)
        for name, address in zip(names, ADDRESSES, strict=True):
            _run("ip", "-n", name, "address", "add", f"{address}/24", "dev", _LINK)
            for device in ("lo", _LINK):
                _run("ip", "-n", name, "link", "set", device, "up")
        yield VirtualHosts(names)


def reason_against() -> str:
    """Return the reason why this machine cannot have virtual hosts; "" if it can."""
    if not hasattr(os, "geteuid") or os.geteuid():
        return "they need Linux and root"
    for tool in ("ip", "tc"):
        if not shutil.which(tool):
            return f"{tool} is missing; apt-get install iproute2 brings it"
    name = f"cartoongan-{os.getpid()}-trial"
    try:
        _run("ip", "netns", "add", name)
        _run("ip", "netns", "delete", name)
    except subprocess.CalledProcessError as error:
        return f"this machine makes no network namespace ({error.stderr.strip()})"
    return ""


def bytes_sent_from_here() -> int:
    """Return the bytes that this host has sent over the link so far, all headers included; call it on a host."""
    return int(_SENT.read_text())


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
