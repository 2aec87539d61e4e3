"""Check on this machine's GPUs all that depends on them, and write a report of it.

    python -m benchmarks.accelerators --output=accelerators.md

Each check runs in a process of its own. Its row has a measured value and a verdict: pass, fail or skipped, with the
reason. Without a GPU the checks that make sense on a CPU run there, by default at a tiny size. The exit status is 1 if
a check fails.
"""

import concurrent.futures
import dataclasses
import functools
import sys
from collections.abc import Callable
from typing import Literal

from benchmarks import accelerator_drawing as drawing
from benchmarks import accelerator_training as training
from benchmarks.accelerator_place import Finding, Place, describe_devices
from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import fresh_process, write_report

CHECKS: dict[str, Callable[[Place], Finding]] = {
    "training step, float32": functools.partial(training.check_step, {}, False),
    "training step, TF32": functools.partial(training.check_step, {}, True),
    "training step, bfloat16": functools.partial(training.check_step, {"mixed_precision": "bfloat16"}, False),
    "training step, XLA": functools.partial(training.check_step, {"jit_compile": True}, False),
    "time of an epoch": training.check_epoch,
    "two replicas": training.check_replicas,
    "samples": drawing.check_samples,
    "out of memory, to bands": drawing.check_bands,
    "memory of the dry run": training.check_dry_run,
}


@dataclasses.dataclass(frozen=True)
class AcceleratorsConfig(Config):
    device: Literal["auto", "gpu", "cpu"] = option(
        "Devices to check; auto: the GPUs, or the CPU if there are none.", "auto"
    )
    size: Literal["auto", "paper", "tiny"] = option(
        "Size of networks and pictures; auto: the paper's on GPUs, tiny on a CPU.", "auto"
    )
    steps: int = option("Steps to time in each number format.", 10, at_least=1)
    output: str = option("A Markdown file to write the report to.", "")


def main(argv=None) -> int:
    return program.run(AcceleratorsConfig, _accelerators, __doc__, argv)


def _accelerators(config: AcceleratorsConfig, _) -> int:
    devices = _apart(describe_devices)
    num_gpus = 0 if config.device == "cpu" else len(devices)
    if config.device == "gpu" and not num_gpus:
        raise InputError("--device=gpu: TensorFlow finds no GPU; the README lists what to install for NVIDIA's")
    size = config.size
    if size == "auto":
        size = "paper" if num_gpus else "tiny"
    place = Place(num_gpus, size == "tiny", config.steps)
    lines = [f"Devices: {', '.join(devices[:num_gpus]) or 'the CPU'}. Size: {size}.", ""]
    lines += ["| check | measured | verdict |", "| --- | --- | --- |"]
    verdicts = []
    for name, check in CHECKS.items():
        finding = _run(check, place)
        verdicts.append(finding.verdict)
        lines.append(f"| {name} | {finding.measured} | {finding.verdict} |")
        print(lines[-1], flush=True)
    write_report("benchmarks.accelerators", config, ("tensorflow", "keras", "numpy"), lines, config.output)
    return 1 if any(verdict.startswith("fail") for verdict in verdicts) else 0


def _run(check: Callable[[Place], Finding], place: Place) -> Finding:
    """Run a check in a process of its own; an error there, whatever it is, is a failed check."""
    try:
        return _apart(check, place)
    except concurrent.futures.process.BrokenProcessPool:
        return Finding("", "fail: its process died")
    except Exception as error:
        first_line = f"{type(error).__name__}: {error}".splitlines()[0].replace("|", "/")
        return Finding("", f"fail: {first_line}")


def _apart(function: Callable, *args):
    with fresh_process() as process:
        return process.submit(function, *args).result()


if __name__ == "__main__":
    sys.exit(main())
