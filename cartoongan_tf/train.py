"""Train a cartoon style. To resume an interrupted run from its last checkpoint, give the same command again.

    python -m cartoongan_tf.train --flagfile=shinkai.flags

shinkai.flags is a complete recipe; flags after it on the command line override it. Data comes from
data_pipeline.build_tfrecords. The run's folder then holds generator.keras and generator.tflite (for cartoonize and
export), samples/ (pictures to look at), summaries/ (for `tensorboard --logdir`), checkpoints/, run.flags (the run's own
recipe), run.json (versions, machines, data) and warnings.txt, if there were any. First, check everything and the time
that it will take:

    python -m cartoongan_tf.train --flagfile=shinkai.flags --dry_run
"""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from cartoongan_tf.base import program, progress
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models import kernel_limits
from cartoongan_tf.training.config import TrainConfig

_VGG19_CHANNELS = 64  # in its first layers, which have the pictures' resolution
_MOST_JUDGED_TOGETHER = 3  # pictures of an example that the discriminator judges at once, in the warm-up


def main(argv=None) -> int:
    return program.run(TrainConfig, lambda config, _: train(config), __doc__, argv)


def train(config: TrainConfig, strategy=None) -> int:
    """Train to the end of the run, or until Ctrl-C or SIGTERM asks to stop; with --dry_run, only try it.

    Args:
      config: options of the run.
      strategy: a tf.distribute.Strategy; None: the one that `config.strategy` names.

    Returns:
      the exit status: 0, or 128 plus the signal's number if the run was asked to stop before its end.

    Raises:
      InputError: data, VGG19 weights or run folder cannot be used, or a loss is not finite.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise InputError("TensorBoard, which writes a run's curves, is not installed: pip install tensorboard")
    program.start_tensorflow()
    from cartoongan_tf.training import distribution, inputs, precision
    from cartoongan_tf.training.run import build_run
    from cartoongan_tf.training.run_folder import RunFolder
    from data_pipeline import dataset, records

    folder = RunFolder(config.run_dir)
    config = folder.in_present_terms(config)
    training = records.open_records(config.data_dir)
    held_out = records.open_records(config.data_dir, "validation")
    inputs.check_records(config, training)
    folder.check_can_resume(config)
    folder.check_writable()
    _prepare_tensorflow(config)
    strategy = strategy or distribution.build_strategy(config.strategy)
    check_batch_size(config, strategy.num_replicas_in_sync, training.image_size)
    if not inputs.has_examples(config, held_out):
        print(
            f"{config.data_dir} has no held-out pictures: samples show training photos, and there is no validation "
            "(build_tfrecords --validation_fraction=0.1 holds some out)."
        )
    if slowness := precision.slowness(config.mixed_precision):
        print(f"WARNING: {slowness}.", file=sys.stderr)
    explaining_damage = dataset.explaining_damage
    with distribution.explaining_lost_workers(strategy), explaining_damage(training), explaining_damage(held_out):
        with progress.stage("reading the samples, building the networks and VGG19"):
            run = build_run(config, folder, strategy, inputs.build_inputs(config, training, held_out))
        if config.dry_run:
            return run.dry_run()
        status = run.run()
        if status == 0 and distribution.cluster_of(strategy).is_chief:
            _write_tflite(folder.generator, folder.warn)
        return status


def _write_tflite(keras_path: Path, warn: Callable[[str], None]) -> None:
    """Write the .tflite file that cartoonize draws with; without it, cartoonize needs TensorFlow."""
    from export import drawing_file

    try:
        with progress.stage("writing generator.tflite"):
            drawing_file.write_beside(keras_path)
    except (InputError, OSError) as error:
        warn(str(error))


def _prepare_tensorflow(config: TrainConfig) -> None:
    import keras
    import tensorflow as tf

    from cartoongan_tf.training import step_graph

    step_graph.switch_remapper_off()
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def check_batch_size(config: TrainConfig, num_replicas: int, image_size: int) -> None:
    """Raise InputError unless the devices can share a batch, and TensorFlow's kernels can compute their parts."""
    if config.batch_size % num_replicas:
        raise InputError(
            f"--batch_size={config.batch_size}: must be a multiple of the {num_replicas} devices that share it"
        )
    import tensorflow as tf

    side = config.crop_size or image_size
    num_pictures = config.batch_size // num_replicas
    num_together = num_pictures * (_MOST_JUDGED_TOGETHER if config.judges_features else 1)
    for count in (num_pictures, num_together):
        num_values = count * side**2 * max(_VGG19_CHANNELS, config.generator_width)
        # On the CPU, only the convolution of a single picture has the lower limit.
        has_higher_limit = count > 1 or bool(tf.config.list_physical_devices("GPU"))
        if num_values > kernel_limits.most_values(on_gpu=has_higher_limit):
            raise InputError(
                f"--batch_size={config.batch_size}: {count} pictures of {side} px on a device are more than "
                "TensorFlow's kernels compute at once; lower it, give a smaller --crop_size, or set "
                "TF_ENABLE_ONEDNN_OPTS=0"
            )


if __name__ == "__main__":
    sys.exit(main())
