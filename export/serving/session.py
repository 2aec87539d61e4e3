"""A SavedModel in the session of TensorFlow's C++ runtime, as TensorFlow Serving runs it."""

import os

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from export.serving.facts import DEFAULT


class ServingSession:
    """An exported model loaded as a server loads it. It may be called from several threads.

    The model gets a graph of its own, without Python objects. tf.saved_model.load would prove nothing: it creates
    variables in Python that a server does not find.
    """

    def __init__(self, folder: str | os.PathLike, intra_op_threads: int = 0, inter_op_threads: int = 0):
        """
        Args:
          folder: the folder of an exported version.
          intra_op_threads, inter_op_threads: the server's --tensorflow_intra_op_parallelism and
            --tensorflow_inter_op_parallelism; 0: one thread per CPU. The first session of a process decides.
        """
        graph = tf.Graph()
        # The CPU computes in full float32; GPUs round products to TF32.
        cpu_only = tf.compat.v1.ConfigProto(
            device_count={"GPU": 0},
            intra_op_parallelism_threads=intra_op_threads,
            inter_op_parallelism_threads=inter_op_threads,
        )
        self._session = tf.compat.v1.Session(graph=graph, config=cpu_only)
        with graph.as_default():
            self._meta_graph = tf.compat.v1.saved_model.load(self._session, ["serve"], os.fspath(folder))

    @property
    def graph_def(self) -> tf.compat.v1.GraphDef:
        return self._meta_graph.graph_def

    @property
    def signatures(self) -> dict:
        """The SignatureDefs by name."""
        return {name: signature for name, signature in self._meta_graph.signature_def.items() if signature.inputs}

    def predict(self, signature_name: str, **inputs) -> dict[str, np.ndarray]:
        """Run a signature.

        Args:
          signature_name: name of the signature.
          inputs: arrays by input name.

        Returns:
          arrays by output name.

        Raises:
          KeyError: there is no such signature or input.
          tf.errors.OpError: the error that a server would answer with.
        """
        signature = self.signatures[signature_name]
        feeds = {signature.inputs[name].name: value for name, value in inputs.items()}
        fetches = {name: info.name for name, info in signature.outputs.items()}
        return self._session.run(fetches, feeds)

    def answer(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        """Answer a request as PredictionService does. Raises the same errors as `predict`."""
        signature_name = request.model_spec.signature_name or DEFAULT
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        outputs = self.predict(signature_name, **inputs)
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for name, value in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response
