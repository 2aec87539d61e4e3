"""The checks of drawing for `benchmarks.accelerators`. Each runs in a process of its own, which starts TensorFlow."""

from typing import Any

import numpy as np

from benchmarks.accelerator_place import NO_GPU, Finding, Place, start

_MOST_LEVELS_APART = 2  # of 255, between two ways to the same drawing: rounding, in another order
_BANDS_LIMIT_MB = 2048  # memory left to the check of bands
_BANDS_SIDE_PX = 4096  # of a picture that the paper's generator cannot draw in that


def check_samples(place: Place) -> Finding:
    """Compare the samples that a GPU draws with the CPU's."""
    if not place.num_gpus:
        return Finding("", NO_GPU)
    tf = start(place)
    from cartoongan_tf.training.samples import draw_samples

    tf.config.experimental.enable_tensor_float_32_execution(False)  # the CPU computes in float32
    photos = _random_photos(place.recipe.crop_size)
    generator = _generator(place)
    on_gpu = draw_samples(generator, photos, 0)
    with tf.device("CPU:0"):
        on_cpu = draw_samples(generator, photos, 0)
    return compare(on_gpu, on_cpu, "the GPU's samples and the CPU's")


def check_bands(place: Place) -> Finding:
    """Draw a picture that does not fit into a GPU's memory: bands must take over, with the drawing that they make."""
    if not place.num_gpus:
        return Finding("", NO_GPU)
    tf = start(place)
    gpu = tf.config.list_physical_devices("GPU")[0]
    tf.config.experimental.set_memory_growth(gpu, False)  # it and a limit exclude each other
    limit = tf.config.LogicalDeviceConfiguration(memory_limit=_BANDS_LIMIT_MB)
    tf.config.set_logical_device_configuration(gpu, [limit])
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from cartoongan_tf.inference.keras_runtime import KerasRuntime

    runtime = KerasRuntime(_generator(place._replace(is_tiny=False)))
    photo = _random_photos(_BANDS_SIDE_PX)[0]
    try:
        runtime.draw(photo[np.newaxis])
        return Finding(f"{_BANDS_SIDE_PX} px fit into {_BANDS_LIMIT_MB} MB", "fail: nothing ran out of memory")
    except MemoryError:
        drawn = Cartoonizer(runtime)(photo)
    in_bands = Cartoonizer(runtime, "banded")(photo)
    return compare(drawn, in_bands, f"{_BANDS_SIDE_PX} px in {_BANDS_LIMIT_MB} MB, and in bands from the start,")


def _generator(place: Place) -> Any:
    import keras

    from cartoongan_tf.training.networks import new_generator

    keras.utils.set_random_seed(0)
    return new_generator(place.recipe)


def _random_photos(side: int) -> np.ndarray:
    """Return two random photos, uint8 RGB [2, side, side, 3]."""
    return np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)


def compare(ours: np.ndarray, theirs: np.ndarray, names: str) -> Finding:
    """Return the greatest difference of two drawings in levels of 255, and whether it is rounding."""
    apart = int(np.abs(ours.astype(int) - theirs.astype(int)).max())
    verdict = "pass" if apart <= _MOST_LEVELS_APART else f"fail: more than {_MOST_LEVELS_APART}"
    return Finding(f"{names} differ by at most {apart} of 255", verdict)
