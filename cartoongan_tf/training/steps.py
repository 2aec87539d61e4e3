"""The training steps, one for each phase: a forward pass, its gradients, and the updates of the networks.

Knows nothing of the loop: `phases` makes phases of these steps, and the loop runs them inside `strategy.run`, where an
optimizer sums gradients over the replicas.

Each step takes what it needs of this replica's part of a batch, {"photo", "drawing", "faces", "cartoon", "smoothed"}:
uint8 [B, S, S, 3] each. It returns scalars by name, each of them this replica's share of the average over the global
batch: their sums over the replicas are the averages. The sum of gradient norms is an upper bound of the whole
gradient's norm, and equal to it with one replica.

A forward pass (`initialization_pass` and so on) without the updates is also the validation.
"""

from typing import Any

import keras
import tensorflow as tf

from cartoongan_tf.models import pixels
from cartoongan_tf.models.losses import color_loss, content_loss, discriminator_loss, generator_loss, gradient_loss
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.face_weights import FaceWeights, read_face_weights
from cartoongan_tf.training.gradients import Batch, ForwardPass, Scalars, average, mean_logit, update, with_gradients
from cartoongan_tf.training.image_pool import Shown
from cartoongan_tf.training.networks import Networks
from cartoongan_tf.training.sight import Sight, draw_augmentation
from cartoongan_tf.training.stability import Disturbance, draw_disturbance, stability_loss

Terms = dict[str, tuple[float, tf.Tensor]]  # weight and value, float32 [B], of each term of the generator's loss


def initialization_step(networks: Networks, batch: Batch, config: TrainConfig) -> Scalars:
    """Train the generator to reconstruct photos (section 3.3), or to draw them as a teacher does."""

    def run_forward(batch, disturbed):
        return initialization_pass(networks, batch, config, disturbed)

    disturbed = draw_disturbance(config, networks.initialization_optimizer.iterations, batch["photo"])
    forward, gradients = with_gradients(run_forward, networks, config.jit_compile)(batch, disturbed)
    optimizers = {"generator": networks.initialization_optimizer}
    norms = update(networks, optimizers, gradients, config.gradient_precision)
    _update_average(networks, networks.initialization_optimizer, config)
    return forward.scalars | norms


def warmup_step(networks: Networks, batch: Batch, config: TrainConfig) -> Scalars:
    """Train the discriminator alone, on photos in place of generated pictures; not in the paper."""

    def run_forward(batch, draws):
        return warmup_pass(networks, batch, config, draws)

    assert networks.warmup_optimizer is not None
    draws = draw_augmentation(config, networks.warmup_optimizer.iterations, tf.shape(batch["photo"])[0])
    forward, gradients = with_gradients(run_forward, networks, config.jit_compile)(batch, draws)
    optimizers = {"discriminator": networks.warmup_optimizer}
    norms = update(networks, optimizers, gradients, config.gradient_precision)
    return forward.scalars | norms


def adversarial_step(networks: Networks, batch: Batch, config: TrainConfig) -> Scalars:
    """Update both networks (equations 1 to 4) from one forward pass; each sees the other as it was before."""

    def run_forward(batch, *random_choices):
        return adversarial_pass(networks, batch, config, *random_choices)

    step = tf.identity(networks.generator_optimizer.iterations)
    num_pictures = tf.shape(batch["photo"])[0]
    shown = networks.image_pool.recall(step, num_pictures) if networks.image_pool else None
    draws = draw_augmentation(config, step, num_pictures)
    disturbed = draw_disturbance(config, step, batch["photo"])
    forward, gradients = with_gradients(run_forward, networks, config.jit_compile)(batch, shown, draws, disturbed)
    optimizers = {"generator": networks.generator_optimizer, "discriminator": networks.discriminator_optimizer}
    norms = update(networks, optimizers, gradients, config.gradient_precision)
    if networks.image_pool:
        networks.image_pool.keep(step, forward.generated)
    _update_average(networks, networks.generator_optimizer, config)
    return forward.scalars | norms


