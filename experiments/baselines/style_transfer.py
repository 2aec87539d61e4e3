"""Neural style transfer (Gatys, Ecker, Bethge, CVPR 2016): a photo's content with a style picture's Gram matrices.

Section 4.2 of the CartoonGAN paper has two adaptations: the style of one picture, chosen as close in content, and that
of a whole collection, the mean of the pictures' Gram matrices.

    transfer = StyleTransfer(vgg19_weights)
    cartoon = transfer.draw(photo, transfer.style_of([picture]), num_steps=500)

Departures: Adam in place of L-BFGS, from the photo (theirs: from noise, or from it), and max pooling, as VGG19 has it.
Gram matrices are means over places, so that pictures of different sizes compare. The weights are those of the usual
implementation (Johnson's neural-style, whose smoothing term is left out): their paper's are for a VGG19 scaled to
activations of mean 1.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from cartoongan_tf.models import losses, pixels, vgg19
from experiments.baselines.descent import minimise

STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
CONTENT_LAYER = "block4_conv2"
_CONTENT_WEIGHT, _STYLE_WEIGHT = 5.0, 100.0
_LEARNING_RATE = 0.03  # of pixels in [-1, 1]

Style = list[tf.Tensor]  # the Gram matrix of each of STYLE_LAYERS


class StyleTransfer:
    """The method, with its network."""

    def __init__(self, vgg19_weights: str = "imagenet", seed: int = 0):
        """
        Args:
          vgg19_weights, seed: as of `vgg19.build_vgg19_features`.

        Raises:
          InputError: the weights cannot be had.
        """
        self._features = vgg19.build_vgg19_layers(vgg19_weights, (*STYLE_LAYERS, CONTENT_LAYER), seed)

    def style_of(self, pictures: Iterable[np.ndarray]) -> Style:
        """The mean Gram matrices of pictures, uint8 RGB [H, W, 3] each."""
        sums, count = [0.0] * len(STYLE_LAYERS), 0
        for picture in pictures:
            matrices = [gram_matrix(of_layer) for of_layer in self._features(_batch(picture))[:-1]]
            sums, count = [total + matrix for total, matrix in zip(sums, matrices, strict=True)], count + 1
        return [total / count for total in sums]

    def draw(self, photo: np.ndarray, style: Style, num_steps: int) -> np.ndarray:
        """Draw a photo, uint8 RGB [H, W, 3], in a style; the same."""
        start = _batch(photo)
        content = self._features(start)[-1]

        def loss(picture):
            *of_layers, of_content = self._features(picture)
            content_loss = losses.content_loss(of_content, content, "l2")[0]
            return _CONTENT_WEIGHT * content_loss + _STYLE_WEIGHT * style_loss(of_layers, style)

        drawn = minimise(loss, start, num_steps, _LEARNING_RATE)
        return pixels.to_uint8(drawn)[0].numpy()


def gram_matrix(features: tf.Tensor) -> tf.Tensor:
    """Products of channels, meaned over places and divided by the channels' number: [1, h, w, C] -> float32 [C, C]."""
    flat = tf.reshape(tf.cast(features, tf.float32), (-1, features.shape[-1]))
    return tf.matmul(flat, flat, transpose_a=True) / tf.cast(tf.size(flat), tf.float32)


def style_loss(features: Sequence[tf.Tensor], style: Style) -> tf.Tensor:
    """Mean squared difference of the Gram matrices, summed over layers: float32 []."""
    differences = [gram_matrix(of_layer) - wanted for of_layer, wanted in zip(features, style, strict=True)]
    return tf.add_n([tf.reduce_mean(tf.square(difference)) for difference in differences])


def _batch(picture: np.ndarray) -> tf.Tensor:
    return pixels.to_float(picture[np.newaxis])
