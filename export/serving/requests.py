"""Requests to a served model, and the warm-up requests stored with a version."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

WARMUP_PLACE = Path("assets.extra", "tf_serving_warmup_requests")  # where a server looks for it, in a version's folder


def predict_request(model_name: str, signature_name: str, inputs: Mapping[str, Any]) -> predict_pb2.PredictRequest:
    """Build a request for PredictionService.

    Args:
      model_name: the model's name on the server.
      signature_name: name of a signature, see `signatures.signatures`.
      inputs: arrays by input name.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature_name
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


def write_warmup(folder: str | os.PathLike, requests: list[predict_pb2.PredictRequest]) -> None:
    """Write the requests that a server runs before it serves a version, into the version's folder."""
    path = Path(folder) / WARMUP_PLACE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())


def read_warmup(folder: str | os.PathLike) -> list[predict_pb2.PredictRequest]:
    """Read the warm-up requests in a version's folder."""
    records = tf.data.TFRecordDataset(str(Path(folder) / WARMUP_PLACE)).as_numpy_iterator()
    return [prediction_log_pb2.PredictionLog.FromString(record).predict_log.request for record in records]