def initialization_pass(
    networks: Networks, batch: Batch, config: TrainConfig, disturbed: Disturbance | None = None
) -> ForwardPass:
    """Compare generated pictures with their photos, or with a teacher's drawings of them.

    Scalars, without their weights: "content_loss", of VGG19 features, or of pixels with --initialization_loss=pixels;
    or those of `_compare_with_drawing`; and "stability_loss", if it has a weight.

    Args:
      networks, batch, config, disturbed: as for `adversarial_pass`.
    """
    photo = pixels.to_float(batch["photo"])
    generated = networks.generator(photo, training=True)
    places = read_face_weights(batch, config)
    if config.initialization_loss == "teacher":
        terms = _compare_with_drawing(networks, generated, pixels.to_float(batch["drawing"]), config, places)
    elif config.initialization_loss == "pixels":
        terms = {"content_loss": (1.0, content_loss(generated, photo, config.content_loss, places.of_pixels))}
    else:
        features = networks.vgg19_features
        value = content_loss(features(generated), features(photo), config.content_loss, places.of_features)
        terms = {"content_loss": (1.0, value)}
    terms |= _stability_term(networks, photo, generated, config, disturbed)
    return _generator_pass(terms, config)


def _compare_with_drawing(
    networks: Networks, generated: tf.Tensor, drawing: tf.Tensor, config: TrainConfig, places: FaceWeights
) -> Terms:
    """Compare generated pictures with a teacher's drawings of the same photos; not in the paper.

    Returns:
      "teacher_loss" (of pixels, l1); and, if they have a weight, "teacher_gradient_loss" and "teacher_content_loss".
    """
    terms = {"teacher_loss": (1.0, content_loss(generated, drawing, "l1", places.of_pixels))}
    if config.teacher_gradient_weight:
        value = gradient_loss(generated, drawing, places.of_pixels)
        terms["teacher_gradient_loss"] = (config.teacher_gradient_weight, value)
    if config.teacher_content_weight:
        features = networks.vgg19_features
        value = content_loss(features(generated), features(drawing), config.content_loss, places.of_features)
        terms["teacher_content_loss"] = (config.teacher_content_weight, value)
    return terms


def warmup_pass(networks: Networks, batch: Batch, config: TrainConfig, draws: tf.Tensor | None = None) -> ForwardPass:
    """Let the discriminator judge cartoons, smoothed cartoons and photos.

    Scalars: "discriminator_loss" and D's mean logits, as in `adversarial_pass`; "logits_generated" is of photos.

    Args:
      networks, batch, config, draws: as for `adversarial_pass`.
    """
    photo, cartoon, smoothed = _read_pictures(batch)
    sight = Sight(networks, config, draws)
    logits = networks.discriminator(sight.judged(cartoon, smoothed, photo), training=True)
    cartoon_logits, smoothed_logits, photo_logits = tf.split(logits, 3)
    return _judge_discriminator(cartoon_logits, smoothed_logits, photo_logits, config)


