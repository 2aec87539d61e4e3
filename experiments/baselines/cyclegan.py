"""CycleGAN (Zhu et al., 2017) with and without identity loss, which section 4.2 of the paper compares itself with.

Two generators, photo to cartoon and back, and a discriminator for each side. All four are CartoonGAN's networks in
place of CycleGAN's own, so that methods are compared and not networks. Losses, weights, pools and rates are those of
CycleGAN's paper (sections 3 and 4, appendix) and official code. Batches are unpaired: those that CartoonGAN trains on,
less their edge-smoothed cartoons.

    networks = build_cyclegan(config, steps_per_epoch, image_size)
    train_loop.run([build_phase(config, networks, steps_per_epoch)], ..., RunCheckpoints(folder, networks.saved(), 3))
"""

import dataclasses
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from cartoongan_tf.models import losses, pixels
from cartoongan_tf.models.discriminator import build_discriminator
from cartoongan_tf.models.generator import build_generator
from cartoongan_tf.training.gradients import Batch, Losses, Scalars, average, mean_logit, update, with_gradients
from cartoongan_tf.training.image_pool import ImagePool, Shown
from cartoongan_tf.training.loop import Phase
from cartoongan_tf.training.optimizers import build_adam
from experiments.baselines.cyclegan_config import CycleGANConfig


class Pair(NamedTuple):
    """Two networks that one optimizer trains on one objective, as the official code does."""

    cartoon: keras.Model
    photo: keras.Model

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        return self.cartoon.trainable_variables + self.photo.trainable_variables


@dataclasses.dataclass(frozen=True)
class CycleGAN:
    """Networks and optimizers of a run.

    Attributes:
      generators: `cartoon` draws cartoons of photos (its paper's G), `photo` makes photos of cartoons (F).
      discriminators: `cartoon` tells drawn cartoons from generated ones, `photo` photos from generated ones.
      cartoon_pool, photo_pool: of generated pictures; None without `pool_size`.
    """

    generators: Pair
    discriminators: Pair
    generators_optimizer: keras.optimizers.Optimizer
    discriminators_optimizer: keras.optimizers.Optimizer
    cartoon_pool: ImagePool | None = None
    photo_pool: ImagePool | None = None

    def saved(self) -> dict[str, Any]:
        """What a checkpoint must hold, by name."""
        pairs = {f"{name}_generator": model for name, model in self.generators._asdict().items()}
        pairs |= {f"{name}_discriminator": model for name, model in self.discriminators._asdict().items()}
        names = ("generators_optimizer", "discriminators_optimizer", "cartoon_pool", "photo_pool")
        others = {name: getattr(self, name) for name in names}
        return pairs | {name: value for name, value in others.items() if value is not None}


class ShownPair(NamedTuple):
    """What the pools have for the discriminators in place of some generated pictures."""

    cartoon: Shown
    photo: Shown


def build_cyclegan(config: CycleGANConfig, steps_per_epoch: int, image_size: int) -> CycleGAN:
    """Build fresh networks; under a distribution strategy, call it in the strategy's scope.

    Args:
      config: the recipe.
      steps_per_epoch: batches in a pass over the photos.
      image_size: side of the pictures that a step sees, in pixels.
    """
    generators = Pair(*(new_generator(config) for _ in range(2)))
    discriminators = Pair(*(build_discriminator(config.discriminator_width) for _ in range(2)))
    decay_epochs = min(config.decay_epochs, config.epochs)
    rate = (config.learning_rate, config.epochs * steps_per_epoch, decay_epochs * steps_per_epoch)
    optimizers = [build_adam(pair, *rate) for pair in (generators, discriminators)]
    seeds = (2 * config.seed, 2 * config.seed + 1) if config.pool_size else ()
    pools = [ImagePool(config.pool_size, image_size, seed) for seed in seeds]
    return CycleGAN(generators, discriminators, *optimizers, *pools)


def new_generator(config: CycleGANConfig) -> keras.Model:
    """A fresh generator of the recipe's size."""
    return build_generator(config.generator, config.generator_width, config.generator_num_blocks)


def build_phase(config: CycleGANConfig, networks: CycleGAN, steps_per_epoch: int) -> Phase:
    """The one phase of its training, for `loop.run`."""
    return Phase(
        "cyclegan",
        config.epochs * steps_per_epoch,
        step=lambda batch: cyclegan_step(networks, batch, config),
        validation_step=lambda batch: cyclegan_losses(networks, batch, config).scalars,
        rates=lambda: {"learning_rate": float(networks.generators_optimizer.learning_rate)},
    )


