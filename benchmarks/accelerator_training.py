"""The checks of training for `benchmarks.accelerators`. Each runs in a process of its own, which starts TensorFlow."""

import dataclasses
import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.accelerator_place import NO_GPU, Finding, Place, start
from benchmarks.random_records import build_random_records
from cartoongan_tf.base import memory
from cartoongan_tf.base.timing import fresh_process, seconds_of
from cartoongan_tf.training.config import TrainConfig

_PAPER_PHOTOS = 5402  # in an epoch of the paper's, which took 1,517.69 s on a Titan Xp (section 4.2)
_PAPER_SECS = 1517.69
_MOST_OVERESTIMATED = 2.0  # times the measured peak


def check_step(changes: dict[str, Any], uses_tf32: bool, place: Place) -> Finding:
    """Time the adversarial step in a number format; `build` raises an error if a loss is not finite."""
    tf = start(place)
    from benchmarks.train_step_works import WORKS, build

    if uses_tf32 and not place.num_gpus:
        return Finding("", NO_GPU)
    tf.config.experimental.enable_tensor_float_32_execution(uses_tf32)
    run = build(WORKS["methods"]["CartoonGAN"]._replace(changes=changes), place.recipe)
    secs = [seconds_of(run, 1) for _ in range(place.steps)]
    return Finding(f"{statistics.median(secs):.3g} s a step, peak {run(1) / 1e6:,.0f} MB, finite losses", "pass")


def check_epoch(place: Place) -> Finding:
    """Compare the time of an epoch, in the number formats of a default training, with the paper's."""
    if place.is_tiny:
        return Finding("", "skipped: tiny networks")
    start(place)
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
    tf = start(place)
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


def check_dry_run(place: Place) -> Finding:
    """Compare the memory that a dry run foretells with the peak of the training itself."""
    start(place)
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
                memories[is_dry] = process.submit(_memory_of_run, recipe, is_dry, place).result()
    foretold, peak = memories[True].needed, memories[False].peak
    measured = f"{foretold / 1e6:,.0f} MB foretold, {peak / 1e6:,.0f} MB taken"
    if foretold < peak:
        return Finding(measured, "fail: too little foretold")
    return Finding(measured, "pass" if foretold < _MOST_OVERESTIMATED * peak else "fail: too much foretold")


class _Memory(NamedTuple):
    """Bytes of the device: those that the report foretells, and the peak so far."""

    needed: int
    peak: int


def _memory_of_run(recipe: TrainConfig, is_dry: bool, place: Place) -> _Memory:
    """Train, or run dry; return the memory of the GPU, or of this process."""
    tf = start(place)
    from cartoongan_tf.training import distribution, dry_run_report, inputs, step_graph
    from cartoongan_tf.training.run import build_run
    from cartoongan_tf.training.run_folder import RunFolder
    from data_pipeline import records

    step_graph.switch_remapper_off()
    training, held_out = (records.open_records(recipe.data_dir, split) for split in ("train", "validation"))
    strategy = distribution.build_strategy("one")
    run = build_run(recipe, RunFolder(recipe.run_dir), strategy, inputs.build_inputs(recipe, training, held_out))
    run.dry_run() if is_dry else run.run()
    needed = dry_run_report.memory_check()[0].needed
    if place.num_gpus:
        return _Memory(needed, tf.config.experimental.get_memory_info("GPU:0")["peak"])
    return _Memory(needed, memory.peak_bytes())
