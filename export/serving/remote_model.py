"""A client for a model on TensorFlow Serving, over gRPC or REST: picture files in, PNG or JPEG files out."""

import abc
import base64
import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

from cartoongan_tf.base.errors import InputError, assertion_text
from export.serving.facts import EACH, ENCODED, STYLED

TIMEOUT_SECS = 300.0
_NO_THREAD = "Threadpool Exhausted"  # from gRPC, in place of a thread for the request


class ServerError(InputError):
    """A server that cannot be used, for any picture."""


class Answer(NamedTuple):
    """A server's answer for one picture: the bytes of the cartoon, or the reason why there is none."""

    cartoon: bytes
    status: str = ""


class RemoteModel(abc.ABC):
    """A served model.

    Args:
      server: HOST:PORT of the server.
      model: name of the model on the server.
      version: version of the model; 0: the newest.
      timeout_secs: time in seconds to wait for each answer.
    """

    def __init__(self, server: str, model: str, version: int = 0, timeout_secs: float = TIMEOUT_SECS):
        self._server = server
        self._model = model
        self._version = version
        self._timeout_secs = timeout_secs

    def draw(self, photo: bytes, options: Mapping[str, Any] | None = None) -> bytes:
        """Cartoonize a picture file.

        Args:
          photo: bytes of a JPEG, PNG, GIF or BMP file.
          options: `strength` and `long_side`, or these with `keep_colors` and `format`; the signatures `styled` and
            `each` take them.

        Returns:
          bytes of a PNG file, or of the `format`.

        Raises:
          InputError: the server refuses this picture. The message is the server's.
          ServerError: there is no such server or model, or it did not answer in time.
        """
        options = dict(options or {})
        signature_name = ENCODED
        if options:
            signature_name = EACH if "format" in options else STYLED
        answer = self._ask(signature_name, photo, options)
        if answer.status:
            raise InputError(answer.status)
        return answer.cartoon

    @abc.abstractmethod
    def _ask(self, signature_name: str, photo: bytes, options: dict[str, Any]) -> Answer: ...

    def _refusal(self, message: str) -> InputError:
        """Return the error for a request that the server refuses."""
        if re.search(r"[Ss]ignature .*not found", message):
            return ServerError(
                f"--model={self._model}: the server's version has not all signatures ({message}), so it takes no "
                "--keep_colors and gives no JPEG; export it again, or leave these out"
            )
        return InputError(assertion_text(message))

    def _no_answer(self, reason: Any) -> ServerError:
        return ServerError(
            f"--server={self._server}: no answer ({reason}); start a server as described in the README beside "
            "models.config, and name its gRPC port (usually 8500), or with --rest its REST port (8501)"
        )

    def _too_slow(self) -> ServerError:
        return ServerError(
            f"--server={self._server}: no answer within {self._timeout_secs:g} s; raise --timeout_secs, or give "
            "--long_side for smaller pictures"
        )

    def _too_busy(self, reason: str) -> ServerError:
        return ServerError(
            f"--server={self._server}: draws for as many clients as it may ({reason}); try again later, or start it "
            "with a larger --grpc_max_threads"
        )

    def _not_found(self, message: str) -> ServerError:
        if self._version:
            advice = f"remove --model_version={self._version} to use the newest version"
        else:
            advice = "the names are in its models.config"
        return ServerError(f"--model={self._model}: the server does not serve it ({message}); {advice}")

    def _no_cartoon(self) -> ServerError:
        return ServerError(f"--model={self._model}: answers without a cartoon; export_model did not write this model")


class GrpcModel(RemoteModel):
    """A served model that is asked over gRPC, through PredictionService."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        import grpc
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        no_limits = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        channel = grpc.insecure_channel(self._server, options=no_limits)
        self._service = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def _ask(self, signature_name: str, photo: bytes, options: dict[str, Any]) -> Answer:
        import grpc
        import numpy as np

        from export.serving.requests import predict_request

        dtypes = {"strength": np.float32, "long_side": np.int32, "keep_colors": np.bool_, "format": np.object_}
        inputs: dict[str, Any] = {"image_bytes": [photo]}
        for name, value in options.items():
            inputs[name] = np.array([value], dtypes[name])
        request = predict_request(self._model, signature_name, inputs)
        if self._version:
            request.model_spec.version.value = self._version
        try:
            response = self._service.Predict(request, timeout=self._timeout_secs)
            outputs = {name: tensor.string_val[0] for name, tensor in response.outputs.items()}
            return Answer(outputs["cartoon_bytes"], outputs.get("status", b"").decode())
        except grpc.RpcError as error:
            raise self._error(error.code(), error.details()) from error
        except LookupError as error:
            raise self._no_cartoon() from error

    def _error(self, code: Any, details: str) -> InputError:
        import grpc

        match code:
            case grpc.StatusCode.INVALID_ARGUMENT | grpc.StatusCode.FAILED_PRECONDITION:
                return self._refusal(details)
            case grpc.StatusCode.RESOURCE_EXHAUSTED if _NO_THREAD in details:
                return self._too_busy(details)
            case grpc.StatusCode.RESOURCE_EXHAUSTED:
                return InputError(f"too large for the server ({details.splitlines()[0]}); give --long_side")
            case grpc.StatusCode.NOT_FOUND:
                return self._not_found(details)
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                return self._too_slow()
        return self._no_answer(f"{code.name}: {details}")


class RestModel(RemoteModel):
    """A served model that is asked over REST."""

    def _ask(self, signature_name: str, photo: bytes, options: dict[str, Any]) -> Answer:
        version = f"/versions/{self._version}" if self._version else ""
        url = f"http://{self._server}/v1/models/{self._model}{version}:predict"
        instance = {"image_bytes": {"b64": base64.b64encode(photo).decode()}, **options}
        body = json.dumps({"signature_name": signature_name, "instances": [instance]}).encode()
        try:
            with urllib.request.urlopen(url, body, self._timeout_secs) as answer:
                (prediction,) = json.load(answer)["predictions"]
                cartoon = prediction.get("cartoon_bytes", prediction)  # alone, an output has no name
                return Answer(base64.b64decode(cartoon["b64"]), prediction.get("status", ""))
        except urllib.error.HTTPError as error:
            raise self._error(error.code, _rest_message(error)) from error
        except TimeoutError as error:
            raise self._too_slow() from error
        except OSError as error:
            raise self._no_answer(getattr(error, "reason", error)) from error
        except http.client.HTTPException as error:
            raise self._no_answer("this port does not speak REST; is it the gRPC port?") from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._no_cartoon() from error

    def _error(self, status: int, message: str) -> InputError:
        match status:
            case 400:
                return self._refusal(message)
            case 404:
                return self._not_found(message)
            case 408 | 504:
                return self._too_slow()
        return self._no_answer(f"status {status}: {message}")


def _rest_message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):  # incomplete, or no model server
        return str(error.reason)