def adversarial_pass(
    networks: Networks,
    batch: Batch,
    config: TrainConfig,
    shown: Shown | None = None,
    draws: tf.Tensor | None = None,
    disturbed: Disturbance | None = None,
) -> ForwardPass:
    """Generate pictures, and let the discriminator judge them, cartoons and smoothed cartoons.

    Scalars, without their weights: "generator_loss" (the adversarial term alone), "content_loss", "color_loss" and
    "stability_loss", if they have a weight; "discriminator_loss", and D's mean logits "logits_cartoon",
    "logits_smoothed" and "logits_generated".

    Args:
      networks: networks of the run.
      batch: this replica's part of a batch.
      config: the recipe.
      shown: pictures of the pool that D is shown in place of some generated ones; None: D is shown all generated ones.
      draws: random numbers of --discriminator_augmentation, [B, NUM_DRAWS]; None: D sees pictures as they are.
      disturbed: random numbers of --stability_weight; None: those of the first step.
    """
    photo, cartoon, smoothed = _read_pictures(batch)
    discriminator = networks.discriminator
    sight = Sight(networks, config, draws)
    target = pixels.to_float(batch["drawing"]) if config.content_target == "drawing" else photo
    target_features = sight.content(target)
    generated = networks.generator(photo, training=True)
    judged = sight.judged(generated)
    generated_logits = discriminator(judged, training=True)
    cartoon_logits, smoothed_logits = tf.split(discriminator(sight.judged(cartoon, smoothed), training=True), 2)
    shown_logits = generated_logits
    if shown is not None:
        shown_logits = discriminator(_swap(shown, sight.judged(shown.pictures), judged), training=True)
    places = read_face_weights(batch, config).of_features
    content = content_loss(sight.content(generated), target_features, config.content_loss, places)
    terms = {
        "generator_loss": (1.0, generator_loss(generated_logits, config.adversarial_loss)),
        "content_loss": (config.content_weight, content),
    }
    if config.color_weight:
        terms["color_loss"] = (config.color_weight, color_loss(generated, target))
    terms |= _stability_term(networks, photo, generated, config, disturbed)
    of_generator = _generator_pass(terms, config)
    judged = _judge_discriminator(cartoon_logits, smoothed_logits, shown_logits, config)
    return ForwardPass(of_generator.objectives | judged.objectives, of_generator.scalars | judged.scalars, generated)


def _stability_term(
    networks: Networks, photo: tf.Tensor, generated: tf.Tensor, config: TrainConfig, disturbed: Disturbance | None
) -> Terms:
    disturbed = disturbed or draw_disturbance(config, 0, photo)
    if disturbed is None:
        return {}
    value = stability_loss(networks.generator, photo, generated, disturbed)
    return {"stability_loss": (config.stability_weight, value)}


def _generator_pass(terms: Terms, config: TrainConfig) -> ForwardPass:
    """Return the generator's objective, the weighted sum of the terms, and the terms themselves as scalars."""
    total = sum(weight * value for weight, value in terms.values())
    scalars = {name: average(value, config.batch_size) for name, (_, value) in terms.items()}
    return ForwardPass({"generator": average(total, config.batch_size)}, scalars)


def _swap(shown: Shown, of_pool: Any, of_generated: Any) -> Any:
    """Return D's input for the pictures that it is shown, from that for the pool's and that for the generated ones."""
    return tf.nest.map_structure(
        lambda old, new: tf.where(shown.instead, old, tf.stop_gradient(new)), of_pool, of_generated
    )


def _judge_discriminator(
    cartoon_logits: tf.Tensor, smoothed_logits: tf.Tensor, generated_logits: tf.Tensor, config: TrainConfig
) -> ForwardPass:
    """Return the discriminator's objective and scalars from its logits, [B, h, w, K] each."""
    loss = discriminator_loss(
        cartoon_logits, smoothed_logits, generated_logits, config.adversarial_loss, config.edge_loss_weight
    )
    loss = average(loss, config.batch_size)
    scalars = {
        "discriminator_loss": loss,
        "logits_cartoon": average(mean_logit(cartoon_logits), config.batch_size),
        "logits_smoothed": average(mean_logit(smoothed_logits), config.batch_size),
        "logits_generated": average(mean_logit(generated_logits), config.batch_size),
    }
    return ForwardPass({"discriminator": loss}, scalars)


def _update_average(networks: Networks, optimizer: keras.optimizers.Optimizer, config: TrainConfig) -> None:
    """Move the averaged weights towards the present ones; faster in a phase's first steps, so that it starts anew."""
    if networks.averaged_generator is None:
        return
    steps = tf.cast(optimizer.iterations, tf.float32)
    share = 1.0 - tf.minimum(config.ema_decay, (1.0 + steps) / (10.0 + steps))
    pairs = zip(networks.averaged_generator.weights, networks.generator.weights, strict=True)
    for averaged, latest in pairs:
        averaged.assign(averaged + share * (latest - averaged))


def _read_pictures(batch: Batch) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return photo, cartoon and smoothed cartoon as float32 in [-1, 1]."""
    return pixels.to_float(batch["photo"]), pixels.to_float(batch["cartoon"]), pixels.to_float(batch["smoothed"])
