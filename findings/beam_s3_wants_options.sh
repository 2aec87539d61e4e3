#!/usr/bin/env bash
# Guess: FileSystems.match("s3://...") uses boto3's usual credentials and region, as "gs://..." uses Google's.
# What happens: outside a pipeline's workers, Apache Beam 2.77 refuses every path of s3:// with "Must provide one of client
# or options", wrapped into a BeamIOError, whatever credentials and region are set.
# For users: call FileSystems.set_options(PipelineOptions([])) first; our programs do. The variables of AWS count then.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet apache-beam==2.77.0 boto3==1.44.8 "moto[server]==5.2.5"
cat > list.py <<'PYTHON'
import threading

import boto3
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
server.start()
_, port = server.get_host_and_port()
client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}")
client.create_bucket(Bucket="album")
client.put_object(Bucket="album", Key="a.txt", Body=b"text")
try:
    FileSystems.match(["s3://album/*"])
    print("without options: listed")
except BeamIOError as error:
    print("without options:", next(iter(error.exception_details.values())))
FileSystems.set_options(PipelineOptions([f"--s3_endpoint_url=http://127.0.0.1:{port}"]))
(matches,) = FileSystems.match(["s3://album/*"])
print("with options:", [file.path for file in matches.metadata_list])
server.stop()
PYTHON
export AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret AWS_DEFAULT_REGION=us-east-1
venv/bin/python list.py 2> errors.txt | tee seen.txt
# Output of 2026-12-01:
#   without options: List operation failed with exceptions {'s3://album/': ValueError('Must provide one of client or options')}
#   with options: ['s3://album/a.txt']
grep -q "^without options: .*Must provide one of client or options" seen.txt
grep -qx "with options: \['s3://album/a.txt'\]" seen.txt
