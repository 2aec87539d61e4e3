"""The steps of an archive as pipelines of Apache Beam, one for each step.

A pipeline has no more than a ParDo and one GroupByKey, so that every runner can run it: Dask's has no metrics, and
computes nothing but the last transform. Outcomes return through a file in the output folder.
"""

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam
from apache_beam.metrics import Metrics

from cartoongan_tf.archive.drawing import RunStep
from cartoongan_tf.archive.tasks import WORK_FOLDER, Outcome, Task
from cartoongan_tf.archive.worker import Step, WorkOrder, worker_of
from cartoongan_tf.base import progress
from cartoongan_tf.base.beam_runners import pipeline_on
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media.storage import folder_at

_MOST_DASK_PARTITIONS = 5000


def on_beam(order: WorkOrder, runner: str) -> RunStep:
    """Return a function that lets a Beam runner do the tasks of a step.

    Args:
      order: all that the workers must know.
      runner: Beam's name for the runner.
    """
    options = order.beam_options
    output = folder_at(order.output_dir)

    def run(step: Step, tasks: Sequence[Task]) -> list[Outcome]:
        if not tasks:
            return []
        outcomes_file = f"{WORK_FOLDER}/outcomes-{secrets.token_hex(8)}.json"
        with (
            progress.stage(f"{_NAMES[step]} of {len(tasks)} files and parts of films, on {runner}"),
            pipeline_on(runner, [*_default_options(runner, options, len(tasks)), *options]) as pipeline,
        ):
            _add_steps(pipeline, order, step, tasks, outcomes_file)
        if not output.exists(outcomes_file):
            raise InputError(f"{output}/{outcomes_file}: was not written; do the workers see that folder?")
        with output.open(outcomes_file) as file:
            outcomes = json.load(file)
        output.remove(outcomes_file)
        return [Outcome.from_json(fields) for fields in outcomes]

    return run


_NAMES: dict[Step, str] = {"find": "finding the shots", "draw": "drawing", "join": "joining the parts"}


def _default_options(runner: str, options: Sequence[str], num_tasks: int) -> list[str]:
    """Return options for a runner that by itself would give 128 files to one worker."""
    is_given = any(option.startswith(("--dask_npartitions", "--dask_partition_size")) for option in options)
    if runner != "DaskRunner" or is_given:
        return []
    return [f"--dask_npartitions={min(num_tasks, _MOST_DASK_PARTITIONS)}"]


def _add_steps(
    pipeline: beam.Pipeline, order: WorkOrder, step: Step, tasks: Sequence[Task], outcomes_file: str
) -> None:
    """Add a step to a pipeline. The last one is a lambda because Beam would take the type hints of a function."""
    (
        pipeline
        | "tasks" >> beam.Create(tasks)
        | "distribute" >> beam.Reshuffle()
        | step >> beam.ParDo(_Work(order, step))
        | "collect" >> beam.GroupByKey()
        | "write" >> beam.Map(lambda outcomes: _write_outcomes(order.output_dir, outcomes_file, outcomes[1]))
    )


class _Work(beam.DoFn):
    """One step of the work on each task."""

    def __init__(self, order: WorkOrder, step: Step):
        self._order = order
        self._step = step

    def setup(self) -> None:
        self._worker = worker_of(self._order)

    def process(self, task: Task) -> Iterator[tuple[int, Outcome]]:
        outcome = self._worker.work(self._step, task)
        Metrics.counter("cartoonize", f"{self._step}: {outcome.status}").inc()
        Metrics.distribution("cartoonize", f"{self._step}: milliseconds").update(round(1000 * outcome.secs))
        yield 0, outcome


def _write_outcomes(output_dir: str, name: str, outcomes: Iterable[Outcome]) -> None:
    folder_at(output_dir).write(name, json.dumps(list(outcomes)).encode())
