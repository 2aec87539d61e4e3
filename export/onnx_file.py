"""A generator as an ONNX file; needs tf2onnx and onnxruntime, the extra `onnx`."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

OPSET = 17


def convert(generator: keras.Model) -> bytes:
    """The contents of an .onnx file: `photo` -> `cartoon`, float32 RGB [N, H, W, 3] in [-1, 1], multiples of 4 px."""
    import tf2onnx

    photo = tf.TensorSpec([None, None, None, 3], tf.float32, name="photo")
    draw = tf.function(lambda photo: {"cartoon": generator(photo)}, input_signature=[photo])
    model, _ = tf2onnx.convert.from_function(draw, input_signature=[photo], opset=OPSET)
    return model.SerializeToString()


def runner(model: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """A function that runs an .onnx file's contents in onnxruntime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return lambda photo: session.run(["cartoon"], {"photo": photo})[0]


def operators(model: bytes) -> dict[str, int]:
    """How often each operator stands in a model, by name."""
    import onnx

    counts: dict[str, int] = {}
    for node in onnx.load_from_string(model).graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return dict(sorted(counts.items()))
