"""Train a cartoon style, or go on with a run that was cut off: give the same command again.

    python -m cartoongan_tf.train --flagfile=shinkai.flags

shinkai.flags is a complete recipe; flags after it on the command line win. Data comes from
data_pipeline.build_tfrecords. The run's folder then holds generator.keras (for cartoonize and export), samples/
(pictures to look at), summaries/ (for `tensorboard --logdir`), checkpoints/ and run.flags (the run's own recipe).
"""

import functools
import math
import sys
from pathlib import Path

import numpy as np

from cartoongan_tf import __version__, atomic, program
from cartoongan_tf.config import FIXED_FLAGS, TrainConfig
from cartoongan_tf.errors import InputError
from cartoongan_tf.options import flagfile_text, read_flagfile_values

RUN_FLAGS = "run.flags"


def main(argv=None) -> int:
    return program.run(TrainConfig, lambda config, _: train(config), __doc__, argv)


def train(config: TrainConfig, strategy=None) -> None:
    """Run the whole training, or what is left of it.

    Args:
      config: the run's options.
      strategy: a tf.distribute.Strategy; MirroredStrategy over all GPUs, or the CPU, where None.

    Raises:
      InputError: data, VGG19 weights or run folder cannot be used, or a loss stopped being finite.
    """
    program.start_tensorflow()
    import keras
    import tensorflow as tf

    from cartoongan_tf import train_loop, train_step
    from cartoongan_tf.checkpoints import RunCheckpoints
    from data_pipeline import dataset, records

    opened = records.open_records(config.data_dir)
    run_dir = Path(config.run_dir)
    _check_goes_on(config, run_dir)
    strategy = strategy or _mirrored_strategy()
    _check_batch_size(config, strategy.num_replicas_in_sync)
    # Grappler's remapper gives up on the discriminator's LeakyReLU gradients, with an error line and no gain.
    tf.config.optimizer.set_experimental_options({"remapping": False})
    keras.utils.set_random_seed(config.seed)
    steps_per_epoch = math.ceil(len(opened.photos) / config.batch_size)
    with strategy.scope():
        networks = _build_networks(config, steps_per_epoch)
    phases = [
        train_loop.Phase(name, epochs * steps_per_epoch, functools.partial(_step, step, networks, config))
        for name, epochs, step in (
            ("initialization", config.initialization_epochs, train_step.initialization_step),
            ("adversarial", config.adversarial_epochs, train_step.adversarial_step),
        )
    ]
    checkpoints = RunCheckpoints(run_dir / "checkpoints", _trackables(networks), config.keep_checkpoints)
    photos = dataset.read_photos(opened, config.num_samples)
    write_results = functools.partial(_write_results, run_dir, networks.generator, photos)
    _write_run_flags(config, run_dir)
    with tf.summary.create_file_writer(str(run_dir / "summaries")).as_default():
        num_steps = train_loop.run(
            phases,
            batches_from=lambda step: dataset.build_dataset(opened, config.batch_size, config.seed, step),
            batch_size=config.batch_size,
            strategy=strategy,
            checkpoints=checkpoints,
            on_checkpoint=write_results,
            cadence=train_loop.Cadence(config.checkpoint_every_steps, config.summary_every_steps),
        )
        num_steps_in_all = sum(phase.num_steps for phase in phases)
        if not (run_dir / "generator.keras").exists():  # deleted since
            write_results(num_steps_in_all)
    _print_end(run_dir, num_steps, num_steps_in_all)


def _step(step, networks, config, batch):
    return step(networks, batch, config)


def _check_goes_on(config: TrainConfig, run_dir: Path) -> None:
    """Refuse to go on with a run whose networks or phases were others; before its first checkpoint all is free."""
    if not (run_dir / "checkpoints" / "checkpoint").exists() or not (run_dir / RUN_FLAGS).exists():
        return
    before = read_flagfile_values(run_dir / RUN_FLAGS)
    for name in FIXED_FLAGS:
        if before.get(name) not in (None, str(getattr(config, name))):
            raise InputError(
                f"--{name}={getattr(config, name)}: the run in {run_dir} was begun with --{name}={before[name]}; "
                "go on with that, or name a new --run_dir"
            )


