#!/usr/bin/env bash
# Guess: a Beam runner runs the whole pipeline. A pipeline with two ends, such as two outputs to write, runs both.
# What happens: DaskRunner of Apache Beam 2.77 computes the transform that was added last, and what that needs. Other
# branches never run, and it reports success. The direct runner runs both.
# For users: give a pipeline for Dask one end, or run one pipeline for each; our archives do that. `build_tfrecords` has
# several branches, and does not offer DaskRunner.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet apache-beam==2.77.0 dask==2026.8.0 distributed==2026.8.0
cat > branches.py <<'PYTHON'
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions


def write(name):
    Path(name).touch()
    return name


def run(runner, folder):
    Path(folder).mkdir()
    with beam.Pipeline(options=PipelineOptions([], runner=runner)) as pipeline:
        numbers = pipeline | beam.Create([1])
        numbers | "first" >> beam.Map(lambda _: write(f"{folder}/first"))
        numbers | "second" >> beam.Map(lambda _: write(f"{folder}/second"))
    return sorted(path.name for path in Path(folder).iterdir())


if __name__ == "__main__":
    for runner, folder in (
        ("DirectRunner", "direct"),
        ("apache_beam.runners.dask.dask_runner.DaskRunner", "dask"),
    ):
        print(f"{folder}: wrote {run(runner, folder)}")
PYTHON
venv/bin/python branches.py 2> errors.txt | tee seen.txt
# Output of 2026-12-01:
#   direct: wrote ['first', 'second']
#   dask: wrote ['second']
grep -qx "direct: wrote \['first', 'second'\]" seen.txt
grep -qx "dask: wrote \['second'\]" seen.txt
