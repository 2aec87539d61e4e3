"""The works that `benchmarks.train_step` measures: parts of the step, the step with each switch, and of each method.

`step_graph.several_steps` runs each, as in training, on random pictures in memory. A part builds only the networks that
it needs, so that its process shows the memory of this part.
"""

import dataclasses
import functools
import types
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from cartoongan_tf.base import memory
from cartoongan_tf.models import losses, pixels
from cartoongan_tf.models.discriminator import build_discriminator
from cartoongan_tf.models.vgg19 import build_vgg19_features
from cartoongan_tf.training import networks as nets
from cartoongan_tf.training import schedule, step_graph, steps
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.gradients import Batch, ForwardPass, Scalars, update, with_gradients
from experiments.baselines import cyclegan
from experiments.baselines.cyclegan_config import CycleGANConfig
from experiments.baselines.cyclegan_networks import build_cyclegan

STEPS_PER_EPOCH = 1000  # of the learning rates' schedules, which stay at their start here


class Work(NamedTuple):
    """A step to measure.

    Attributes:
      build: function that builds the step of a recipe, whose `crop_size` is the pictures' size.
      changes: changes to the recipe.
    """

    build: Callable[[TrainConfig], step_graph.Step]
    changes: Mapping[str, Any] = types.MappingProxyType({})

    @property
    def steps_per_call(self) -> int:
        return self.changes.get("steps_per_call", 1)


def _nothing(recipe: TrainConfig) -> step_graph.Step:
    """Build a step that does nothing, to measure a process that has started TensorFlow and the loop."""
    return lambda batch: {"value": tf.cast(batch["photo"][0, 0, 0, 0], tf.float32)}


def _generator_forward(recipe: TrainConfig) -> step_graph.Step:
    generator = nets.new_generator(recipe)
    return lambda batch: {"value": tf.reduce_mean(generator(pixels.to_float(batch["photo"]), training=True))}


def _generator_and_back(recipe: TrainConfig) -> step_graph.Step:
    generator = nets.new_generator(recipe)

    def step(batch):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(tf.square(generator(pixels.to_float(batch["photo"]), training=True)))
        return {"value": tf.linalg.global_norm(tape.gradient(value, generator.trainable_variables))}

    return step


def _discriminator_and_back(recipe: TrainConfig) -> step_graph.Step:
    networks: Any = types.SimpleNamespace(
        discriminator=build_discriminator(recipe.discriminator_width), vgg19_features=None, vgg19_taps=None
    )
    run = with_gradients(lambda batch: steps.warmup_pass(networks, batch, recipe), networks, recipe.jit_compile)

    def step(batch):
        _, gradients = run(batch)
        return {"value": tf.linalg.global_norm(gradients["discriminator"])}

    return step


def _vgg19_forward(recipe: TrainConfig) -> step_graph.Step:
    features = build_vgg19_features(recipe.vgg19_weights, recipe.seed)
    return lambda batch: {"value": tf.reduce_mean(features(pixels.to_float(batch["photo"])))}


def _vgg19_and_back(recipe: TrainConfig) -> step_graph.Step:
    features = build_vgg19_features(recipe.vgg19_weights, recipe.seed)

    def step(batch):
        picture = pixels.to_float(batch["photo"])
        with tf.GradientTape() as tape:
            tape.watch(picture)
            value = tf.reduce_mean(tf.square(features(picture)))
        return {"value": tf.linalg.norm(tape.gradient(value, picture))}

    return step


def _step_of_training(step: Callable, recipe: TrainConfig) -> step_graph.Step:
    networks = nets.build_networks(recipe, schedule.plan(recipe, STEPS_PER_EPOCH), recipe.crop_size)
    return lambda batch: step(networks, batch, recipe)


def features_together_step(networks: nets.Networks, batch: Batch, recipe: TrainConfig) -> Scalars:
    """Do an adversarial step, without a pool, with photo and generated picture in one batch of VGG19's.

    This is the naive content loss: one call for both, and gradients go back through both, although the photo's are not
    needed. The plain step does not differentiate its call for the photo.
    """

    def run_forward(batch):
        return _pass_with_features_together(networks, batch, recipe)

    forward, gradients = with_gradients(run_forward, networks, recipe.jit_compile)(batch)
    optimizers = {"generator": networks.generator_optimizer, "discriminator": networks.discriminator_optimizer}
    return forward.scalars | update(networks, optimizers, gradients)