def cyclegan_step(networks: CycleGAN, batch: Batch, config: CycleGANConfig) -> Scalars:
    """Update the generators, then the discriminators, on pictures of one pass of the generators.

    The official code updates the generators with the discriminators held, then the discriminators on the pictures
    generated before that (or pooled ones). Neither objective's gradient has the other's new weights in it, so both
    are taken from one pass, and the order of the updates changes nothing.

    Args:
      networks: to train.
      batch: of this replica, {"photo", "cartoon"}: uint8 RGB [B, S, S, 3] each; more in it is left alone.
      config: the recipe.

    Returns:
      scalars by name, this replica's share of the average over the global batch: those of `cyclegan_losses`,
      "generators_gradient_norm" and "discriminators_gradient_norm".
    """
    step, shown = tf.identity(networks.generators_optimizer.iterations), None
    if networks.cartoon_pool:
        num_pictures = tf.shape(batch["photo"])[0]
        shown = ShownPair(*(pool.recall(step, num_pictures) for pool in (networks.cartoon_pool, networks.photo_pool)))
    found = with_gradients(
        lambda batch, shown: cyclegan_losses(networks, batch, config, shown), networks, config.jit_compile
    )
    result, gradients = found(batch, shown)
    optimizers = {"generators": networks.generators_optimizer, "discriminators": networks.discriminators_optimizer}
    norms = update(networks, optimizers, gradients)
    if networks.cartoon_pool:
        generated_cartoon, generated_photo = tf.split(result.generated, 2)
        networks.cartoon_pool.keep(step, generated_cartoon)
        networks.photo_pool.keep(step, generated_photo)
    return result.scalars | norms


def cyclegan_losses(networks: CycleGAN, batch: Batch, config: CycleGANConfig, shown: ShownPair | None = None) -> Losses:
    """Objectives: "generators" and "discriminators". Scalars: "generator_loss" (the adversarial terms alone),
    "cycle_loss" and "identity_loss" (both unweighted; the latter with `identity_weight` only), "discriminator_loss",
    each the sum of both directions, and the discriminators' mean logits "logits_cartoon", "logits_generated" and
    "logits_photo", "logits_generated_photo".

    Args:
      networks, batch, config: as in `cyclegan_step`.
      shown: what the pools have for the discriminators in place of some generated pictures; None: all are shown.

    Returns:
      the Losses, `generated` [2 B, S, S, 3]: the cartoons, then the photos.
    """
    photo, cartoon = (pixels.to_float(batch[name]) for name in ("photo", "cartoon"))
    generators, discriminators = networks.generators, networks.discriminators
    generated_cartoon = generators.cartoon(photo, training=True)
    generated_photo = generators.photo(cartoon, training=True)
    of_cartoons = _judge(discriminators.cartoon, cartoon, generated_cartoon, shown and shown.cartoon)
    of_photos = _judge(discriminators.photo, photo, generated_photo, shown and shown.photo)
    terms = {
        "generator_loss": generator_loss(of_cartoons.generated) + generator_loss(of_photos.generated),
        "cycle_loss": l1_loss(generators.photo(generated_cartoon, training=True), photo)
        + l1_loss(generators.cartoon(generated_photo, training=True), cartoon),
    }
    total = terms["generator_loss"] + config.cycle_weight * terms["cycle_loss"]
    if config.identity_weight:
        terms["identity_loss"] = l1_loss(generators.cartoon(cartoon, training=True), cartoon) + l1_loss(
            generators.photo(photo, training=True), photo
        )
        total += config.identity_weight * config.cycle_weight * terms["identity_loss"]
    terms["discriminator_loss"] = discriminator_loss(of_cartoons.real, of_cartoons.shown) + discriminator_loss(
        of_photos.real, of_photos.shown
    )
    terms |= {
        "logits_cartoon": mean_logit(of_cartoons.real),
        "logits_generated": mean_logit(of_cartoons.shown),
    }
    terms |= {
        "logits_photo": mean_logit(of_photos.real),
        "logits_generated_photo": mean_logit(of_photos.shown),
    }
    scalars = {name: average(value, config.batch_size) for name, value in terms.items()}
    objectives = {
        "generators": average(total, config.batch_size),
        "discriminators": scalars["discriminator_loss"],
    }
    return Losses(objectives, scalars, tf.concat([generated_cartoon, generated_photo], 0))


def generator_loss(generated_logits) -> tf.Tensor:
    """(D(G(x)) - 1)^2, the mean over patches: [B, h, w, 1] -> float32 [B]."""
    return losses.generator_loss(generated_logits, "least_squares")


def discriminator_loss(real_logits, generated_logits) -> tf.Tensor:
    """((D(y) - 1)^2 + D(G(x))^2) / 2, means over patches; halved, so that it learns more slowly: float32 [B]."""
    return 0.5 * (losses.real_loss(real_logits, "least_squares") + losses.fake_loss(generated_logits, "least_squares"))


def l1_loss(pictures, wanted) -> tf.Tensor:
    """Mean absolute difference of each picture [B, H, W, 3] from what a cycle, or an identity, is to return: [B]."""
    return losses.content_loss(pictures, wanted, "l1")


class _Logits(NamedTuple):
    """A discriminator's, of its three inputs; [B, h, w, 1] each."""

    generated: tf.Tensor  # the generator learns from these
    real: tf.Tensor
    shown: tf.Tensor  # the discriminator learns from these, and from the real ones


def _judge(discriminator: keras.Model, real: tf.Tensor, generated: tf.Tensor, shown: Shown | None) -> _Logits:
    generated_logits = discriminator(generated, training=True)
    if shown is None:
        return _Logits(generated_logits, discriminator(real, training=True), generated_logits)
    pictures = tf.where(shown.instead, shown.pictures, tf.stop_gradient(generated))
    return _Logits(generated_logits, *tf.split(discriminator(tf.concat([real, pictures], 0), training=True), 2))
