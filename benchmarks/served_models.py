"""One network behind gRPC and REST, in a process of its own: in TensorFlow's C++ session, or in ONNX Runtime.

`prepare` writes the files of both once; a `ServedModel` then serves one of them. Both take the same requests, those of
TensorFlow Serving for the signature `encoded`.
"""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.inference_methods import METHODS
from cartoongan_tf.base import memory
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.worker import Report, Worker
from cartoongan_tf.media import pictures
from cartoongan_tf.models.picture_sizes import pad_to_fit
from export.serving.facts import DEFAULT, ENCODED, MAX_PIXELS

MODEL = "model"  # the model's name on the server
TENSORFLOW, ONNX_RUNTIME = "TensorFlow", "ONNX Runtime"
GRPC, REST = "gRPC", "REST"


class Settings(NamedTuple):
    """The settings of a server.

    Attributes:
      folder: folder that `prepare` filled.
      drawing_size: longer side, in pixels, at which larger pictures are drawn.
      intra_op_threads, inter_op_threads: as in `ServingSession`; ONNX Runtime takes the first number.
      most_requests: number of requests that are answered at once over gRPC.
    """

    folder: Path
    drawing_size: int
    intra_op_threads: int
    inter_op_threads: int
    most_requests: int


def prepare(model: Path, folder: Path, drawing_size: int, photo: np.ndarray) -> None:
    """Write the files that the servers load: a version as for TensorFlow Serving, and generator.onnx.

    Args:
      model: a .keras file.
      folder: folder to write to.
      drawing_size: as in `Settings`.
      photo: photo for the warm-up requests; uint8 RGB [H, W, 3].
    """
    from cartoongan_tf.base import program

    program.start_tensorflow()
    from cartoongan_tf.models.generator_file import load_generator
    from export import onnx_file
    from export.serving import saved_model

    generator = load_generator(model)
    saved_model.write_version(generator, folder / "version", MODEL, photo, MAX_PIXELS, drawing_size)
    (folder / "generator.onnx").write_bytes(onnx_file.convert(generator))


class ServedModel:
    """A server in a process of its own, which has ended after the block; a context manager."""

    def __init__(self, engine: str, settings: Settings):
        self._worker = Worker(_Server, engine, settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._worker.close()

    def address(self, protocol: str) -> str:
        """Return HOST:PORT for a protocol."""
        return self._worker.call()[0][protocol]

    def peak_bytes(self) -> int:
        """Return the most memory that the server has held so far."""
        return self._worker.call()[1]


class _Server:
    """The servers for both protocols, in a process of their own; a call returns their addresses and its memory."""

    def __init__(self, _: Report, engine: str, settings: Settings):
        from cartoongan_tf.base import program

        program.start_tensorflow()
        from benchmarks.prediction_server import PredictionServicer, grpc_server, rest_server

        servicer = PredictionServicer({MODEL: {1: _ENGINES[engine](settings)}})
        self._running = contextlib.ExitStack()  # until the process ends
        self._addresses = {
            GRPC: self._running.enter_context(grpc_server(servicer, settings.most_requests)),
            REST: self._running.enter_context(rest_server(servicer)),
        }

    def __call__(self) -> tuple[dict[str, str], int]:
        return self._addresses, memory.peak_bytes()


def _load_tensorflow(settings: Settings) -> Any:
    from export.serving.session import ServingSession

    return ServingSession(settings.folder / "version", settings.intra_op_threads, settings.inter_op_threads)


def signatures_of(name: str, *inputs: str) -> dict[str, Any]:
    """Return the SignatureDef of a model that has one signature, by its name.

    Args:
      name: name of the signature.
      inputs: names of its inputs.
    """
    from tensorflow.core.protobuf import meta_graph_pb2

    signature = meta_graph_pb2.SignatureDef(inputs={each: meta_graph_pb2.TensorInfo(name=each) for each in inputs})
    return {name: signature}


class _OnnxSession:
    """An ONNX file that answers requests for `encoded`; Pillow decodes and encodes the pictures."""

    def __init__(self, settings: Settings):
        self._drawing_size = settings.drawing_size
        self._draw = METHODS["ONNX, ONNX Runtime"](settings.folder, settings.intra_op_threads)
        self.signatures = signatures_of(ENCODED, "image_bytes")

    def answer(self, request: Any) -> Any:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        cartoons = [self._draw_file(content) for content in tf.make_ndarray(request.inputs["image_bytes"])]
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        response.outputs["cartoon_bytes"].CopyFrom(tf.make_tensor_proto(cartoons))
        return response

    def _draw_file(self, content: bytes) -> bytes:
        import tensorflow as tf

        try:
            photo = pictures.read_picture(io.BytesIO(content), name="image_bytes")
        except InputError as error:
            raise tf.errors.InvalidArgumentError(None, None, str(error)) from error
        photo = pictures.shrink(photo, self._drawing_size) if self._drawing_size else photo
        drawn = self._draw(pad_to_fit(photo)[np.newaxis].astype(np.float32) / np.float32(127.5) - np.float32(1))
        drawn = drawn[0, : photo.shape[0], : photo.shape[1]]
        cartoon = np.round((drawn + 1) * 127.5).clip(0, 255).astype(np.uint8)
        return pictures.encode(pictures.Picture([cartoon]), ".png")


_ENGINES: dict[str, Callable[[Settings], Any]] = {TENSORFLOW: _load_tensorflow, ONNX_RUNTIME: _OnnxSession}


def load_batches(settings: Settings) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that draws pictures of one size, uint8 RGB [N, H, W, 3], in one run of TensorFlow's session."""
    from cartoongan_tf.base import program

    program.start_tensorflow()
    session = _load_tensorflow(settings)
    return lambda images: session.predict(DEFAULT, image=images)["cartoon"]
