"""Apache Beam's runners: pipelines on them, with their errors as ours. Beam is imported only where it is used."""

import contextlib
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
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    try:
        with beam.Pipeline(options=PipelineOptions(list(options), runner=_CLASSES.get(runner, runner))) as pipeline:
            yield pipeline
    except InputError:
        raise
    except (RuntimeError, ValueError, ImportError, OSError) as error:
        raise InputError(f"--runner={runner}: {error}; Beam's own options follow after --") from error