def _pass_with_features_together(networks: nets.Networks, batch, recipe: TrainConfig) -> ForwardPass:
    without_vgg19 = dataclasses.replace(networks, vgg19_features=tf.identity)
    without_content = steps.adversarial_pass(without_vgg19, batch, dataclasses.replace(recipe, content_weight=0.0))
    both = tf.concat([without_content.generated, pixels.to_float(batch["photo"])], 0)
    features, photo_features = tf.split(networks.vgg19_features(both), 2)
    content = losses.content_loss(features, photo_features, recipe.content_loss)
    content = tf.nn.compute_average_loss(content, global_batch_size=recipe.batch_size)
    generator_objective = without_content.objectives["generator"] + recipe.content_weight * content
    return ForwardPass(
        without_content.objectives | {"generator": generator_objective},
        without_content.scalars | {"content_loss": content},
        without_content.generated,
    )


def _cyclegan(identity_weight: float, recipe: TrainConfig) -> step_graph.Step:
    config = CycleGANConfig(
        identity_weight=identity_weight,
        generator=recipe.generator,
        generator_width=recipe.generator_width,
        generator_num_blocks=recipe.generator_num_blocks,
        discriminator_width=recipe.discriminator_width,
        batch_size=recipe.batch_size,
        pool_size=recipe.pool_size,
        seed=recipe.seed,
    )
    networks = build_cyclegan(config, STEPS_PER_EPOCH, recipe.crop_size)
    return lambda batch: cyclegan.cyclegan_step(networks, batch, config)


_INITIALIZATION = functools.partial(_step_of_training, steps.initialization_step)
_ADVERSARIAL = functools.partial(_step_of_training, steps.adversarial_step)
_POOL = {"pool_size": TrainConfig.pool_size}

# By table, and by name. The recipe has no pool by default, so that each switch is one change to "plain".
WORKS: dict[str, dict[str, Work]] = {
    "base": {"nothing": Work(_nothing)},
    "parts": {
        "generator, forward": Work(_generator_forward),
        "generator, forward and backward": Work(_generator_and_back),
        "discriminator on its three pictures, forward and backward": Work(_discriminator_and_back),
        "VGG19 on the photo": Work(_vgg19_forward),
        "VGG19, forward and backward to the generated picture": Work(_vgg19_and_back),
        "initialization step, pixels": Work(_INITIALIZATION, {"initialization_loss": "pixels"}),
        "initialization step, content": Work(_INITIALIZATION),
        "adversarial step": Work(_ADVERSARIAL),
    },
    "switches": {
        "plain": Work(_ADVERSARIAL),
        "--mixed_precision=bfloat16": Work(_ADVERSARIAL, {"mixed_precision": "bfloat16"}),
        "--jit_compile": Work(_ADVERSARIAL, {"jit_compile": True}),
        "--steps_per_call=8": Work(_ADVERSARIAL, {"steps_per_call": 8}),
        f"--pool_size={TrainConfig.pool_size}": Work(_ADVERSARIAL, _POOL),
        "--ema_decay=0.999": Work(_ADVERSARIAL, {"ema_decay": 0.999}),
        "photo features with gradients": Work(functools.partial(_step_of_training, features_together_step)),
    },
    "methods": {
        "CartoonGAN": Work(_ADVERSARIAL, _POOL),
        "CycleGAN": Work(functools.partial(_cyclegan, 0.0), _POOL),
        "CycleGAN with identity loss": Work(functools.partial(_cyclegan, CycleGANConfig.identity_weight), _POOL),
    },
}


def build(work: Work, recipe: TrainConfig) -> Callable[[int], int]:
    """Build a work, trace it, and run it twice to warm up.

    Returns:
      a function of a number of steps, a multiple of --steps_per_call. It does the steps, waits for their results, and
      returns the peak memory so far, in bytes.
    """
    step_graph.switch_remapper_off()
    recipe = dataclasses.replace(recipe, **work.changes)
    batches = iter(tf.data.Dataset.from_tensors(random_batch(recipe)).repeat())
    train = step_graph.several_steps(work.build(recipe), batches, tf.distribute.get_strategy())

    def run(num_steps: int) -> int:
        scalars = {}
        for _ in range(0, num_steps, work.steps_per_call):
            scalars = train(work.steps_per_call)
        for name, values in scalars.items():
            if not np.isfinite(values.numpy()).all():
                raise ValueError(f"{name} is {values.numpy()}")
        return _peak_bytes()

    for _ in range(2):
        run(work.steps_per_call)
    return run


def random_batch(recipe: TrainConfig) -> Batch:
    """Return a random batch like those of records: "photo", "cartoon" and "smoothed", uint8 RGB [B, S, S, 3]."""
    rng = np.random.default_rng(recipe.seed)
    shape = (recipe.batch_size, recipe.crop_size, recipe.crop_size, 3)
    return {name: tf.constant(rng.integers(0, 256, shape), tf.uint8) for name in ("photo", "cartoon", "smoothed")}


def _peak_bytes() -> int:
    """Return the peak memory of the GPU, if there is one, or of this process."""
    if tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return memory.peak_bytes()
