"""Training on two hosts: seconds and bytes of a step, and what a cut link or a lost host does.

    python -m benchmarks.hosts --output=hosts.md

The hosts are network namespaces of this machine with a virtual link, so it takes Linux and root. They share the
machine's processor: compare times by bandwidth and by --gradient_precision, not with those of a single host. The part
"traffic" runs steps of both phases on random pictures, as the training loop does, and counts the bytes on the link. The
part "faults" runs the training program itself on small networks, and takes some minutes.
"""

import dataclasses
import itertools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import host_faults, host_steps
from benchmarks.host_faults import HostTraining
from benchmarks.host_steps import Answer, Request
from benchmarks.random_records import build_random_records
from benchmarks.virtual_hosts import VirtualHosts, virtual_hosts
from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.timing import write_report
from cartoongan_tf.training.schedule import ADVERSARIAL, INITIALIZATION

_PARTS = ("traffic", "faults")
_PRECISIONS = ("float32", "bfloat16")
_STEPS_PER_CALL = (1, 8)
_NUM_PICTURES = 8  # of each kind, in the records of the faults
_SMALL = ("--generator_width=4", "--generator_num_blocks=1", "--discriminator_width=4", "--vgg19_weights=random")


@dataclasses.dataclass(frozen=True)
class HostsConfig(Config):
    parts: str = option("The parts to run, separated by commas.", ",".join(_PARTS))
    rates: str = option("Bandwidths of the link, as tc writes them, separated by commas.", "1gbit,100mbit")
    delay_ms: float = option(
        "Milliseconds that a packet travels, where the kernel has netem; the report says if it has not.",
        1.0,
        at_least=0,
    )
    image_size: int = option("Side of the square pictures, in pixels; a multiple of 4 from 32 up.", 64, at_least=32)
    batch_size: int = option("Pictures in a step, of both hosts together; an even number.", 2, at_least=2)
    generator_width: int = option("Filters of the generator's first convolution; 0: the paper's.", 0, at_least=0)
    generator_num_blocks: int = option("Residual blocks of the generator; 0: the paper's.", 0, at_least=0)
    discriminator_width: int = option("Filters of the discriminator's first convolution.", 32, at_least=1)
    steps: int = option(f"Steps to time; a multiple of {max(_STEPS_PER_CALL)}.", 8, at_least=1)
    output: str = option("A Markdown file to write the tables to.", "")

    def __post_init__(self):
        super().__post_init__()
        are_known = set(self.parts.split(",")) <= set(_PARTS)
        require(self, "parts", are_known, f"there are {', '.join(_PARTS)}")
        require(self, "image_size", self.image_size % 4 == 0, "must be a multiple of 4")
        require(self, "batch_size", self.batch_size % 2 == 0, "must be even")
        require(self, "steps", self.steps % max(_STEPS_PER_CALL) == 0, f"must be a multiple of {max(_STEPS_PER_CALL)}")


class _Work(NamedTuple):
    """Steps that are measured at every bandwidth."""

    phase: str
    precision: str
    steps_per_call: int


_Measured = dict[_Work, dict[str, list[Answer]]]  # by work and bandwidth, the answer of each host


def main(argv=None) -> int:
    return program.run(HostsConfig, _hosts, __doc__, argv)


def _hosts(config: HostsConfig, _) -> None:
    program.start_tensorflow()  # it reads checkpoints, and builds records
    lines = []
    with virtual_hosts() as hosts:
        delay = f"{config.delay_ms:g} ms" if hosts.can_delay else "none of its own: this kernel has no netem"
        lines += [f"Delay of the link: {delay}."]
        if "traffic" in config.parts:
            lines += ["", *_traffic(config, hosts)]
        if "faults" in config.parts:
            lines += ["", *_faults(config, hosts)]
    write_report("benchmarks.hosts", config, ("tensorflow", "keras", "numpy"), lines, config.output)


def _traffic(config: HostsConfig, hosts: VirtualHosts) -> list[str]:
    """Measure the steps of each phase in each precision; return a table, and lines about weights and losses."""
    measured: _Measured = {}
    apart = 0.0
    for precision in _PRECISIONS:
        with tempfile.TemporaryDirectory() as folder:
            measured |= _measure(config, hosts, precision, folder)
            pairs = zip(*(host_steps.weights_of(folder, host) for host in range(2)), strict=True)
            apart = max(apart, *(float(np.abs(ours - theirs).max()) for ours, theirs in pairs))
    return [
        *_traffic_table(measured, config),
        "",
        f"After all steps the weights on the hosts differ by at most {apart:g}.",
        *_losses_apart(measured),
    ]


