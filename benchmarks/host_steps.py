"""Training steps on one of two hosts, as many as standard input asks for; `benchmarks.hosts` starts it on both.

    TF_CONFIG=... python -m benchmarks.host_steps '{"generator_width": 16}'

The argument is the recipe, in JSON. A line of input is a `Request` in JSON; the answer is a line on standard output.
Pictures are random, the same ones on each run.
"""

import dataclasses
import functools
import itertools
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.virtual_hosts import bytes_sent_from_here
from benchmarks.watched_process import WatchedProcess
from cartoongan_tf.base import program
from cartoongan_tf.training.config import TrainConfig

_ANSWERS = re.compile(r"answer: ([^\n]*)\n")  # not ".", which matches line ends in `ask`
_NUM_BATCHES = 8  # different ones, which come again and again
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
    return [sys.executable, "-m", "benchmarks.host_steps", json.dumps(recipe)]


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
    with np.load(_weights_file(weights_dir, host)) as weights:
        return list(weights.values())


def _weights_file(weights_dir: str | os.PathLike, host: int) -> Path:
    return Path(weights_dir, f"host{host}.npz")


def _serve(recipe: TrainConfig) -> None:
    """Join the other host, and answer requests until the input ends."""
    program.start_tensorflow()
    from cartoongan_tf.training import distribution, step_graph

    step_graph.switch_remapper_off()
    strategy = distribution.build_strategy("multi_worker")
    with distribution.explaining_lost_workers(strategy):
        steps = _Steps(recipe, strategy)
        for line in sys.stdin:
            print("answer:", json.dumps(dataclasses.asdict(steps.run(Request(**json.loads(line))))), flush=True)


class _Steps:
    """The steps of a recipe, traced when they are first asked for."""

    def __init__(self, recipe: TrainConfig, strategy):
        import keras

        from cartoongan_tf.training import networks, phases, schedule

        keras.utils.set_random_seed(recipe.seed)
        self._recipe = recipe
        self._strategy = strategy
        plan = schedule.plan(recipe, steps_per_epoch=1000)
        with strategy.scope():
            self._networks = networks.build_networks(recipe, plan, recipe.crop_size)
        self._phases = {phase.name: phase for phase in phases.build_phases(recipe, self._networks, plan)}

    def run(self, request: Request) -> Answer:
        """Run the steps as the training loop does."""
        from cartoongan_tf.training import distribution

        train = self._traced(request.phase)
        distribution.from_all_workers(self._strategy, 0)  # all begin together
        sent_before, began = bytes_sent_from_here(), time.perf_counter()
        of_calls = []
        for _ in range(0, request.num_steps, request.steps_per_call):
            of_calls.append(train(request.steps_per_call))
            distribution.any_worker(self._strategy, False)
        scalars: dict[str, list[float]] = {name: [] for name in of_calls[0]}
        for name, of_call in itertools.product(scalars, of_calls):
            scalars[name].extend(of_call[name].numpy().tolist())
        answer = Answer(time.perf_counter() - began, bytes_sent_from_here() - sent_before, scalars)
        if request.weights_dir:
            self._write_weights(_weights_file(request.weights_dir, distribution.cluster_of(self._strategy).worker))
        return answer

    @functools.cache  # noqa: B019  there is one object, as long as the process
    def _traced(self, phase: str):
        from cartoongan_tf.training.feeds import Feeds
        from cartoongan_tf.training.step_graph import several_steps

        batches = Feeds(self._random_batches, self._recipe.batch_size).distribute_training(self._strategy, 0)
        return several_steps(self._phases[phase].step, batches, self._strategy)

    def _random_batches(self, first_batch: int, num_workers: int, worker: int):
        """Return this host's part of a few random batches, again and again; see `Feeds.training`."""
        import tensorflow as tf

        from benchmarks.train_step_works import random_batch

        parts: dict[str, list] = {}
        for seed in range(_NUM_BATCHES):
            for name, pictures in random_batch(dataclasses.replace(self._recipe, seed=seed)).items():
                parts.setdefault(name, []).append(tf.split(pictures, num_workers)[worker])
        return tf.data.Dataset.from_tensor_slices({name: tf.stack(of_name) for name, of_name in parts.items()}).repeat()

    def _write_weights(self, path: Path) -> None:
        models = (self._networks.generator, self._networks.discriminator)
        weights = [variable.numpy() for model in models for variable in model.trainable_variables]
        np.savez(path, *weights)


def main(argv: list[str]) -> int:
    _serve(TrainConfig(data_dir="", run_dir="", **json.loads(argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
