"""The checks of `benchmarks.accelerators`. Each runs in a process of its own, which starts TensorFlow."""

import dataclasses
import functools
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.random_records import build_random_records
from cartoongan_tf.base import memory, program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.timing import fresh_process, seconds_of
from cartoongan_tf.training.config import TrainConfig

_NO_GPU = "skipped: no GPU"
_PAPER_PHOTOS = 5402  # in an epoch of the paper's, which took 1,517.69 s on a Titan Xp (section 4.2)
_PAPER_SECS = 1517.69
_MOST_LEVELS_APART = 2  # of 255, between a GPU's drawing and the CPU's: rounding, in another order
_BANDS_LIMIT_MB = 2048  # memory left to the check of bands
_BANDS_SIDE_PX = 4096  # of a picture that the paper's generator cannot draw in that
_MOST_OVERESTIMATED = 2.0  # times the measured peak


class Finding(NamedTuple):
    """The result of a check: the measured value, and "pass", "fail", "measured" or "skipped", with a reason."""

    measured: str
    verdict: str


class Place(NamedTuple):
    """The devices to check, and how much to do.

    Attributes:
      num_gpus: number of GPUs to use; 0: the CPU.
      is_tiny: whether networks and pictures are tiny, and not the paper's.
      steps: steps to time in each number format.
    """

    num_gpus: int
    is_tiny: bool
    steps: int

    @property
    def recipe(self) -> TrainConfig:
        """The recipe of a step: the authors', with random VGG19."""
        recipe = TrainConfig(data_dir="", run_dir="", vgg19_weights="random", crop_size=256)
        if not self.is_tiny:
            return recipe
        return dataclasses.replace(
            recipe,
            generator_width=4,
            generator_num_blocks=1,
            discriminator_width=4,
            batch_size=2,
            crop_size=32,
            pool_size=2,
        )


def describe_devices() -> list[str]:
    """Return the names of this machine's GPUs."""
    program.start_tensorflow()
    import tensorflow as tf

    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    return [each.get("device_name", "unknown GPU") for each in details]


def no_gpu_error() -> InputError:
    """Return the error of a machine without GPU that was asked to check one."""
    return InputError("--device=gpu: TensorFlow finds no GPU; the README lists what to install for NVIDIA's")


def _start(place: Place) -> Any:
    """Start TensorFlow with the devices of a place; return the module."""
    program.start_tensorflow()
    import tensorflow as tf

    tf.config.set_visible_devices(tf.config.list_physical_devices("GPU")[: place.num_gpus], "GPU")
    return tf


def check_step(changes: dict[str, Any], uses_tf32: bool, place: Place) -> Finding:
    """Time the adversarial step in a number format; `build` raises an error if a loss is not finite."""
    tf = _start(place)
    from benchmarks.train_step_works import WORKS, build

    if uses_tf32 and not place.num_gpus:
        return Finding("", _NO_GPU)
    tf.config.experimental.enable_tensor_float_32_execution(uses_tf32)
    run = build(WORKS["methods"]["CartoonGAN"]._replace(changes=changes), place.recipe)
    secs = [seconds_of(run, 1) for _ in range(place.steps)]
    return Finding(f"{statistics.median(secs):.3g} s a step, peak {run(1) / 1e6:,.0f} MB, finite losses", "pass")


def check_epoch(place: Place) -> Finding:
    """Compare the time of an epoch, in the number formats of a default training, with the paper's."""
    if place.is_tiny:
        return Finding("", "skipped: tiny networks")
    _start(place)
    from benchmarks.train_step_works import WORKS, build

    recipe = place.recipe
    run = build(WORKS["methods"]["CartoonGAN"]._replace(changes={}), recipe)
    secs = statistics.median(seconds_of(run, 1) for _ in range(place.steps)) * _PAPER_PHOTOS / recipe.batch_size
    measured = f"{secs:,.0f} s an epoch of {_PAPER_PHOTOS:,} photos, {secs / _PAPER_SECS:.2f} of the paper's"
    return Finding(measured, "pass" if secs <= _PAPER_SECS else "fail: slower than the paper's GPU")


def check_replicas(place: Place) -> Finding:
    """Train a few steps on two devices, and compare their weights, which must be equal."""
    if place.num_gpus == 1:
        return Finding("", "skipped: one GPU")
    tf = _start(place)
    if not place.num_gpus:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    kind = "GPU" if place.num_gpus else "CPU"
    strategy = tf.distribute.MirroredStrategy([f"{kind}:0", f"{kind}:1"])
    apart = 0.0
    for variable in _train(strategy, place).trainable_variables:
        ours, theirs = (copy.numpy() for copy in strategy.experimental_local_results(variable.value))
        apart = max(apart, float(np.abs(ours - theirs).max()))
    return Finding(f"weights on two {kind}s differ by {apart:g}", "pass" if apart == 0 else "fail: not equal")


