"""Training steps on two hosts: what to ask of them, and their answers.

`benchmarks.host_worker` runs on each host. A line of its input is a `Request` in JSON, and the answer is a line of its
output.
"""

import dataclasses
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.watched_process import WatchedProcess

ANSWER = "answer: "
_ANSWERS = re.compile(rf"{ANSWER}([^\n]*)\n")  # not ".", which matches line ends in `ask`
_SECS_TO_ANSWER = 600.0


@dataclasses.dataclass(frozen=True)
class Request:
    """Steps to run on all hosts.

    Attributes:
      phase: phase of training whose steps to run.
      num_steps: number of steps, a multiple of `steps_per_call`.
      steps_per_call: steps in one call of TensorFlow, after which the loop asks all workers whether to stop.
      weights_dir: folder in which each host writes all weights after the steps, as `weights_of` reads them; "": none.
    """

    phase: str
    num_steps: int
    steps_per_call: int = 1
    weights_dir: str = ""


@dataclasses.dataclass(frozen=True)
class Answer:
    """The result of a request on one host.

    Attributes:
      secs: seconds that the steps took.
      sent_bytes: bytes that the host sent over the link meanwhile.
      scalars: scalars of the phase by name, one value a step.
    """

    secs: float
    sent_bytes: int
    scalars: dict[str, list[float]]


def command(recipe: dict[str, Any]) -> list[str]:
    """Return the command that runs on each host.

    Args:
      recipe: fields of TrainConfig that differ from their defaults; `crop_size` is the pictures' size.
    """
    return [sys.executable, "-m", "benchmarks.host_worker", json.dumps(recipe)]


def ask(both: list[WatchedProcess], request: Request) -> list[Answer]:
    """Let both hosts run a request; return the answer of each.

    Raises:
      TimeoutError: a host ends or takes too long; the message has its output.
    """
    number = len(_ANSWERS.findall(both[0].output)) + 1
    for process in both:
        process.tell(json.dumps(dataclasses.asdict(request)))
    answers = []
    for process in both:
        process.wait_for(rf"(?s)({_ANSWERS.pattern}.*?){{{number}}}", _SECS_TO_ANSWER)
        answers.append(Answer(**json.loads(_ANSWERS.findall(process.output)[-1])))
    return answers


def leave(both: list[WatchedProcess]) -> None:
    """Let both hosts end."""
    for process in both:
        process.close_input()
    for process in both:
        process.wait(_SECS_TO_ANSWER)


def weights_of(weights_dir: str | os.PathLike, host: int) -> list[np.ndarray]:
    """Read the weights that a host wrote, see `Request.weights_dir`."""
    with np.load(weights_file(weights_dir, host)) as weights:
        return list(weights.values())


def weights_file(weights_dir: str | os.PathLike, host: int) -> Path:
    """Return the file of a host's weights in a folder."""
    return Path(weights_dir, f"host{host}.npz")
