import grpc
import pytest
from tensorflow_serving.apis import prediction_service_pb2_grpc

from benchmarks.prediction_server import grpc_server
from export.serving.remote_model import GrpcModel, ServerError


class BusyModel(prediction_service_pb2_grpc.PredictionServiceServicer):
    def Predict(self, request, context):
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")


def test_a_server_without_a_free_thread_is_not_one_for_which_the_picture_is_too_large():
    with grpc_server(BusyModel()) as address, pytest.raises(ServerError, match="try again later") as error:
        GrpcModel(address, "demo").draw(b"a photo")
    assert f"--server={address}" in str(error.value) and "--long_side" not in str(error.value)
