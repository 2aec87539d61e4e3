"""The methods of running a generator that `benchmarks.inference` compares, each in a process of its own.

`prepare` writes each method's files once; a `MethodProcess` then loads one method in a fresh process.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cartoongan_tf.base.timing import TimedProcess

Draw = Callable[[np.ndarray], np.ndarray]  # float32 RGB [1, H, W, 3] in [-1, 1] -> the same

TORCH = "PyTorch, channels_last"
WARM_UP_PX = 16


def prepare(model: Path, folder: Path) -> None:
    """Write the files that the methods load: generator.keras, .tflite, .onnx and .pt.

    Args:
      model: a .keras file.
      folder: folder to write to.
    """
    from cartoongan_tf.base import program

    program.start_tensorflow()
    import torch

    from benchmarks import torch_builder
    from cartoongan_tf.models import generator_file
    from export import onnx_file, tflite
    from export.tflite_metadata import Metadata

    generator = generator_file.load_generator(model)
    generator_file.save_generator(generator, folder / "generator.keras")
    (folder / "generator.tflite").write_bytes(tflite.convert(generator, "fp32", Metadata("generator")))
    (folder / "generator.onnx").write_bytes(onnx_file.convert(generator))
    network = torch_builder.build(generator).to(memory_format=torch.channels_last)
    torch.save(network, folder / "generator.pt")


def _load_keras(folder: Path, num_threads: int) -> Draw:
    """Load it as `Cartoonizer` runs it."""
    from cartoongan_tf.base import program

    program.start_tensorflow()
    import tensorflow as tf

    from cartoongan_tf.models import generator_file

    tf.config.threading.set_intra_op_parallelism_threads(num_threads)
    generator = generator_file.load_generator(folder / "generator.keras")
    draw = tf.function(lambda photo: generator(photo), input_signature=[tf.TensorSpec([None, None, None, 3])])
    return lambda photo: draw(photo).numpy()


def _load_litert(folder: Path, num_threads: int) -> Draw:
    from cartoongan_tf.inference.tflite_model import TFLiteGenerator

    return TFLiteGenerator.load(folder / "generator.tflite", num_threads)


def _load_openvino(folder: Path, num_threads: int) -> Draw:
    from cartoongan_tf.inference.openvino_model import OpenVINOGenerator

    return OpenVINOGenerator(folder / "generator.tflite", num_threads)


def _load_openvino_of_onnx(folder: Path, num_threads: int) -> Draw:
    from cartoongan_tf.inference.openvino_model import OpenVINOGenerator

    return OpenVINOGenerator(folder / "generator.onnx", num_threads)


def _load_onnxruntime(folder: Path, num_threads: int) -> Draw:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    path = folder / "generator.onnx"
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda photo: session.run(["cartoon"], {"photo": photo})[0]


def _load_opencv(folder: Path, num_threads: int) -> Draw:
    import cv2

    cv2.setNumThreads(num_threads)
    network = cv2.dnn.readNetFromONNX(str(folder / "generator.onnx"))

    def draw(photo):
        network.setInput(photo)
        return network.forward()

    return draw


def _load_torch(folder: Path, num_threads: int) -> Draw:
    import torch

    from benchmarks import torch_generator

    torch.set_num_threads(num_threads)
    generator = torch.load(folder / "generator.pt", weights_only=False)
    return lambda photo: torch_generator.run(generator, photo)


def _load_compiled_torch(folder: Path, num_threads: int) -> Draw:
    import torch

    from benchmarks import torch_generator

    torch.set_num_threads(num_threads)
    generator = torch.compile(torch.load(folder / "generator.pt", weights_only=False), dynamic=False)
    return lambda photo: torch_generator.run(generator, photo)


METHODS: dict[str, Callable[[Path, int], Draw]] = {
    "Keras graph": _load_keras,
    "TFLite, LiteRT": _load_litert,
    "TFLite, OpenVINO": _load_openvino,
    "ONNX, ONNX Runtime": _load_onnxruntime,
    "ONNX, OpenVINO": _load_openvino_of_onnx,
    "ONNX, OpenCV": _load_opencv,
    TORCH: _load_torch,
    "PyTorch, torch.compile": _load_compiled_torch,
}


class MethodProcess(TimedProcess):
    """One method in a fresh process."""

    def __init__(self, method: str, folder: Path, num_threads: int):
        """
        Args:
          method: a name in `METHODS`.
          folder: folder that `prepare` filled.
          num_threads: number of threads.
        """
        super().__init__(_load, method, folder, num_threads)

    def draw(self, photo: np.ndarray) -> np.ndarray:
        """Return the cartoon of a photo, float32 RGB [1, H, W, 3] in [-1, 1] both."""
        return self.call(photo)


def _load(method: str, folder: Path, num_threads: int) -> Draw:
    draw = METHODS[method](folder, num_threads)
    draw(
        np.zeros((1, WARM_UP_PX, WARM_UP_PX, 3), np.float32)
    )  # the first call builds the graph, which counts as loading
    return draw
