"""Neural style transfer (Gatys, Ecker, Bethge, CVPR 2016): a photo's content with a style picture's Gram matrices.

Section 4.2 of the CartoonGAN paper uses two variants: the style of one picture, chosen for its similar content, and
that of a collection, the mean of the pictures' Gram matrices.

    transfer = StyleTransfer.load(vgg19_weights)
    cartoon = transfer.draw(photo, transfer.style_of([picture]), num_steps=500)

Departures: Adam instead of L-BFGS, started from the photo (theirs: from noise, or from the photo), and max pooling, as
in VGG19. Gram matrices are means over places, so that pictures of different sizes can be compared. The loss weights are
those of the usual implementation (Johnson's neural-style, without its smoothing term): their paper's are for a VGG19
scaled to activations of mean 1.
"""

from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf

from cartoongan_tf.models import losses, pixels, vgg19
from experiments.baselines.descent import minimise

STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
CONTENT_LAYER = "block4_conv2"
_CONTENT_WEIGHT = 5.0
_STYLE_WEIGHT = 100.0
_LEARNING_RATE = 0.03  # for pixels in [-1, 1]

Style = list[tf.Tensor]  # the Gram matrix of each of STYLE_LAYERS


class StyleTransfer:
    """The method, with its network.

    Attributes:
      features: extractor of STYLE_LAYERS and CONTENT_LAYER, see `vgg19.build_vgg19_layers`.
    """

    def __init__(self, features: keras.Model):
        self.features = features

    @classmethod
    def load(cls, vgg19_weights: str = "imagenet", seed: int = 0) -> "StyleTransfer":
        """Load the network.

        Args:
          vgg19_weights, seed: see `vgg19.build_vgg19_features`.

        Raises:
          InputError: the weights cannot be loaded.
        """
        return cls(vgg19.build_vgg19_layers(vgg19_weights, (*STYLE_LAYERS, CONTENT_LAYER), seed))

    def style_of(self, pictures: Iterable[np.ndarray]) -> Style:
        """Return the mean Gram matrices of pictures, uint8 RGB [H, W, 3] each."""
        sums = [0.0] * len(STYLE_LAYERS)
        count = 0
        for picture in pictures:
            *style_features, _ = self.features(_batch(picture))
            for layer, features in enumerate(style_features):
                sums[layer] += gram_matrix(features)
            count += 1
        return [total / count for total in sums]

    def draw(self, photo: np.ndarray, style: Style, num_steps: int) -> np.ndarray:
        """Draw a photo, uint8 RGB [H, W, 3], in a style; return the drawing, of the same shape."""
        start = _batch(photo)
        wanted_content = self.features(start)[-1]

        def loss(picture):
            *style_features, content = self.features(picture)
            content_loss = losses.content_loss(content, wanted_content, "l2")[0]
            return _CONTENT_WEIGHT * content_loss + _STYLE_WEIGHT * style_loss(style_features, style)

        drawing = minimise(loss, start, num_steps, _LEARNING_RATE)
        return pixels.to_uint8(drawing)[0].numpy()


def gram_matrix(features: tf.Tensor) -> tf.Tensor:
    """Compute products of channels, averaged over places and divided by the number of channels.

    Args:
      features: [1, h, w, C].

    Returns:
      float32 [C, C].
    """
    flat = tf.reshape(tf.cast(features, tf.float32), (-1, features.shape[-1]))
    return tf.matmul(flat, flat, transpose_a=True) / tf.cast(tf.size(flat), tf.float32)


def style_loss(features: Sequence[tf.Tensor], style: Style) -> tf.Tensor:
    """Compute the mean squared difference of the Gram matrices, summed over layers: float32 []."""
    layer_losses = []
    for layer_features, wanted in zip(features, style, strict=True):
        difference = gram_matrix(layer_features) - wanted
        layer_losses.append(tf.reduce_mean(tf.square(difference)))
    return tf.add_n(layer_losses)


def _batch(picture: np.ndarray) -> tf.Tensor:
    return pixels.to_float(picture[np.newaxis])
