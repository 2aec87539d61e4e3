"""A few training steps of small networks on one batch, for several tests.

As one worker of a cluster: TF_CONFIG=... python -m tests.small_steps
"""

import dataclasses
import functools
import json

import keras
import numpy as np
import tensorflow as tf

from cartoongan_tf.training import distribution, schedule, steps
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.feeds import Feeds
from cartoongan_tf.training.networks import build_networks
from cartoongan_tf.training.step_graph import several_steps
from tests.small_runs import small_networks

IMAGE_SIZE = 32
BATCH_SIZE = 4


def small_config(**changes):
    """Return a recipe of small networks."""
    values = {
        "vgg19_weights": "random",
        "generator_width": 4,
        "generator_num_blocks": 1,
        "discriminator_width": 4,
        "batch_size": BATCH_SIZE,
        "initialization_learning_rate": 1e-3,
        "generator_learning_rate": 1e-3,
        "discriminator_learning_rate": 1e-3,
    }
    return TrainConfig("data", "run", **(values | changes))


def small_batch(size=BATCH_SIZE):
    """Return a batch of noise, always the same; a quarter of each photo but the last is a face."""
    rng = np.random.default_rng(0)
    names = ("photo", "cartoon", "smoothed", "drawing")
    shape = (size, IMAGE_SIZE, IMAGE_SIZE, 3)
    batch = {name: rng.integers(0, 256, shape) for name in names}
    batch["faces"] = np.zeros(shape, int)
    batch["faces"][:-1, 4:20, 12:28] = 1
    return {name: tf.constant(pictures, tf.uint8) for name, pictures in batch.items()}


def run_steps(step, config, num_steps, strategy=None, build=build_networks):
    """Run a few steps on one batch, by default on one replica; return the scalars of each step, and the networks."""
    strategy = strategy or tf.distribute.MirroredStrategy(["CPU:0"])
    keras.utils.set_random_seed(0)
    with strategy.scope():
        networks = build(config, schedule.plan(config, 10), IMAGE_SIZE)

    def training(first_step, num_workers, worker):
        part = slice(worker * BATCH_SIZE // num_workers, (worker + 1) * BATCH_SIZE // num_workers)
        return tf.data.Dataset.from_tensors({name: images[part] for name, images in small_batch().items()}).repeat()

    batches = Feeds(training, BATCH_SIZE).distribute_training(strategy, 0)
    scalars = several_steps(lambda batch: step(networks, batch, config), batches, strategy)(num_steps)
    scalars_of_steps = []
    for index in range(num_steps):
        scalars_of_steps.append({name: float(values[index]) for name, values in scalars.items()})
    return scalars_of_steps, networks


def untrained(config):
    """Return the networks that `run_steps` begins with."""
    keras.utils.set_random_seed(0)
    return build_networks(config, schedule.plan(config, 10), IMAGE_SIZE)


def build_with_gradient_descent(config, lengths, image_size, times=1):
    """Build networks whose optimizers are plain gradient descent; small ones learn at `times` the rates of others."""
    networks = build_networks(config, lengths, image_size)

    def descent(model, learning_rate):
        optimizer = keras.optimizers.SGD(learning_rate)
        optimizer.build(model.trainable_variables)
        return optimizer

    return dataclasses.replace(
        networks,
        initialization_optimizer=descent(networks.generator, times * 1e-6),
        generator_optimizer=descent(networks.generator, times * 3e-4),
        discriminator_optimizer=descent(networks.discriminator, times * 3e-4),
    )


BUILD_SMALL = functools.partial(build_with_gradient_descent, times=1000)


def main():
    """Run adversarial steps as one of several workers; print their scalars, and the sums of the generator's weights."""
    strategy = distribution.build_strategy("multi_worker")
    with distribution.explaining_lost_workers(strategy), small_networks():
        config = small_config(pool_size=BATCH_SIZE)
        scalars, networks = run_steps(steps.adversarial_step, config, 5, strategy, BUILD_SMALL)
        print("scalars", json.dumps(scalars))
        print("weights", json.dumps([float(np.sum(weights)) for weights in networks.generator.get_weights()]))


if __name__ == "__main__":
    main()
