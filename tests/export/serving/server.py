"""Stand-ins for TensorFlow Serving on real sockets: gRPC with its own protos, and REST in its format.

Its binary is not available everywhere. Both servers here use the same C++ session. REST follows
https://www.tensorflow.org/tfx/serving/api_rest: rows or columns, {"b64": ...} for bytes, and the same for outputs whose
names end in _bytes.
"""

import base64
import concurrent.futures
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from export.serving.session import ServingSession


class PredictionServicer(prediction_service_pb2_grpc.PredictionServiceServicer):
    """A service with models by name and version."""

    def __init__(self, sessions: dict[str, dict[int, ServingSession]]):
        self._sessions = sessions

    def answer(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        spec = request.model_spec
        versions = self._sessions.get(spec.name, {})
        version = spec.version.value or max(versions, default=0)
        if version not in versions:
            raise tf.errors.NotFoundError(None, None, f"Servable not found for request: {spec.name} {version}")
        signature_name = spec.signature_name or "serving_default"
        if signature_name not in versions[version].signatures:
            text = f'Serving signature key "{signature_name}" not found.'
            raise tf.errors.FailedPreconditionError(None, None, text)
        if set(request.inputs) != set(versions[version].signatures[signature_name].inputs):
            raise tf.errors.InvalidArgumentError(None, None, "input size does not match signature")
        return versions[version].answer(request)

    def Predict(self, request, context):
        try:
            return self.answer(request)
        except tf.errors.OpError as error:
            code = next(code for code in grpc.StatusCode if code.value[0] == error.error_code)
            context.abort(code, error.message)


@contextlib.contextmanager
def grpc_server(servicer: PredictionServicer) -> Iterator[str]:
    """Serve over gRPC; yields HOST:PORT."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextlib.contextmanager
def rest_server(servicer: PredictionServicer) -> Iterator[str]:
    """Serve over REST; yields HOST:PORT."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(servicer))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(servicer: PredictionServicer):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, answer = 200, _predict(servicer, self.path, body)
            except tf.errors.NotFoundError as error:
                status, answer = 404, {"error": error.message}
            except (tf.errors.InvalidArgumentError, tf.errors.FailedPreconditionError) as error:
                status, answer = 400, {"error": error.message}
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    return Handler


def _predict(servicer: PredictionServicer, path: str, body: dict) -> dict:
    model, _, version = path.removeprefix("/v1/models/").removesuffix(":predict").partition("/versions/")
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, body.get("signature_name", "")
    request.model_spec.version.value = int(version or 0)
    columns = body.get("inputs") or {
        name: [instance[name] for instance in body["instances"]] for name in body["instances"][0]
    }
    for name, values in columns.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(_tensor(name, values)))
    outputs = {name: _plain(name, tf.make_ndarray(value)) for name, value in servicer.answer(request).outputs.items()}
    if "inputs" in body:
        return {"outputs": next(iter(outputs.values())) if len(outputs) == 1 else outputs}
    if len(outputs) == 1:
        return {"predictions": next(iter(outputs.values()))}
    return {"predictions": [dict(zip(outputs, values, strict=True)) for values in zip(*outputs.values(), strict=True)]}


def _tensor(name: str, values: list) -> np.ndarray:
    """Convert JSON values to an array. A server knows the types from the signature; here they follow from the names."""
    types = {"image": np.uint8, "strength": np.float32, "long_side": np.int32, "keep_colors": np.bool_}
    return np.array([_bytes(value) for value in values], types.get(name, object))


def _bytes(value):
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _plain(name: str, values: np.ndarray) -> list:
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(value).decode()} for value in values]
    return [value.decode() for value in values] if values.dtype == object else values.tolist()
