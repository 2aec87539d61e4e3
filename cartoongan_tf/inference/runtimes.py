"""The forms in which a trained generator comes, each ready to draw: Keras file, SavedModel, TFLite file.

Every form draws pictures in one piece. With the layers at hand, which only the Keras file gives, large pictures can be
drawn in bands, and a film with statistics averaged over time.
"""

import abc
import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cartoongan_tf.base.errors import InputError, assertion_text
from cartoongan_tf.inference import banded
from cartoongan_tf.models import kernel_limits, layer_graph, pixels

PEAK_TENSORS = 4.5


class ModelForm(abc.ABC):
    """A generator that can draw.

    Attributes:
      name: of the form, with its article, for messages.
      values_per_pixel: float32 values that the largest known tensor has for each pixel of a picture.
      has_layers: whether `draw_film` and `draw_in_bands` are there.
      peak_tensors: the memory that a picture takes in one piece, in largest tensors, measured at 1024 px.
    """

    name: str
    values_per_pixel: float
    has_layers = False
    peak_tensors = PEAK_TENSORS

    @property
    def bytes_per_pixel(self) -> float:
        """Memory that a picture takes in one piece."""
        return self.peak_tensors * 4 * self.values_per_pixel

    @property
    def most_values(self) -> int:
        """The most values that this tensor may have in one piece."""
        import tensorflow as tf

        most = kernel_limits.most_values(on_gpu=bool(tf.config.list_physical_devices("GPU")))
        # Without the layers, that of the first one is known: a later one may be twice as large.
        return most if self.has_layers else most // 2

    @property
    def most_values_before_bands(self) -> int:
        """The most values that this tensor may have before bands are better."""
        return self.most_values

    @abc.abstractmethod
    def draw(self, image: np.ndarray) -> np.ndarray:
        """uint8 RGB [N, H, W, 3] -> the same, in one piece; safe to call from several threads.

        Raises:
          MemoryError: the device has too little of it.
        """


class KerasRuntime(ModelForm):
    """A .keras file."""

    name = "a .keras file"
    has_layers = True

    def __init__(self, path: Path):
        import tensorflow as tf

        from cartoongan_tf.models.generator_file import load_generator

        self._generator = load_generator(path)
        self._nodes = layer_graph.layer_graph(self._generator)
        self.values_per_pixel = values_per_pixel(self._nodes)
        image = tf.TensorSpec([None, None, None, 3], tf.uint8)
        self._draw = tf.function(lambda image: pixels.cartoonize(self._generator, image), input_signature=[image])
        self._draw_film = tf.function(self._film_graph, reduce_retracing=True)

    def _film_graph(self, image, before, mixing):
        statistics = []

        def generate(photo):
            cartoon, statistics[:] = layer_graph.run_on_film(self._nodes, photo, before, mixing)
            return cartoon

        return pixels.cartoonize(generate, image), statistics

    @property
    def most_values_before_bands(self) -> int:
        import tensorflow as tf

        return kernel_limits.most_values_before_bands(on_gpu=bool(tf.config.list_physical_devices("GPU")))

    def draw(self, image: np.ndarray) -> np.ndarray:
        with _out_of_memory_as_memory_error():
            return self._draw(image).numpy()

    def draw_film(self, frames: np.ndarray, before, mixing: np.ndarray):
        """Draw consecutive frames in one piece each; see `layer_graph.run_on_film`. `before` is None at first."""
        with _out_of_memory_as_memory_error():
            cartoons, after = self._draw_film(frames, before or layer_graph.no_statistics(self._nodes), mixing)
        return cartoons.numpy(), after

    def draw_in_bands(self, image: np.ndarray, before=None, mixing=None, **on_progress):
        """Draw one picture, uint8 RGB [H, W, 3], in bounded memory; see `banded.cartoonize`."""
        if mixing is not None:
            before = before or layer_graph.no_statistics(self._nodes)
        return banded.cartoonize(self._nodes, image, before, mixing, **on_progress)

    def banded_bytes(self, height: int, width: int) -> int:
        """Memory that `draw_in_bands` takes."""
        return banded.peak_bytes(self._nodes, height, width)


