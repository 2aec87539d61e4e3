"""CycleGAN (Zhu et al., 2017) with and without identity loss, the comparison in section 4.2 of the paper.

Two generators, photo to cartoon and back, and a discriminator for each side. All four are CartoonGAN's networks instead
of CycleGAN's own, so that methods are compared and not networks. Losses, weights, pools and rates are those of
CycleGAN's paper (sections 3 and 4, appendix) and official code. Batches are unpaired; they are CartoonGAN's without the
edge-smoothed cartoons.

    networks = build_cyclegan(config, steps_per_epoch, image_size)
    loop.run([build_phase(config, networks, steps_per_epoch)], ..., RunCheckpoints(folder, networks.saved(), 3))
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from cartoongan_tf.models import losses, pixels
from cartoongan_tf.training.gradients import Batch, ForwardPass, Scalars, average, mean_logit, update, with_gradients
from cartoongan_tf.training.image_pool import Shown
from cartoongan_tf.training.loop import Phase
from experiments.baselines.cyclegan_config import CycleGANConfig
from experiments.baselines.cyclegan_networks import CycleGAN, Pair


class ShownPair(NamedTuple):
    """Pictures from the pools that the discriminators see instead of some generated ones."""

    cartoon: Shown
    photo: Shown


def build_phase(config: CycleGANConfig, networks: CycleGAN, steps_per_epoch: int) -> Phase:
    """Return the only phase of training, for `loop.run`."""
    return Phase(
        "cyclegan",
        config.epochs * steps_per_epoch,
        step=lambda batch: cyclegan_step(networks, batch, config),
        validation_step=lambda batch: cyclegan_losses(networks, batch, config).scalars,
        rates=lambda: {"learning_rate": float(networks.generators_optimizer.learning_rate)},
    )


def cyclegan_step(networks: CycleGAN, batch: Batch, config: CycleGANConfig) -> Scalars:
    """Update the generators and the discriminators from one pass of the generators.

    The official code updates the generators first, and then the discriminators on the pictures that were generated
    before that update (or pooled ones). Neither objective's gradient depends on the other's new weights, so one pass
    gives both, and the order of the updates does not matter.

    Args:
      networks: networks to train.
      batch: batch of this replica, {"photo", "cartoon"}: uint8 RGB [B, S, S, 3] each; other keys are ignored.
      config: recipe.

    Returns:
      scalars by name, this replica's share of the average over the global batch: those of `cyclegan_losses`,
      "generators_gradient_norm" and "discriminators_gradient_norm".
    """
    step = tf.identity(networks.generators_optimizer.iterations)  # the update increments it
    shown = None
    if networks.cartoon_pool and networks.photo_pool:
        num_pictures = tf.shape(batch["photo"])[0]
        cartoons = networks.cartoon_pool.recall(step, num_pictures)
        photos = networks.photo_pool.recall(step, num_pictures)
        shown = ShownPair(cartoons, photos)

    def run_forward(batch, shown):
        return cyclegan_losses(networks, batch, config, shown)

    forward, gradients = with_gradients(run_forward, networks, config.jit_compile)(batch, shown)
    optimizers = {"generators": networks.generators_optimizer, "discriminators": networks.discriminators_optimizer}
    norms = update(networks, optimizers, gradients)
    if networks.cartoon_pool and networks.photo_pool:
        generated_cartoon, generated_photo = tf.split(forward.generated, 2)
        networks.cartoon_pool.keep(step, generated_cartoon)
        networks.photo_pool.keep(step, generated_photo)
    return forward.scalars | norms


def cyclegan_losses(
    networks: CycleGAN, batch: Batch, config: CycleGANConfig, shown: ShownPair | None = None
) -> ForwardPass:
    """Compute the objectives of the generators and of the discriminators.

    Args:
      networks, batch, config: see `cyclegan_step`.
      shown: pictures from the pools for the discriminators; None: they see all generated pictures.

    Returns:
      the forward pass. Its objectives are "generators" and "discriminators". Its scalars are "generator_loss" (the
      adversarial terms alone), "cycle_loss", "identity_loss" (with `identity_weight` only) and "discriminator_loss",
      each unweighted and summed over both directions, and the mean logits "logits_cartoon", "logits_generated",
      "logits_photo" and "logits_generated_photo". Its `generated` is [2 B, S, S, 3]: the cartoons, then the photos.
    """
    photo = pixels.to_float(batch["photo"])
    cartoon = pixels.to_float(batch["cartoon"])
    generated_cartoon = networks.generators.cartoon(photo, training=True)
    generated_photo = networks.generators.photo(cartoon, training=True)
    generated = Generated(generated_cartoon, generated_photo)
    of_cartoons = _judge(networks.discriminators.cartoon, cartoon, generated_cartoon, shown and shown.cartoon)
    of_photos = _judge(networks.discriminators.photo, photo, generated_photo, shown and shown.photo)
    terms = {
        "generator_loss": generator_loss(of_cartoons.generated) + generator_loss(of_photos.generated),
        "cycle_loss": _cycle_loss(networks.generators, photo, cartoon, generated),
        "discriminator_loss": _discriminators_loss(of_cartoons, of_photos),
        "logits_cartoon": mean_logit(of_cartoons.real),
        "logits_generated": mean_logit(of_cartoons.shown),
        "logits_photo": mean_logit(of_photos.real),
        "logits_generated_photo": mean_logit(of_photos.shown),
    }
    generators_loss = terms["generator_loss"] + config.cycle_weight * terms["cycle_loss"]
    if config.identity_weight:
        terms["identity_loss"] = _identity_loss(networks.generators, photo, cartoon)
        generators_loss += config.identity_weight * config.cycle_weight * terms["identity_loss"]
    scalars = {name: average(per_example, config.batch_size) for name, per_example in terms.items()}
    objectives = {
        "generators": average(generators_loss, config.batch_size),
        "discriminators": scalars["discriminator_loss"],
    }
    return ForwardPass(objectives, scalars, tf.concat([generated_cartoon, generated_photo], 0))


class Generated(NamedTuple):
    """Generated pictures, float32 [B, S, S, 3]: cartoons of the photos, and photos of the cartoons."""

    cartoon: tf.Tensor
    photo: tf.Tensor


def _cycle_loss(generators: Pair, photo: tf.Tensor, cartoon: tf.Tensor, generated: Generated) -> tf.Tensor:
    photo_again = generators.photo(generated.cartoon, training=True)
    cartoon_again = generators.cartoon(generated.photo, training=True)
    return l1_loss(photo_again, photo) + l1_loss(cartoon_again, cartoon)


def _identity_loss(generators: Pair, photo: tf.Tensor, cartoon: tf.Tensor) -> tf.Tensor:
    cartoon_kept = generators.cartoon(cartoon, training=True)
    photo_kept = generators.photo(photo, training=True)
    return l1_loss(cartoon_kept, cartoon) + l1_loss(photo_kept, photo)


def generator_loss(generated_logits) -> tf.Tensor:
    """Compute (D(G(x)) - 1)^2, the mean over patches: [B, h, w, 1] -> float32 [B]."""
    return losses.generator_loss(generated_logits, "least_squares")


def discriminator_loss(real_logits, generated_logits) -> tf.Tensor:
    """Compute ((D(y) - 1)^2 + D(G(x))^2) / 2, means over patches; halved to learn more slowly: float32 [B]."""
    return 0.5 * (losses.real_loss(real_logits, "least_squares") + losses.fake_loss(generated_logits, "least_squares"))


def l1_loss(pictures, wanted) -> tf.Tensor:
    """Compute the mean absolute difference of each picture from the wanted one: [B, H, W, 3] -> float32 [B]."""
    return losses.content_loss(pictures, wanted, "l1")


class _Logits(NamedTuple):
    """A discriminator's logits, [B, h, w, 1] each."""

    generated: tf.Tensor  # the generator learns from these
    real: tf.Tensor
    shown: tf.Tensor  # the discriminator learns from these, and from the real ones


def _judge(discriminator: keras.Model, real: tf.Tensor, generated: tf.Tensor, shown: Shown | None) -> _Logits:
    generated_logits = discriminator(generated, training=True)
    if shown is None:
        return _Logits(generated_logits, discriminator(real, training=True), generated_logits)
    pictures = tf.where(shown.instead, shown.pictures, tf.stop_gradient(generated))
    real_and_shown = discriminator(tf.concat([real, pictures], 0), training=True)
    real_logits, shown_logits = tf.split(real_and_shown, 2)
    return _Logits(generated_logits, real_logits, shown_logits)


def _discriminators_loss(of_cartoons: _Logits, of_photos: _Logits) -> tf.Tensor:
    cartoons_loss = discriminator_loss(of_cartoons.real, of_cartoons.shown)
    photos_loss = discriminator_loss(of_photos.real, of_photos.shown)
    return cartoons_loss + photos_loss