def _write_run_flags(config: TrainConfig, run_dir: Path) -> None:
    path = run_dir / RUN_FLAGS
    comment = f"Repeat or go on with this run:\n  python -m cartoongan_tf.train --flagfile={path}\n"
    with atomic.replacing(path) as temporary:
        temporary.write_text(flagfile_text(config, f"{comment}Written by cartoongan-tf {__version__}."), "utf-8")


def _mirrored_strategy():
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if gpus:
        print(f"Training on {len(gpus)} GPU{'s' if len(gpus) > 1 else ''}.")
        return tf.distribute.MirroredStrategy()
    print(
        "No GPU found: training on the CPU. That is fine for a trial; a network of the paper's size needs a GPU "
        "(the README says what to install for NVIDIA's)."
    )
    return tf.distribute.MirroredStrategy(["/cpu:0"])


def _check_batch_size(config: TrainConfig, num_replicas: int) -> None:
    if config.batch_size % num_replicas:
        raise InputError(
            f"--batch_size={config.batch_size}: must be a multiple of the {num_replicas} GPUs that share it"
        )


def _build_networks(config: TrainConfig, steps_per_epoch: int):
    """Build the networks and their optimizers; to be called in the strategy's scope."""
    from cartoongan_tf.discriminator import build_discriminator
    from cartoongan_tf.generator import build_generator
    from cartoongan_tf.optimizers import build_adam
    from cartoongan_tf.train_step import Networks
    from cartoongan_tf.vgg19 import build_vgg19_features

    def adam(model, learning_rate, epochs, decay_epochs):
        optimizer = build_adam(learning_rate, epochs * steps_per_epoch, decay_epochs * steps_per_epoch)
        optimizer.build(model.trainable_variables)
        return optimizer

    generator = build_generator(config.generator, config.generator_width, config.generator_num_blocks)
    discriminator = build_discriminator(config.discriminator_width)
    initialization = (config.initialization_epochs, config.initialization_decay_epochs)
    adversarial = (config.adversarial_epochs, config.adversarial_decay_epochs)
    return Networks(
        generator,
        discriminator,
        build_vgg19_features(config.vgg19_weights, config.seed),
        adam(generator, config.initialization_learning_rate, *initialization),
        adam(generator, config.generator_learning_rate, *adversarial),
        adam(discriminator, config.discriminator_learning_rate, *adversarial),
    )


def _trackables(networks) -> dict:
    names = ("generator", "discriminator")
    names += ("initialization_optimizer", "generator_optimizer", "discriminator_optimizer")
    return {name: getattr(networks, name) for name in names}


def _write_results(run_dir: Path, generator, photos, step: int) -> None:
    """At a checkpoint: the generator to use, and a sheet of samples to look at."""
    import tensorflow as tf

    from cartoongan_tf import pictures, pixels
    from cartoongan_tf.checkpoints import NOT_FINITE_ADVICE, save_generator
    from cartoongan_tf.samples import sample_sheet

    if not np.isfinite(np.asarray(generator(pixels.to_float(photos[:1])))).all():
        raise InputError(f"what the generator draws is not finite after step {step} of the run. {NOT_FINITE_ADVICE}")
    save_generator(generator, run_dir / "generator.keras")
    sheet = sample_sheet(generator, photos)
    pictures.write_picture(run_dir / "samples" / f"step_{step:07}.jpg", sheet)
    tf.summary.image("samples", sheet[None], step=step)
    tf.summary.flush()


def _print_end(run_dir: Path, num_steps: int, num_steps_in_all: int) -> None:
    if not num_steps:
        print(f"All {num_steps_in_all} steps of {run_dir} are done already; raise --adversarial_epochs to go on.")
    print(
        f"The generator is {run_dir}/generator.keras, samples are in {run_dir}/samples. Draw a photo:\n"
        f"    python -m cartoongan_tf.cartoonize --model={run_dir}/generator.keras photo.jpg"
    )


if __name__ == "__main__":
    sys.exit(main())
