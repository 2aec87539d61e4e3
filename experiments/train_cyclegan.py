"""Train CycleGAN on the records of `build_tfrecords`, or resume from the last checkpoint: repeat the same command.

    python -m experiments.train_cyclegan --data_dir=data/shinkai --run_dir=runs/cyclegan

The run's folder holds generator.keras, which turns photos into cartoons, samples/, checkpoints/ and summaries/, like
CartoonGAN's. `compare_methods` runs this program; --identity_weight=0 is CycleGAN without identity loss.
"""

import sys

from cartoongan_tf.base import program
from experiments.baselines.cyclegan_config import TrainCycleGANConfig

_SUMMARY_EVERY_STEPS = 50
_NUM_SAMPLES = 6
_KEEP_CHECKPOINTS = 1


def main(argv=None) -> int:
    return program.run(TrainCycleGANConfig, lambda config, _: _train(config), __doc__, argv)


def _train(config: TrainCycleGANConfig) -> int:
    _start_tensorflow(config.seed)
    import tensorflow as tf

    from cartoongan_tf.base import atomic, signals
    from cartoongan_tf.training import distribution, inputs, loop
    from cartoongan_tf.training.cadence import Cadence
    from cartoongan_tf.training.checkpoints import RunCheckpoints
    from cartoongan_tf.training.networks import computing_in
    from cartoongan_tf.training.run_folder import RunFolder
    from cartoongan_tf.training.samples import draw_samples
    from data_pipeline import dataset, records
    from experiments.baselines.cyclegan import build_phase
    from experiments.baselines.cyclegan_networks import build_cyclegan, new_generator

    opened = records.open_records(config.data_dir)
    folder = RunFolder(config.run_dir)
    strategy = distribution.build_strategy("one")
    steps_per_epoch = inputs.count_steps_per_epoch(opened, config.batch_size)
    with strategy.scope(), computing_in(config.mixed_precision):
        networks = build_cyclegan(config, steps_per_epoch, config.crop_size or opened.image_size)
    float32_generator = new_generator(config)
    photos = dataset.read_photos(opened, _NUM_SAMPLES)

    def write_results(_, step: int) -> None:
        float32_generator.set_weights(networks.generators.cartoon.get_weights())
        folder.write_results(float32_generator, [photos, draw_samples(float32_generator, photos, step)], step)

    phase = build_phase(config, networks, steps_per_epoch)
    feeds = inputs.build_feeds(opened, config.batch_size, config.seed, config.crop_size)
    cadence = Cadence(config.checkpoint_every_steps, _SUMMARY_EVERY_STEPS)
    summaries = tf.summary.create_file_writer(str(folder.summaries))
    with atomic.locked(folder.path), summaries.as_default(), signals.stop_requests() as stop_signal:
        hooks = loop.Hooks(on_checkpoint=write_results, is_asked_to_stop=lambda: stop_signal() != 0)
        checkpoints = RunCheckpoints(folder.checkpoints, networks.saved(), _KEEP_CHECKPOINTS)
        done = loop.run([phase], feeds, strategy, checkpoints, cadence, hooks)
        return 0 if done.after >= phase.num_steps else 128 + stop_signal()


def _start_tensorflow(seed: int) -> None:
    program.start_tensorflow()
    import keras

    from cartoongan_tf.training import step_graph

    step_graph.switch_remapper_off()
    keras.utils.set_random_seed(seed)


if __name__ == "__main__":
    sys.exit(main())
