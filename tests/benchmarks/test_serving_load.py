"""The load test, with a small network and small photos; and its clients, against servers that answer wrongly."""

import itertools
import re

import psutil
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from benchmarks import load_clients, prediction_server, serving_load
from benchmarks.load_clients import Request
from benchmarks.served_models import signatures_of
from cartoongan_tf.base.errors import InputError
from export.serving.remote_model import GrpcModel, RemoteModel, RestModel, ServerError


def _tables(text):
    """The cells of each table, without the head."""
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]] for table in tables
    ]


@pytest.mark.slow
def test_servers_under_load(narrow_path, tmp_path, capsys):
    for package in ("onnxruntime", "tf2onnx"):
        pytest.importorskip(package, reason=f"{package}, a peer, is not installed")
    before = _workers()
    output = tmp_path / "table.md"
    flags = ["--seconds=3", "--rounds=1", "--clients=1,3", "--megapixels=0.01,0.02", "--bad_share=0.25"]
    assert serving_load.main(["x", f"--model={narrow_path}", *flags, f"--output={output}"]) == 0
    text = output.read_text()
    speeds, memory = _tables(text)
    assert [row[:2] for row in speeds] == [[method, number] for number in "13" for method in serving_load.SERVERS]
    counts = []
    for row in speeds:
        per_sec, ratio, p50, p95, p99, cartoons, refused, peak_mb = (float(cell.replace(",", "")) for cell in row[2:])
        assert per_sec > 0 and 0 < p50 <= p95 <= p99 < 60 and 100 < peak_mb < 4000
        counts.append((cartoons, refused))
        assert row[0] != "TensorFlow, gRPC" or ratio == 1.0
    cartoons, refused = map(sum, zip(*counts, strict=True))
    assert cartoons >= 4 * (1 + 3) and refused / (cartoons + refused) == pytest.approx(0.25, abs=0.06)
    assert [row[0] for row in memory] == list(serving_load.SERVERS)
    assert 0.1 < float(re.search(r"A batch of 8 pictures of 256 x 256 takes ([\d.]+) times", text)[1]) < 10
    assert text in capsys.readouterr().out
    assert _workers() == before


def _workers():
    """The processes that this one has spawned to work for it."""
    children = psutil.Process().children(recursive=True)
    return {child.pid for child in children if any("spawn_main" in word for word in child.cmdline())}


def test_flags_that_cannot_be_used(capsys):
    for flag in ("--clients=2,1", "--clients=0", "--clients=few", "--megapixels=0", "--bad_share=1.0", "--rounds=0"):
        assert serving_load.main(["x", flag]) == 2, flag
        assert f"{flag}: " in capsys.readouterr().err


def test_one_request_in_a_hundred_is_bad_and_photos_come_equally_often():
    good = [Request(bytes([number]), b"") for number in range(4)]
    is_bad = load_clients.turns_of_bad(0.01)
    sent = list(itertools.islice(load_clients.mixed(good, [Request(b"bad", None)], is_bad, seed=0), 404))
    assert [number for number, request in enumerate(sent) if request.cartoon is None] == [49, 149, 249, 349]
    assert {request.content: sent.count(request) for request in good} == {bytes([number]): 100 for number in range(4)}
    assert [request.content for request in sent[:4]] != [request.content for request in sent[4:8]]


class Backwards:
    """A model whose cartoon of a file is the file backwards."""

    signatures = signatures_of("encoded", "image_bytes")

    def answer(self, request):
        files = tf.make_ndarray(request.inputs["image_bytes"])
        if not all(file.startswith(b"photo") for file in files):
            raise tf.errors.InvalidArgumentError(None, None, "not a picture")
        response = predict_pb2.PredictResponse()
        response.outputs["cartoon_bytes"].CopyFrom(tf.make_tensor_proto([file[::-1] for file in files]))
        return response


@pytest.fixture(params=["grpc", "rest"])
def model(request):
    servicer = prediction_server.PredictionServicer({"demo": {1: Backwards()}})
    serve, client = {
        "grpc": (prediction_server.grpc_server, GrpcModel),
        "rest": (prediction_server.rest_server, RestModel),
    }[request.param]
    with serve(servicer) as address:
        yield client(address, "demo", timeout_secs=30)


def test_a_load_counts_cartoons_and_refusals(model):
    requests = [Request(b"photo 1", b"1 otohp"), Request(b"notes", None), Request(b"photo 2", b"2 otohp")]
    done = load_clients.load(model, itertools.cycle(requests), num_clients=3, secs=0.3)
    assert done.num_refused > 0 and abs(len(done.latencies_secs) - 2 * done.num_refused) <= 2
    assert 0 < max(done.latencies_secs) < done.secs and done.pictures_per_sec == len(done.latencies_secs) / done.secs


def test_answers_that_were_not_expected_end_a_load(model):
    for request, message in (
        (Request(b"photo", b"another cartoon"), "differently under load"),
        (Request(b"photo", None), "drew a file that is no picture"),
        (Request(b"notes", b"a cartoon"), "refused a photo: not a picture"),
    ):
        with pytest.raises(InputError, match=message):
            load_clients.load(model, itertools.repeat(request), num_clients=2, secs=60)


def test_a_server_that_is_gone_ends_a_load():
    class Gone(RemoteModel):
        def _ask(self, *_):
            raise self._no_answer("gone")

    with pytest.raises(ServerError, match="gone"):
        load_clients.load(Gone("localhost:1", "demo"), itertools.repeat(Request(b"", None)), num_clients=2, secs=60)
