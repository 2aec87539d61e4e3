"""The methods of running the paper's generator that `benchmarks.inference` compares, each in a process of its own.

`prepare` writes each method's files once; a `MethodProcess` then loads one method in a fresh process.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cartoongan_tf.base.timing import TimedProcess

Draw = Callable[[np.ndarray], np.ndarray]  # float32 RGB [1, H, W, 3] in [-1, 1] -> the same

TORCH_CHANNELS_LAST = "PyTorch, channels_last"
WARM_UP_PX = 16


def prepare(weights_path: str, seed: int, folder: Path) -> None:
    """Write the files that the methods load: weights.npz, generator.keras, generator.tflite.

    Args:
      weights_path: file of the authors' arrays; "" for random arrays of the same shapes.
      seed: seed of the random arrays.
      folder: folder to write to.
    """
    from cartoongan_tf.base import program

    program.start_tensorflow()
    from benchmarks import torch_generator
    from cartoongan_tf.models import authors_files, authors_weights, generator_file
    from export import tflite
    from export.tflite_metadata import Metadata

    weights = authors_files.read_weights(weights_path) if weights_path else torch_generator.random_weights(seed)
    generator = authors_weights.generator_from_weights(weights)
    np.savez(folder / "weights.npz", **weights)  # type: ignore[arg-type]  # no array is called allow_pickle
    generator_file.save_generator(generator, folder / "generator.keras")
    (folder / "generator.tflite").write_bytes(tflite.convert(generator, "fp32", Metadata("generator")))


def _load_keras(folder: Path, num_threads: int) -> Draw:
    """Load it as `Cartoonizer` runs it."""
    return _load_keras_graph(folder, num_threads, lambda generator: generator)


def _load_keras_rewritten(folder: Path, num_threads: int) -> Draw:
    """Load it as it is exported to TFLite."""
    from export.fast_graph import fast_generator

    return _load_keras_graph(folder, num_threads, fast_generator)


def _load_keras_graph(folder: Path, num_threads: int, rewrite: Callable) -> Draw:
    from cartoongan_tf.base import program

    program.start_tensorflow()
    import tensorflow as tf

    from cartoongan_tf.models import generator_file

    tf.config.threading.set_intra_op_parallelism_threads(num_threads)
    generator = rewrite(generator_file.load_generator(folder / "generator.keras"))
    draw = tf.function(lambda photo: generator(photo), input_signature=[tf.TensorSpec([None, None, None, 3])])
    return lambda photo: draw(photo).numpy()


def _load_tflite(folder: Path, num_threads: int) -> Draw:
    from cartoongan_tf.inference.tflite_model import TFLiteGenerator

    return TFLiteGenerator.load(folder / "generator.tflite", num_threads)


def _load_torch(folder: Path, num_threads: int, memory_format: str) -> Draw:
    import torch

    from benchmarks import torch_generator

    torch.set_num_threads(num_threads)
    layout = getattr(torch, memory_format)
    with np.load(folder / "weights.npz") as weights:
        generator = torch_generator.build(weights).to(memory_format=layout)
    return lambda photo: torch_generator.run(generator, photo, layout)


def _load_torch_channels_last(folder: Path, num_threads: int) -> Draw:
    return _load_torch(folder, num_threads, "channels_last")


def _load_torch_nchw(folder: Path, num_threads: int) -> Draw:
    return _load_torch(folder, num_threads, "contiguous_format")


METHODS: dict[str, Callable[[Path, int], Draw]] = {
    "Keras graph": _load_keras,
    "Keras graph, rewritten as for TFLite": _load_keras_rewritten,
    "TFLite fp32, XNNPACK": _load_tflite,
    TORCH_CHANNELS_LAST: _load_torch_channels_last,
    "PyTorch, NCHW": _load_torch_nchw,
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
