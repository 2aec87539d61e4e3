"""The two training steps: losses, gradients, updates; nothing else.

Both take a batch of this replica, {"photo", "cartoon", "smoothed"}: uint8 RGB [B, S, S, 3] each, and return scalars
by name, each this replica's share of the average over the global batch: summed over the replicas they are the
averages. They run inside `strategy.run`, where an optimizer sums gradients over the replicas.
"""

import keras
import tensorflow as tf

from cartoongan_tf import losses, pixels
from cartoongan_tf.config import TrainConfig
from cartoongan_tf.networks import Networks


def initialization_step(networks: Networks, batch: dict[str, tf.Tensor], config: TrainConfig) -> dict[str, tf.Tensor]:
    """Train the generator to reconstruct photos (section 3.3).

    Returns:
      {"content_loss"}: of VGG19 features, or of pixels with --initialization_loss=pixels.
    """
    photo = pixels.to_float(batch["photo"])
    describe = networks.vgg19_features if config.initialization_loss == "content" else tf.identity
    with tf.GradientTape() as tape:
        generated = networks.generator(photo, training=True)
        content = losses.content_loss(describe(generated), describe(photo), config.content_loss)
        loss = _average(content, config)
    _update(networks.generator, networks.initialization_optimizer, tape, loss)
    return {"content_loss": loss}


def adversarial_step(networks: Networks, batch: dict[str, tf.Tensor], config: TrainConfig) -> dict[str, tf.Tensor]:
    """Update both networks (equations 1 to 4) from one pass of the generator; each sees the other as it was before.

    Returns:
      {"generator_loss", "content_loss", "discriminator_loss"}: the content loss unweighted, generator_loss the
      adversarial term alone; and D's mean logits {"logits_cartoon", "logits_smoothed", "logits_generated"}.
    """
    photo, cartoon, smoothed = (pixels.to_float(batch[name]) for name in ("photo", "cartoon", "smoothed"))
    discriminator, features = networks.discriminator, networks.vgg19_features
    with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
        generated = networks.generator(photo, training=True)
        generated_logits = discriminator(generated, training=True)
        drawn_logits = discriminator(tf.concat([cartoon, smoothed], 0), training=True)
        cartoon_logits, smoothed_logits = tf.split(drawn_logits, 2)
        adversarial = losses.generator_loss(generated_logits, config.adversarial_loss)
        content = losses.content_loss(features(generated), features(photo), config.content_loss)
        generator_loss = _average(adversarial + config.content_weight * content, config)
        discriminator_loss = _average(
            losses.discriminator_loss(
                cartoon_logits,
                smoothed_logits,
                generated_logits,
                config.adversarial_loss,
                config.edge_loss_weight,
            ),
            config,
        )
    _update(networks.generator, networks.generator_optimizer, generator_tape, generator_loss)
    _update(discriminator, networks.discriminator_optimizer, discriminator_tape, discriminator_loss)
    return {
        "generator_loss": _average(adversarial, config),
        "content_loss": _average(content, config),
        "discriminator_loss": discriminator_loss,
        "logits_cartoon": _average(_mean_logit(cartoon_logits), config),
        "logits_smoothed": _average(_mean_logit(smoothed_logits), config),
        "logits_generated": _average(_mean_logit(generated_logits), config),
    }


def _average(per_example: tf.Tensor, config: TrainConfig) -> tf.Tensor:
    return tf.nn.compute_average_loss(per_example, global_batch_size=config.batch_size)


def _mean_logit(logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(logits, axis=[1, 2, 3])


def _update(model: keras.Model, optimizer: keras.optimizers.Optimizer, tape: tf.GradientTape, loss: tf.Tensor) -> None:
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