def _train(strategy: Any, place: Place) -> Any:
    """Train a few steps on all replicas; return the generator."""
    import tensorflow as tf

    from benchmarks.train_step_works import STEPS_PER_EPOCH, random_batch
    from cartoongan_tf.training import networks, schedule, step_graph, steps
    from cartoongan_tf.training.feeds import Feeds

    step_graph.switch_remapper_off()
    recipe = place.recipe
    with strategy.scope():
        trained = networks.build_networks(recipe, schedule.plan(recipe, STEPS_PER_EPOCH), recipe.crop_size)
    feeds = Feeds(lambda *_: tf.data.Dataset.from_tensors(random_batch(recipe)).repeat(), recipe.batch_size)
    batches = feeds.distribute_training(strategy, 0)
    train = step_graph.several_steps(lambda batch: steps.adversarial_step(trained, batch, recipe), batches, strategy)
    train(place.steps)
    return trained.generator


def check_samples(place: Place) -> Finding:
    """Compare the samples that a GPU draws with the CPU's."""
    if not place.num_gpus:
        return Finding("", _NO_GPU)
    tf = _start(place)
    from cartoongan_tf.training.samples import draw_samples

    photos = _random_photos(place.recipe.crop_size)
    generator = _generator(place)
    on_gpu = draw_samples(generator, photos, 0)
    with tf.device("CPU:0"):
        on_cpu = draw_samples(generator, photos, 0)
    return _compare(on_gpu, on_cpu, "the GPU's samples and the CPU's")


def check_bands(place: Place) -> Finding:
    """Draw a picture that does not fit into a GPU's memory: bands must take over, with the drawing that they make."""
    if not place.num_gpus:
        return Finding("", _NO_GPU)
    tf = _start(place)
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
    return _compare(drawn, in_bands, f"{_BANDS_SIDE_PX} px in {_BANDS_LIMIT_MB} MB, and in bands from the start,")


def check_dry_run(place: Place) -> Finding:
    """Compare the memory that a dry run foretells with the peak of the training itself."""
    _start(place)
    with tempfile.TemporaryDirectory() as temporary:
        recipe = place.recipe
        num_pictures = recipe.batch_size * 2
        recipe = dataclasses.replace(
            recipe,
            data_dir=str(build_random_records(Path(temporary), num_pictures, recipe.crop_size)),
            run_dir=str(Path(temporary, "run")),
            initialization_epochs=1,
            adversarial_epochs=2,
            crop_size=0,
        )
        memories = {}
        for is_dry in (True, False):
            with fresh_process() as process:
                memories[is_dry] = process.submit(_train_program, recipe, is_dry, place).result()
    foretold, peak = memories[True].needed, memories[False].peak
    measured = f"{foretold / 1e6:,.0f} MB foretold, {peak / 1e6:,.0f} MB taken"
    if foretold < peak:
        return Finding(measured, "fail: too little foretold")
    return Finding(measured, "pass" if foretold < _MOST_OVERESTIMATED * peak else "fail: too much foretold")


class _Memory(NamedTuple):
    """Bytes of the device: those that the report foretells, and the peak so far."""

    needed: int
    peak: int


def _train_program(recipe: TrainConfig, is_dry: bool, place: Place) -> _Memory:
    """Run the training program, or its dry run; return the memory of the GPU, or of this process."""
    tf = _start(place)
    from cartoongan_tf import train
    from cartoongan_tf.training import dry_run_report

    train.train(dataclasses.replace(recipe, dry_run=is_dry, strategy="one"))
    needed = dry_run_report.memory_check()[0].needed
    return _Memory(
        needed, tf.config.experimental.get_memory_info("GPU:0")["peak"] if place.num_gpus else memory.peak_bytes()
    )


CHECKS: dict[str, Callable[[Place], Finding]] = {
    "training step, float32": functools.partial(check_step, {}, False),
    "training step, TF32": functools.partial(check_step, {}, True),
    "training step, bfloat16": functools.partial(check_step, {"mixed_precision": "bfloat16"}, False),
    "training step, XLA": functools.partial(check_step, {"jit_compile": True}, False),
    "time of an epoch": check_epoch,
    "two replicas": check_replicas,
    "samples": check_samples,
    "out of memory, to bands": check_bands,
    "memory of the dry run": check_dry_run,
}


def _generator(place: Place) -> Any:
    import keras

    from cartoongan_tf.training.networks import new_generator

    keras.utils.set_random_seed(0)
    return new_generator(place.recipe)


def _random_photos(side: int) -> np.ndarray:
    """Return two random photos, uint8 RGB [2, side, side, 3]."""
    return np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)


def _compare(ours: np.ndarray, theirs: np.ndarray, names: str) -> Finding:
    """Return the greatest difference of two drawings in levels of 255, and whether it is rounding."""
    apart = int(np.abs(ours.astype(int) - theirs.astype(int)).max())
    verdict = "pass" if apart <= _MOST_LEVELS_APART else f"fail: more than {_MOST_LEVELS_APART}"
    return Finding(f"{names} differ by at most {apart} of 255", verdict)
