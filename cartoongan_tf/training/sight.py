"""The losses' view of pictures: VGG19's features of them, and what the discriminator judges.

Both may be features of VGG19 (--discriminator=features). A picture passes VGG19 once all the same.
"""

import tensorflow as tf

from cartoongan_tf.models.augmentation import NUM_DRAWS, augment
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.draws import draw_for_replica, seed_of_step
from cartoongan_tf.training.networks import Networks


def draw_augmentation(config: TrainConfig, step: tf.Tensor, num_pictures: tf.Tensor) -> tf.Tensor | None:
    """Draw the changes of this replica's part of a batch, by seed and step, so that a resumed run continues with them.

    Args:
      config: the recipe.
      step: number of the step in the phase, from 0 up: integer [].
      num_pictures: B, the number of pictures in this replica: int32 [].

    Returns:
      random numbers for `augment`, float32 [B, NUM_DRAWS]; None without --discriminator_augmentation.
    """
    if config.discriminator_augmentation == "off":
        return None
    seed = seed_of_step(config.seed, step)
    return draw_for_replica(tf.random.stateless_uniform, [num_pictures, NUM_DRAWS], seed)


class Sight:
    """The sight of one forward pass, which remembers the features of each tensor of pictures."""

    def __init__(self, networks: Networks, config: TrainConfig, draws: tf.Tensor | None = None):
        """
        Args:
          networks: networks of the run.
          config: the recipe.
          draws: result of `draw_augmentation`; None: the discriminator judges pictures as they are.
        """
        self._networks = networks
        self._augmentation = config.discriminator_augmentation
        self._draws = draws
        self._features: dict = {}

    def content(self, pictures: tf.Tensor) -> tf.Tensor:
        """Return the features that the content loss compares, of float32 RGB [B, S, S, 3] in [-1, 1]."""
        if self._networks.vgg19_taps is None:
            return self._networks.vgg19_features(pictures)
        return self._tap(pictures)[0]

    def judged(self, *groups: tf.Tensor) -> tf.Tensor | list[tf.Tensor]:
        """Return the discriminator's input for groups of pictures, one group after the other.

        Pictures of the same place in their groups are changed alike, so that a cartoon and its smoothed copy differ in
        nothing but their edges.

        Args:
          groups: float32 RGB [B, S, S, 3] in [-1, 1] each.
        """
        changed = [self._change(pictures) for pictures in groups]
        pictures = tf.concat(changed, 0) if len(changed) > 1 else changed[0]
        return pictures if self._networks.vgg19_taps is None else self._tap(pictures)[1:]

    def _change(self, pictures: tf.Tensor) -> tf.Tensor:
        return pictures if self._draws is None else augment(pictures, self._draws, self._augmentation)

    def _tap(self, pictures: tf.Tensor) -> list[tf.Tensor]:
        """Return the content features of pictures, and the taps of the discriminator."""
        key = pictures.ref()
        if key not in self._features:
            self._features[key] = self._networks.vgg19_taps(pictures)
        return self._features[key]
