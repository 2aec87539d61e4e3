"""A worker of `benchmarks.hosts`: it joins the other host, and runs the steps that its input asks for until it ends.

    TF_CONFIG=... python -m benchmarks.host_worker '{"generator_width": 16}'

The argument is the recipe in JSON; the input is described in `benchmarks.host_steps`.
"""

import dataclasses
import json
import sys

from benchmarks.host_steps import ANSWER, Request
from cartoongan_tf.base import program
from cartoongan_tf.training.config import TrainConfig


def main(argv: list[str]) -> None:
    program.start_tensorflow()
    from benchmarks.host_steps_works import Steps
    from cartoongan_tf.training import distribution

    recipe = TrainConfig(data_dir="", run_dir="", **json.loads(argv[1]))
    strategy = distribution.build_strategy("multi_worker")
    with distribution.explaining_lost_workers(strategy):
        steps = Steps(recipe, strategy)
        for line in sys.stdin:
            answer = steps.run(Request(**json.loads(line)))
            print(f"{ANSWER}{json.dumps(dataclasses.asdict(answer))}", flush=True)


if __name__ == "__main__":
    main(sys.argv)
