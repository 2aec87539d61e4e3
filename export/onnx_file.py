"""A generator as an ONNX file. Needs tf2onnx and onnxruntime, the extra `onnx`."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

OPSET = 17


def convert(generator: keras.Model) -> bytes:
    """Convert a generator to the contents of an .onnx file.

    Its input is `photo`, its output `cartoon`: float32 RGB [N, H, W, 3] in [-1, 1], H and W multiples of 4.
    """
    import tf2onnx

    photo = tf.TensorSpec([None, None, None, 3], tf.float32, name="photo")
    draw = tf.function(lambda photo: {"cartoon": generator(photo)}, input_signature=[photo])
    model, _ = tf2onnx.convert.from_function(draw, input_signature=[photo], opset=OPSET)
    return model.SerializeToString()


def runner(model: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that runs the contents of an .onnx file in onnxruntime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return lambda photo: session.run(["cartoon"], {"photo": photo})[0]


def operators(model: bytes) -> dict[str, int]:
    """Count the operators of a model by name."""
    import onnx

    counts: dict[str, int] = {}
    for node in onnx.load_from_string(model).graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return dict(sorted(counts.items()))
