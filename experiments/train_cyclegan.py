"""Train CycleGAN on the records of `build_tfrecords`, or go on from the last checkpoint: give the same command again.

    python -m experiments.train_cyclegan --data_dir=data/shinkai --run_dir=runs/cyclegan

The run's folder then holds generator.keras, which draws cartoons of photos, samples/, checkpoints/ and summaries/, as
CartoonGAN's do. `compare_methods` runs this; --identity_weight=0 is CycleGAN without identity loss.
"""

import sys

from cartoongan_tf.base import program
from experiments.baselines.cyclegan_config import TrainCycleGANConfig

_SUMMARY_EVERY_STEPS, _NUM_SAMPLES = 50, 6


def main(argv=None) -> int:
    return program.run(TrainCycleGANConfig, lambda config, _: _train(config), __doc__, argv)


def _train(config: TrainCycleGANConfig) -> int:
    program.start_tensorflow()
    import keras
    import tensorflow as tf

    from cartoongan_tf.base import atomic, signals
    from cartoongan_tf.training import distribution, inputs, loop
    from cartoongan_tf.training.checkpoints import RunCheckpoints
    from cartoongan_tf.training.networks import computing_in
    from cartoongan_tf.training.run_folder import RunFolder
    from cartoongan_tf.training.samples import draw_samples
    from data_pipeline import dataset, records
    from experiments.baselines.cyclegan import build_cyclegan, build_phase, new_generator

    opened, folder = records.open_records(config.data_dir), RunFolder(config.run_dir)
    # As in cartoongan_tf.train: the remapper gives up on the discriminators' gradients, with an error line and no gain.
    tf.config.optimizer.set_experimental_options({"remapping": False})
    keras.utils.set_random_seed(config.seed)
    strategy = distribution.build_strategy("one")
    steps_per_epoch = inputs.count_steps_per_epoch(opened, config.batch_size)
    with strategy.scope(), computing_in(config.mixed_precision):
        networks = build_cyclegan(config, steps_per_epoch, config.crop_size or opened.image_size)
    to_use = new_generator(config)
    photos = dataset.read_photos(opened, _NUM_SAMPLES)

    def write_results(_, step: int) -> None:
        to_use.set_weights(networks.generators.cartoon.get_weights())
        folder.write_results(to_use, photos, draw_samples(to_use, photos, step), step)

    phase = build_phase(config, networks, steps_per_epoch)
    summaries = tf.summary.create_file_writer(str(folder.summaries))
    with atomic.locked(folder.path), summaries.as_default(), signals.stop_requests() as stop_signal:
        hooks = loop.Hooks(on_checkpoint=write_results, is_asked_to_stop=lambda: stop_signal() != 0)
        checkpoints = RunCheckpoints(folder.checkpoints, networks.saved(), 1)
        cadence = loop.Cadence(config.checkpoint_every_steps, _SUMMARY_EVERY_STEPS)
        feeds = inputs.build_feeds(opened, config.batch_size, config.seed, config.crop_size)
        done = loop.run([phase], feeds, strategy, checkpoints, cadence, hooks)
        return 0 if done.after >= phase.num_steps else 128 + stop_signal()


if __name__ == "__main__":
    sys.exit(main())
