"""Train a cartoon style, or go on from the last checkpoint of a run that was cut off: give the same command again.

    python -m cartoongan_tf.train --flagfile=shinkai.flags

shinkai.flags is a complete recipe; flags after it on the command line win. Data comes from
data_pipeline.build_tfrecords. The run's folder then holds generator.keras (for cartoonize and export), samples/
(pictures to look at), summaries/ (for `tensorboard --logdir`), checkpoints/, run.flags (the run's own recipe), run.json
(versions, machines, data) and warnings.txt, if there were any. First, check everything and see how long it will take:

    python -m cartoongan_tf.train --flagfile=shinkai.flags --dry_run
"""

import importlib.util
import sys

from cartoongan_tf.base import program, progress
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models import kernel_limits
from cartoongan_tf.training.config import TrainConfig

_VGG19_CHANNELS = 64  # of its first layers, at the pictures' own resolution


def main(argv=None) -> int:
    return program.run(TrainConfig, lambda config, _: train(config), __doc__, argv)


def train(config: TrainConfig, strategy=None) -> int:
    """Run the whole training, or what is left of it, or until Ctrl-C or SIGTERM asks to stop.

    Args:
      config: the run's options.
      strategy: a tf.distribute.Strategy; None: the one that `config.strategy` names.

    Returns:
      the exit status: 0, or 128 and the signal's number where it was asked to stop before the end.

    Raises:
      InputError: data, VGG19 weights or run folder cannot be used, or a loss stopped being finite.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise InputError("TensorBoard, which writes a run's curves, is not installed: pip install tensorboard")
    program.start_tensorflow()
    from cartoongan_tf.training import distribution, inputs, precision
    from cartoongan_tf.training.run import TrainingRun
    from cartoongan_tf.training.run_folder import RunFolder
    from data_pipeline import dataset, records

    opened, held_out = records.open_records(config.data_dir), records.open_records(config.data_dir, "validation")
    inputs.check_records(config.data_dir, opened)
    folder = RunFolder(config.run_dir)
    folder.check_goes_on(config)
    folder.check_writable()
    _prepare_tensorflow(config)
    strategy = strategy or distribution.build_strategy(config.strategy)
    _check_batch_size(config, strategy.num_replicas_in_sync, opened.image_size)
    if not (len(held_out.photos) and len(held_out.cartoons)):
        print(
            f"{config.data_dir} has no held-out pictures: samples show training photos, and there is no validation "
            "(build_tfrecords --validation_fraction=0.1 keeps some)."
        )
    if slow := precision.slowness(config.mixed_precision):
        print(f"WARNING: {slow}.", file=sys.stderr)
    explaining_damage = dataset.explaining_damage
    with distribution.explaining_lost_workers(strategy), explaining_damage(opened), explaining_damage(held_out):
        with progress.stage("reading the samples, building the networks and VGG19"):
            training = TrainingRun(config, folder, strategy, inputs.build_inputs(config, opened, held_out))
        return training.rehearse() if config.dry_run else training.run()


def _prepare_tensorflow(config: TrainConfig) -> None:
    import keras
    import tensorflow as tf

    # Grappler's remapper gives up on the discriminator's LeakyReLU gradients, with an error line and no gain.
    tf.config.optimizer.set_experimental_options({"remapping": False})
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def _check_batch_size(config: TrainConfig, num_replicas: int, image_size: int) -> None:
    """Raise InputError unless the devices can share a batch, and TensorFlow's kernels take their parts of it."""
    if config.batch_size % num_replicas:
        raise InputError(
            f"--batch_size={config.batch_size}: must be a multiple of the {num_replicas} devices that share it"
        )
    import tensorflow as tf

    side, share = config.crop_size or image_size, config.batch_size // num_replicas
    values = share * side**2 * max(_VGG19_CHANNELS, config.generator_width)
    takes_batches = share > 1 or bool(tf.config.list_physical_devices("GPU"))  # one picture alone is taken otherwise
    if values > kernel_limits.most_values(on_gpu=takes_batches):
        raise InputError(
            f"--batch_size={config.batch_size}: {share} pictures of {side} px on a device are more than TensorFlow's "
            "kernels compute with at once; lower it, give a smaller --crop_size, or set TF_ENABLE_ONEDNN_OPTS=0"
        )


if __name__ == "__main__":
    sys.exit(main())