class SavedModelRuntime(ModelForm):
    """A SavedModel folder, or the base path of its versions."""

    name = "a SavedModel"

    def __init__(self, folder: Path):
        import tensorflow as tf

        self._folder = folder = newest_version(folder)
        try:
            self._loaded = tf.saved_model.load(str(folder))  # kept: a signature alone does not keep its variables
            self._signature = self._loaded.signatures["serving_default"]
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            raise InputError(f"{folder}: a SavedModel that cannot be used ({error})") from error
        inputs, outputs = self._signature.structured_input_signature[1], self._signature.structured_outputs
        if "image" not in inputs or "cartoon" not in outputs:
            raise InputError(f"{folder}: its serving_default does not take `image` and give `cartoon`; export it anew")
        self.values_per_pixel = _first_layer_values([variable.shape for variable in self._signature.variables])

    def draw(self, image: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [self._draw_one(picture[np.newaxis]) for picture in image]
        )  # its limit is for all at once

    def _draw_one(self, image: np.ndarray) -> np.ndarray:
        import tensorflow as tf

        try:
            with _out_of_memory_as_memory_error():
                return self._signature(image=tf.constant(image))["cartoon"].numpy()
        except tf.errors.InvalidArgumentError as error:
            raise InputError(
                f"{self._folder}: {assertion_text(error.message)}; --long_side does that, and the .keras file has "
                "no limit"
            ) from error


class TFLiteRuntime(ModelForm):
    """A .tflite file that takes pictures of any size."""

    name = "a .tflite file"
    peak_tensors = 7.5

    def __init__(self, path: Path):
        from cartoongan_tf.inference.tflite_model import TFLiteGenerator

        self._generate = TFLiteGenerator.load(path)
        if self._generate.size:
            height, width = self._generate.size
            raise InputError(
                f"{path}: takes tensors of {width} x {height} pixels alone, as an app makes them; the file "
                "without a size in its name draws the same"
            )
        # A kernel is stored as [out, height, width, in] here.
        shapes = [np.roll(shape, -1) for shape in self._generate.tensor_shapes]
        self.values_per_pixel = _first_layer_values(shapes)

    @property
    def most_values(self) -> int:
        return kernel_limits.most_values(on_gpu=True) // 2  # XNNPACK copies nothing, and counts in 32 bits as GPUs do

    def draw(self, image: np.ndarray) -> np.ndarray:
        return np.asarray(pixels.cartoonize(lambda photo: self._generate(np.asarray(photo)), image))


def values_per_pixel(nodes: dict[str, layer_graph.Node]) -> float:
    """Return the float32 values that the largest tensor of a generator has for each pixel of a picture."""
    shapes = layer_graph.tensor_shapes(nodes, 1024, 1024).values()
    return max(np.prod(shape) for shape in shapes) / 1024**2


def newest_version(folder: Path) -> Path:
    """The folder itself, or the highest numbered version in the base folder that a server polls."""
    if (folder / "saved_model.pb").is_file():
        return folder
    versions = [path.parent for path in folder.glob("*/saved_model.pb") if path.parent.name.isdecimal()]
    if not versions:
        raise InputError(f"{folder}: no saved_model.pb in it, nor in a numbered folder below it")
    return max(versions, key=lambda version: int(version.name))


def _first_layer_values(shapes: list) -> int:
    """Return the channels of the first layer's result, by the shape of its kernel: [height, width, 3, channels]."""
    return max((int(shape[3]) for shape in shapes if len(shape) == 4 and shape[2] == 3), default=64)


@contextlib.contextmanager
def _out_of_memory_as_memory_error() -> Iterator[None]:
    import tensorflow as tf

    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(str(error).partition("\n")[0]) from error
