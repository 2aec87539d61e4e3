"""The steps that `benchmarks.host_steps` runs on a host, as one worker of the strategy."""

import dataclasses
import itertools
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from benchmarks.host_steps import Answer, Request, weights_file
from benchmarks.train_step_works import STEPS_PER_EPOCH, random_batch
from benchmarks.virtual_hosts import bytes_sent_from_here
from cartoongan_tf.training import distribution, networks, phases, schedule, step_graph
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.feeds import Feeds

_NUM_BATCHES = 8  # different ones, which come again and again


class Steps:
    """The steps of a recipe; those of a phase are traced when they are first asked for."""

    def __init__(self, recipe: TrainConfig, strategy: tf.distribute.Strategy):
        step_graph.switch_remapper_off()
        keras.utils.set_random_seed(recipe.seed)
        self._recipe = recipe
        self._strategy = strategy
        plan = schedule.plan(recipe, STEPS_PER_EPOCH)
        with strategy.scope():
            self._networks = networks.build_networks(recipe, plan, recipe.crop_size)
        self._phases = {phase.name: phase for phase in phases.build_phases(recipe, self._networks, plan)}
        self._traced: dict[str, Callable] = {}

    def run(self, request: Request) -> Answer:
        """Run steps as the training loop does, which asks all workers after each call whether to stop."""
        if request.phase not in self._traced:
            self._traced[request.phase] = self._trace(request.phase)
        distribution.from_all_workers(self._strategy, 0)  # all begin together
        sent_before, began = bytes_sent_from_here(), time.perf_counter()
        of_calls = []
        for _ in range(0, request.num_steps, request.steps_per_call):
            of_calls.append(self._traced[request.phase](request.steps_per_call))
            distribution.any_worker(self._strategy, False)
        scalars: dict[str, list[float]] = {name: [] for name in of_calls[0]}
        for name, of_call in itertools.product(scalars, of_calls):
            scalars[name].extend(of_call[name].numpy().tolist())
        answer = Answer(time.perf_counter() - began, bytes_sent_from_here() - sent_before, scalars)
        if request.weights_dir:
            self._write_weights(request.weights_dir)
        return answer

    def _trace(self, phase: str) -> Callable:
        batches = Feeds(self._random_batches, self._recipe.batch_size).distribute_training(self._strategy, 0)
        return step_graph.several_steps(self._phases[phase].step, batches, self._strategy)

    def _random_batches(self, first_batch: int, num_workers: int, worker: int) -> tf.data.Dataset:
        """Return this host's part of a few random batches, again and again; see `Feeds.training`."""
        parts: dict[str, list[tf.Tensor]] = {}
        for seed in range(_NUM_BATCHES):
            for name, pictures in random_batch(dataclasses.replace(self._recipe, seed=seed)).items():
                parts.setdefault(name, []).append(tf.split(pictures, num_workers)[worker])
        return tf.data.Dataset.from_tensor_slices({name: tf.stack(of_name) for name, of_name in parts.items()}).repeat()

    def _write_weights(self, weights_dir: str) -> None:
        models = (self._networks.generator, self._networks.discriminator)
        weights = [variable.numpy() for model in models for variable in model.trainable_variables]
        np.savez(weights_file(weights_dir, distribution.cluster_of(self._strategy).worker), *weights)
