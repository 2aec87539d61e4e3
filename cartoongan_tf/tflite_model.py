"""Run a .tflite generator, in the interpreter that phones use."""

import os
from collections.abc import Callable

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from cartoongan_tf.errors import InputError


def load_tflite(model: bytes, name: str | os.PathLike) -> Callable[[np.ndarray], np.ndarray]:
    """Load a generator.

    Args:
      model: the contents of a .tflite file.
      name: of the file, for errors.

    Returns:
      a function, float32 RGB [N, H, W, 3] in [-1, 1] -> the same; H and W multiples of 4 from 8 up.

    Raises:
      InputError: it is no .tflite file, or takes no pictures of free height and width.
    """
    try:
        interpreter = Interpreter(model_content=model, num_threads=os.cpu_count())
    except ValueError as error:
        raise InputError(f"{name}: not a .tflite file that can be read ({error})") from error
    photo_details, cartoon_details = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    signature = photo_details["shape_signature"].tolist()
    if len(signature) != 4 or signature[1:3] != [-1, -1] or photo_details["dtype"] != np.float32:
        raise InputError(
            f"{name}: takes {photo_details['dtype'].__name__} {signature}, where float32 pictures of any height and "
            "width were expected; export_model writes such files"
        )

    def generate(photo: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(photo_details["index"], photo.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(photo_details["index"], photo)
        interpreter.invoke()
        return interpreter.get_tensor(cartoon_details["index"])

    return generate
