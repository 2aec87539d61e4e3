"""Train a cartoon style, or go on from the last checkpoint of a run that was cut off: give the same command again.

    python -m cartoongan_tf.train --flagfile=shinkai.flags

shinkai.flags is a complete recipe; flags after it on the command line win. Data comes from
data_pipeline.build_tfrecords. The run's folder then holds generator.keras (for cartoonize and export), samples/
(pictures to look at), summaries/ (for `tensorboard --logdir`), checkpoints/ and run.flags (the run's own recipe).
"""

import functools
import math
import sys
from collections.abc import Callable

from cartoongan_tf import program, signals
from cartoongan_tf.config import TrainConfig
from cartoongan_tf.errors import InputError


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
    program.start_tensorflow()
    import tensorflow as tf

    from cartoongan_tf import networks as nets
    from cartoongan_tf import strategies, train_loop
    from cartoongan_tf.checkpoints import RunCheckpoints
    from cartoongan_tf.phases import build_phases
    from cartoongan_tf.run_folder import RunFolder
    from data_pipeline import dataset, records

    opened, held_out = records.open_records(config.data_dir), records.open_records(config.data_dir, "validation")
    folder = RunFolder(config.run_dir)
    folder.check_goes_on(config)
    _prepare_tensorflow(config)
    strategy = strategy or strategies.build_strategy(config.strategy)
    cluster = strategies.cluster_of(strategy)
    _check_batch_size(config, strategy.num_replicas_in_sync)
    initial_generator = None
    if config.initial_generator and not folder.has_begun:
        initial_generator = nets.load_initial_generator(config.initial_generator)
    steps_per_epoch = math.ceil(len(opened.photos) / config.batch_size)
    with strategies.explaining_lost_workers(strategy):
        with strategy.scope():
            networks = nets.build_networks(config, steps_per_epoch, config.crop_size or opened.image_size)
        if initial_generator is not None:
            networks.start_from(initial_generator)
        phases = build_phases(config, networks, steps_per_epoch)
        num_steps_in_all = sum(phase.num_steps for phase in phases)
        write_results = _results_writer(config, folder, networks, held_out if len(held_out.photos) else opened)
        curves = tf.summary.create_noop_writer()
        if cluster.is_chief:
            folder.write_flags(config)
            curves = tf.summary.create_file_writer(str(folder.summaries))
        with curves.as_default(), dataset.explaining_damage(opened), signals.stop_requests() as stop_signal:
            done = train_loop.run(
                phases,
                _feeds(config, opened, held_out),
                strategy,
                RunCheckpoints(folder.checkpoints, networks.saved(), config.keep_checkpoints, config.keep_every_steps),
                train_loop.Cadence(config.checkpoint_every_steps, config.summary_every_steps, config.steps_per_call),
                train_loop.Hooks(on_checkpoint=write_results, is_asked_to_stop=lambda: stop_signal() != 0),
            )
            stopped_by = max(strategies.from_all_workers(strategy, stop_signal()))
            if cluster.is_chief and not folder.generator.exists():  # deleted since
                write_results(phases[-1].name, num_steps_in_all)
    if cluster.is_chief:
        _print_end(folder, done, num_steps_in_all)
    return 0 if done.after == num_steps_in_all else 128 + stopped_by


def _print_end(folder, done, num_steps_in_all: int) -> None:
    if done.after < num_steps_in_all:
        print(f"Stopped with a checkpoint in {folder.checkpoints}. Give the same command again to go on.")
        return
    if done.before == done.after:
        print(f"All {num_steps_in_all} steps of {folder.path} are done already; raise --adversarial_epochs to go on.")
    print(
        f"The generator is {folder.generator}, samples are in {folder.samples}. Draw a photo:\n"
        f"    python -m cartoongan_tf.cartoonize --model={folder.generator} photo.jpg"
    )


def _prepare_tensorflow(config: TrainConfig) -> None:
    import keras
    import tensorflow as tf

    # Grappler's remapper gives up on the discriminator's LeakyReLU gradients, with an error line and no gain.
    tf.config.optimizer.set_experimental_options({"remapping": False})
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def _feeds(config: TrainConfig, opened, held_out):
    from cartoongan_tf.train_loop import Feeds
    from data_pipeline import dataset

    def batches(of, first_batch, num_workers, worker):
        return dataset.build_dataset(
            of, config.batch_size, config.seed, first_batch, config.crop_size, num_workers, worker
        )

    def validation(num_workers, worker):
        return batches(held_out, 0, num_workers, worker).take(config.validation_batches)

    has_validation = config.validation_batches and len(held_out.photos) and len(held_out.cartoons)
    return Feeds(functools.partial(batches, opened), config.batch_size, validation if has_validation else None)


def _results_writer(config: TrainConfig, folder, networks, opened) -> Callable[[str, int], None]:
    """What is done before a checkpoint: write the generator, and draw samples of these records' photos."""
    from cartoongan_tf.networks import generator_to_use
    from cartoongan_tf.samples import draw_samples
    from data_pipeline import dataset

    photos = dataset.read_photos(opened, config.num_samples)

    def write_results(phase_name: str, step: int) -> None:
        generator = generator_to_use(networks, config)
        folder.write_results(generator, photos, draw_samples(generator, photos, step), step)

    return write_results


def _check_batch_size(config: TrainConfig, num_replicas: int) -> None:
    if config.batch_size % num_replicas:
        raise InputError(
            f"--batch_size={config.batch_size}: must be a multiple of the {num_replicas} devices that share it"
        )


if __name__ == "__main__":
    sys.exit(main())
