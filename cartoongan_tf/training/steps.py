"""The training steps, one for each phase: losses, gradients, updates; nothing else.

All take a batch of this replica, {"photo", "cartoon", "smoothed"}: uint8 RGB [B, S, S, 3] each, and return scalars by
name, each this replica's share of the average over the global batch: summed over the replicas they are the averages
(of gradient norms the sum is an upper bound of the whole gradient's norm, and the norm itself with one replica). They
run inside `strategy.run`, where an optimizer sums gradients over the replicas.

Each step is a function of losses and what follows it: the same losses without updates are the validation.
"""

import keras
import tensorflow as tf

from cartoongan_tf.models import losses, pixels
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.gradients import Batch, Losses, Scalars, average, mean_logit, update, with_gradients
from cartoongan_tf.training.image_pool import Shown
from cartoongan_tf.training.networks import Networks


def initialization_step(networks: Networks, batch: Batch, config: TrainConfig) -> Scalars:
    """Train the generator to reconstruct photos (section 3.3)."""
    found = with_gradients(lambda batch: initialization_losses(networks, batch, config), networks, config.jit_compile)
    result, gradients = found(batch)
    norms = update(networks, {"generator": networks.initialization_optimizer}, gradients)
    _average_generator(networks, networks.initialization_optimizer, config)
    return result.scalars | norms


def warmup_step(networks: Networks, batch: Batch, config: TrainConfig) -> Scalars:
    """Train the discriminator alone, on photos in place of generated pictures; not in the paper."""
    found = with_gradients(lambda batch: warmup_losses(networks, batch, config), networks, config.jit_compile)
    result, gradients = found(batch)
    return result.scalars | update(networks, {"discriminator": networks.warmup_optimizer}, gradients)


def adversarial_step(networks: Networks, batch: Batch, config: TrainConfig) -> Scalars:
    """Update both networks (equations 1 to 4) from one pass of the generator; each sees the other as it was before."""
    step, shown = tf.identity(networks.generator_optimizer.iterations), None
    if networks.image_pool:
        shown = networks.image_pool.recall(step, tf.shape(batch["photo"])[0])
    found = with_gradients(
        lambda batch, shown: adversarial_losses(networks, batch, config, shown), networks, config.jit_compile
    )
    result, gradients = found(batch, shown)
    optimizers = {"generator": networks.generator_optimizer, "discriminator": networks.discriminator_optimizer}
    norms = update(networks, optimizers, gradients)
    if networks.image_pool:
        networks.image_pool.keep(step, result.generated)
    _average_generator(networks, networks.generator_optimizer, config)
    return result.scalars | norms


def initialization_losses(networks: Networks, batch: Batch, config: TrainConfig) -> Losses:
    """Scalars: "content_loss", of VGG19 features, or of pixels with --initialization_loss=pixels."""
    photo = pixels.to_float(batch["photo"])
    describe = networks.vgg19_features if config.initialization_loss == "content" else tf.identity
    generated = networks.generator(photo, training=True)
    content = losses.content_loss(describe(generated), describe(photo), config.content_loss)
    content = average(content, config.batch_size)
    return Losses({"generator": content}, {"content_loss": content})


def warmup_losses(networks: Networks, batch: Batch, config: TrainConfig) -> Losses:
    """Scalars: "discriminator_loss" and D's mean logits, as in `adversarial_losses`, "logits_generated" of photos."""
    photo, cartoon, smoothed = _pictures(batch)
    logits = tf.split(networks.discriminator(tf.concat([cartoon, smoothed, photo], 0), training=True), 3)
    return _discriminator_losses(logits, config)


def adversarial_losses(networks: Networks, batch: Batch, config: TrainConfig, shown: Shown | None = None) -> Losses:
    """Scalars: "generator_loss" (the adversarial term alone), "content_loss", "color_loss" (both unweighted; the
    latter with --color_weight only), "discriminator_loss", and D's mean logits "logits_cartoon", "logits_smoothed"
    and "logits_generated".

    Args:
      networks, batch, config: of the run.
      shown: what the pool has for D in place of some generated pictures; None: they are all shown.
    """
    photo, cartoon, smoothed = _pictures(batch)
    discriminator, features = networks.discriminator, networks.vgg19_features
    photo_features = features(photo)
    generated = networks.generator(photo, training=True)
    generated_logits = discriminator(generated, training=True)
    learned_logits = [*tf.split(discriminator(tf.concat([cartoon, smoothed], 0), training=True), 2), generated_logits]
    if shown is not None:
        pictures = tf.where(shown.instead, shown.pictures, tf.stop_gradient(generated))
        learned_logits[2] = discriminator(pictures, training=True)
    terms = {
        "generator_loss": losses.generator_loss(generated_logits, config.adversarial_loss),
        "content_loss": losses.content_loss(features(generated), photo_features, config.content_loss),
    }
    total = terms["generator_loss"] + config.content_weight * terms["content_loss"]
    if config.color_weight:
        terms["color_loss"] = losses.color_loss(generated, photo)
        total += config.color_weight * terms["color_loss"]
    of_discriminator = _discriminator_losses(learned_logits, config)
    scalars = {name: average(value, config.batch_size) for name, value in terms.items()}
    return Losses(
        {"generator": average(total, config.batch_size)} | of_discriminator.objectives,
        scalars | of_discriminator.scalars,
        generated,
    )


def _discriminator_losses(logits: list[tf.Tensor], config: TrainConfig) -> Losses:
    """Of D's logits for cartoons, their smoothed twins, and what it must not take for cartoons."""
    loss = losses.discriminator_loss(*logits, config.adversarial_loss, config.edge_loss_weight)
    loss = average(loss, config.batch_size)
    names = ("logits_cartoon", "logits_smoothed", "logits_generated")
    means = {name: average(mean_logit(each), config.batch_size) for name, each in zip(names, logits, strict=True)}
    return Losses({"discriminator": loss}, {"discriminator_loss": loss} | means)


def _average_generator(networks: Networks, optimizer: keras.optimizers.Optimizer, config: TrainConfig) -> None:
    """Move the averaged weights towards the present ones; in a phase's first steps faster, so that it starts anew."""
    if networks.averaged_generator is None:
        return
    steps = tf.cast(optimizer.iterations, tf.float32)
    share = 1.0 - tf.minimum(config.ema_decay, (1.0 + steps) / (10.0 + steps))
    pairs = zip(networks.averaged_generator.weights, networks.generator.weights, strict=True)
    for averaged, latest in pairs:
        averaged.assign(averaged + share * (latest - averaged))


def _pictures(batch: Batch) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    photo, cartoon, smoothed = (pixels.to_float(batch[name]) for name in ("photo", "cartoon", "smoothed"))
    return photo, cartoon, smoothed