def _measure(config: HostsConfig, hosts: VirtualHosts, precision: str, weights_dir: str) -> _Measured:
    """Run all works of a precision in one pair of processes, whose last weights go to a folder."""
    measured: _Measured = {}
    with hosts.started(host_steps.command(_recipe(config, precision))) as both:
        for phase in (INITIALIZATION, ADVERSARIAL):
            host_steps.ask(both, Request(phase, 1))  # traces the step
            for rate, steps_per_call in itertools.product(config.rates.split(","), _STEPS_PER_CALL):
                hosts.limit(rate, config.delay_ms)
                answers = host_steps.ask(both, Request(phase, config.steps, steps_per_call, weights_dir))
                measured.setdefault(_Work(phase, precision, steps_per_call), {})[rate] = answers
                print(f"{phase}, {precision}, {rate}: {answers[0].secs / config.steps:.3g} s a step", flush=True)
        host_steps.leave(both)
    return measured


def _recipe(config: HostsConfig, precision: str) -> dict[str, Any]:
    return {
        "vgg19_weights": "random",
        "generator_width": config.generator_width,
        "generator_num_blocks": config.generator_num_blocks,
        "discriminator_width": config.discriminator_width,
        "batch_size": config.batch_size,
        "crop_size": config.image_size,
        "gradient_precision": precision,
    }


def _traffic_table(measured: _Measured, config: HostsConfig) -> list[str]:
    rates = config.rates.split(",")
    times = " | ".join(f"s a step at {rate}" for rate in rates)
    lines = [
        f"| phase | gradients | steps a call | MB that a host sends in a step | x float32 | {times} |",
        f"| --- | --- | --: | --: | --: {'| --: ' * len(rates)}|",
    ]
    for work, by_rate in measured.items():
        sent, of_float32 = (
            _sent_bytes(measured[each]) / config.steps for each in (work, work._replace(precision="float32"))
        )
        cells = [work.phase, work.precision, str(work.steps_per_call), f"{sent / 1e6:.3f}", f"{sent / of_float32:.3f}"]
        cells += [f"{by_rate[rate][0].secs / config.steps:.3g}" for rate in rates]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _sent_bytes(by_rate: dict[str, list[Answer]]) -> float:
    """Return the bytes that a host sent in one measurement: the mean over hosts and bandwidths."""
    return float(np.mean([answer.sent_bytes for answers in by_rate.values() for answer in answers]))


def _losses_apart(measured: _Measured) -> Iterator[str]:
    """Yield a line for each phase: how far the mean losses in bfloat16 are from those in float32.

    The losses of single steps tell little: runs from weights that differ by a millionth part as far within 30 steps.
    """
    for phase in (INITIALIZATION, ADVERSARIAL):
        in_float32, in_bfloat16 = (_losses(measured, phase, precision) for precision in _PRECISIONS)
        apart = np.max(np.abs(in_bfloat16.mean(1) / in_float32.mean(1) - 1))
        yield f"{phase}: the mean losses of {in_float32.shape[1]} steps in bfloat16 differ by at most {apart:.1%}."


def _losses(measured: _Measured, phase: str, precision: str) -> np.ndarray:
    """Return the losses of all steps of a phase: float64 [losses, steps]."""
    curves: dict[str, list[float]] = {}
    rates = next(iter(measured.values()))
    for rate, steps_per_call in itertools.product(rates, _STEPS_PER_CALL):
        for name, values in measured[_Work(phase, precision, steps_per_call)][rate][0].scalars.items():
            if name.endswith("_loss"):
                curves.setdefault(name, []).extend(values)
    return np.array(list(curves.values()))


def _faults(config: HostsConfig, hosts: VirtualHosts) -> list[str]:
    """Let one training suffer all faults, one after the other; return a table."""
    hosts.limit(config.rates.split(",")[0], config.delay_ms)
    with tempfile.TemporaryDirectory() as folder:
        records = build_random_records(Path(folder), _NUM_PICTURES, image_size=32)
        flags = [f"--data_dir={records}", *_SMALL, "--batch_size=4", "--pool_size=4", "--checkpoint_every_steps=10"]
        flags += ["--initialization_epochs=1", "--adversarial_epochs=100000"]
        outcomes = {}
        with HostTraining(hosts, Path(folder, "run"), flags) as training:
            for name, fault in host_faults.FAULTS.items():
                training.wait_for_checkpoint()
                outcomes[name] = training.suffer(fault)
                print(f"{name}: {outcomes[name]}", flush=True)
            training.stop()
    return host_faults.table(outcomes)


if __name__ == "__main__":
    sys.exit(main())
