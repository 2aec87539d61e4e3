"""Apache Beam's runners: pipelines on them, with their errors as ours. Beam is imported only where it is used."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cartoongan_tf.base.errors import InputError

if TYPE_CHECKING:
    import apache_beam as beam

_CLASSES = {"DaskRunner": "apache_beam.runners.dask.dask_runner.DaskRunner"}  # Beam knows the others by name


@contextlib.contextmanager
def pipeline_on(runner: str, options: Sequence[str]) -> Iterator["beam.Pipeline"]:
    """Yield a pipeline, which runs when the block ends.

    Args:
      runner: Beam's name for the runner.
      options: the runner's own options, such as ["--region=europe-west4"].

    Raises:
      InputError: there is no such cluster, an option is wrong, or a worker failed.
    """
    try:
        with _new_pipeline(runner, options) as pipeline:
            yield pipeline
    except InputError:
        raise
    except (RuntimeError, ValueError, ImportError, OSError) as error:
        raise InputError(f"--runner={runner}: {error}; Beam's own options follow after --") from error


def _new_pipeline(runner: str, options: Sequence[str]) -> "beam.Pipeline":
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            pipeline_options = PipelineOptions(list(options), runner=_CLASSES.get(runner, runner))
            pipeline_options.get_all_options()  # parses them
    except SystemExit:  # argparse has printed all options of all runners, and then the error
        problem = messages.getvalue().strip().rpartition("error: ")[2]
        raise ValueError(problem) from None
    return beam.Pipeline(options=pipeline_options)
