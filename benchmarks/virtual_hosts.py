"""Hosts that are really apart, on one machine: network namespaces of Linux, joined by a virtual link.

Each host has its own loopback and one address. The link between two hosts has a bandwidth, and a delay where the kernel
has netem; it can be cut and mended. Making them takes root. They are gone when the block ends, and nothing outside of
them changes.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence

from cartoongan_tf.base.errors import InputError

DEVICE = "link0"  # name of the link's end in each host
_BURST = "256kb"  # that may leave at once: more than the largest packet that a virtual link takes


class VirtualHosts:
    """Two hosts and the link between them.

    Attributes:
      addresses: the address of each host.
    """

    addresses = ("10.77.0.1", "10.77.0.2")

    def __init__(self, names: Sequence[str]):
        self._names = tuple(names)

    def command(self, host: int, command: Sequence[str]) -> list[str]:
        """Return the command that runs another one on a host; it replaces itself by that one."""
        return ["ip", "netns", "exec", self._names[host], *command]

    def limit(self, rate: str, delay_ms: float = 0.0) -> None:
        """Let each host send at most at a rate.

        Args:
          rate: bandwidth in the words of tc, such as "100mbit".
          delay_ms: time that a packet takes from one host to the other.

        Raises:
          InputError: there is to be a delay, and the kernel has no netem.
        """
        for host in range(2):
            shaper = ["rate", rate, "burst", _BURST, "latency", "100ms"]
            self._tc(host, "replace", "root", "handle", "1:", "tbf", *shaper)
            if delay_ms:
                try:
                    self._tc(host, "add", "parent", "1:", "netem", "delay", f"{delay_ms}ms", "limit", "100000")
                except subprocess.CalledProcessError as error:
                    raise InputError(
                        f"no delay: this machine's kernel has no netem ({error.stderr.strip()})"
                    ) from error

    def cut(self) -> None:
        """Cut the link: what is sent is lost, and no host is told."""
        _ip("-n", self._names[0], "link", "set", DEVICE, "down")

    def mend(self) -> None:
        """Mend the link."""
        _ip("-n", self._names[0], "link", "set", DEVICE, "up")

    def bytes_sent(self) -> tuple[int, int]:
        """Return the bytes that each host has sent over the link so far, with all headers."""
        counts = []
        for name in self._names:
            (link,) = json.loads(_ip("-n", name, "-s", "-j", "link", "show", DEVICE))
            counts.append(link["stats64"]["tx"]["bytes"])
        return counts[0], counts[1]

    def _tc(self, host: int, action: str, *arguments: str) -> None:
        _run("tc", "-n", self._names[host], "qdisc", action, "dev", DEVICE, *arguments)


@contextlib.contextmanager
def virtual_hosts() -> Iterator[VirtualHosts]:
    """Make two hosts, and remove them at the end of the block; processes there must have ended by then.

    Raises:
      InputError: this machine cannot have them; the message says why.
    """
    if reason := missing():
        raise InputError(reason)
    names = [f"cartoongan-{os.getpid()}-{host}" for host in range(2)]
    with contextlib.ExitStack() as stack:
        for name in names:
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "delete", name)
        _ip("-n", names[0], "link", "add", DEVICE, "type", "veth", "peer", "name", DEVICE, "netns", names[1])
        for name, address in zip(names, VirtualHosts.addresses, strict=True):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", DEVICE)
            for device in ("lo", DEVICE):
                _ip("-n", name, "link", "set", device, "up")
        yield VirtualHosts(names)


def missing() -> str:
    """Return the reason why this machine cannot have virtual hosts; "" if it can."""
    if not hasattr(os, "geteuid") or os.geteuid():
        return "network namespaces are Linux's, and need root"
    for tool in ("ip", "tc"):
        if not shutil.which(tool):
            return f"{tool} is not installed (apt-get install iproute2)"
    name = f"cartoongan-{os.getpid()}-trial"
    try:
        _ip("netns", "add", name)
        _ip("netns", "delete", name)
    except subprocess.CalledProcessError as error:
        return f"no network namespace can be made here ({error.stderr.strip()})"
    return ""


def _ip(*arguments: str) -> str:
    return _run("ip", *arguments)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
