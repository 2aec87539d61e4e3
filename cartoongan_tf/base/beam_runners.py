"""Apache Beam's runners: pipelines on them, with their errors as ours. Beam is imported only where it is used."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cartoongan_tf.base.errors import InputError

if TYPE_CHECKING:
    import apache_beam as beam

_CLASSES = {"DaskRunner": "apache_beam.runners.dask.dask_runner.DaskRunner"}  # Beam knows the others by name
_WITH_JOB_SERVER = ("FlinkRunner", "SparkRunner", "DataflowRunner")  # which may know options that Beam here does not


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


def configure_file_systems(options: Sequence[str]) -> None:
    """Let Beam's file systems use these of its options, in this process: the region of s3://, the host of hdfs://."""
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions

    FileSystems.set_options(PipelineOptions(list(options)))


def _new_pipeline(runner: str, options: Sequence[str]) -> "beam.Pipeline":
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.runner import create_runner

    name = _CLASSES.get(runner, runner)
    pipeline_runner = create_runner(name)  # its options are known from then on
    pipeline_options = PipelineOptions(list(options), runner=name)
    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            known = pipeline_options.get_all_options()
    except SystemExit:  # argparse has printed all options of all runners, and then the error
        raise ValueError(messages.getvalue().strip().rpartition("error: ")[2]) from None
    unknown = set(pipeline_options.get_all_options(retain_unknown_options=True)) - set(known)
    words = [f"--{name}" for name in sorted(unknown)] + [word for word in options[:1] if not word.startswith("-")]
    if words and runner not in _WITH_JOB_SERVER:
        raise ValueError(f"{words[0]} is no option of its")
    return beam.Pipeline(pipeline_runner, pipeline_options)
