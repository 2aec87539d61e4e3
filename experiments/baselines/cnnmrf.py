"""CNNMRF (Li and Wand, CVPR 2016): each patch of a photo's features is drawn towards the most alike of a style picture.

The energy is E_s + a1 E_c + a2 TV, from coarse to fine: E_s, over all 3x3 patches of relu3_1 and relu4_1, is the
squared distance to the style's patch of the largest normalised cross-correlation; E_c the squared distance from the
photo at relu4_2; TV the squared differences of neighbouring pixels.

Departures: Adam in place of L-BFGS, from the photo; patches are matched anew every few steps and kept in between; the
style picture is taken as it is, without rotated and scaled copies; and distances are means over features: with sums and
their a1 = 1 the style picture itself comes out in the photo's place.
"""

import cv2
import numpy as np
import tensorflow as tf

from cartoongan_tf.models import pixels, vgg19
from experiments.baselines.descent import Descent

MRF_LAYERS = ("block3_conv1", "block4_conv1")
CONTENT_LAYER = "block4_conv2"
PATCH_SIZE = 3
_CONTENT_WEIGHT, _VARIATION_WEIGHT = 1.0, 1e-3  # a1 and a2
_COARSEST_PX = 64  # of the longer side
_MATCH_EVERY_STEPS = 10
_LEARNING_RATE = 0.03  # of pixels in [-1, 1]
_ROWS_AT_ONCE = 1024  # of patches, against memory


class CNNMRF:
    """The method, with its network."""

    def __init__(self, vgg19_weights: str = "imagenet", seed: int = 0):
        """
        Args:
          vgg19_weights, seed: as of `vgg19.build_vgg19_features`.

        Raises:
          InputError: the weights cannot be had.
        """
        self._features = vgg19.build_vgg19_layers(vgg19_weights, (*MRF_LAYERS, CONTENT_LAYER), seed)

    def draw(self, photo: np.ndarray, style: np.ndarray, num_steps: int) -> np.ndarray:
        """Draw a photo with the patches of a style picture.

        Args:
          photo, style: uint8 RGB [H, W, 3], of any sizes from 32 px up.
          num_steps: at each size.

        Returns:
          the drawing, of the photo's size.
        """
        picture = None
        for size in pyramid_sizes(photo.shape[:2]):
            start = _resized(photo, size)
            shrink = max(size) / max(photo.shape[:2])
            style_size = tuple(max(32, round(side * shrink)) for side in style.shape[:2])
            initial = start if picture is None else tf.image.resize(picture, size, "bicubic")
            picture = self._draw(initial, start, _resized(style, style_size), num_steps)
        return pixels.to_uint8(picture)[0].numpy()

    def _draw(self, picture: tf.Tensor, photo: tf.Tensor, style: tf.Tensor, num_steps: int) -> tf.Tensor:
        """At one size, from `picture`: float32 [1, H, W, 3] each."""
        content = tf.cast(self._features(photo)[-1], tf.float32)
        styles = [patches_of(features) for features in self._features(style)[:-1]]

        def matched(picture):
            own = [patches_of(features) for features in self._features(picture)[:-1]]
            return [tf.gather(there, best_matches(here, there)) for here, there in zip(own, styles, strict=True)]

        wanted = [tf.Variable(patches) for patches in matched(picture)]
        descent = Descent(lambda moved: self._energy(moved, wanted, content), picture, num_steps, _LEARNING_RATE)
        for done in range(0, num_steps, _MATCH_EVERY_STEPS):
            if done:
                for variable, patches in zip(wanted, matched(picture), strict=True):
                    variable.assign(patches)
            picture = descent.go(min(num_steps - done, _MATCH_EVERY_STEPS))
        return picture

    def _energy(self, picture: tf.Tensor, wanted: list[tf.Variable], content: tf.Tensor) -> tf.Tensor:
        *of_layers, of_content = self._features(picture)
        total = _CONTENT_WEIGHT * mean_square(of_content, content)
        for features, patches in zip(of_layers, wanted, strict=True):
            total += mean_square(patches_of(features), patches)
        return total + _VARIATION_WEIGHT * variation(127.5 * picture)


def pyramid_sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    """The levels' heights and widths, from coarse to fine: halved while the longer side has 64 px, the other 32."""
    sizes = [size]
    while max(sizes[0]) >= 2 * _COARSEST_PX and min(sizes[0]) >= _COARSEST_PX:
        sizes.insert(0, tuple(round(side / 2) for side in sizes[0]))
    return sizes


def patches_of(features: tf.Tensor) -> tf.Tensor:
    """All 3x3 patches of features [1, h, w, C]: float32 [(h - 2) (w - 2), 9 C]."""
    window = [1, PATCH_SIZE, PATCH_SIZE, 1]
    patches = tf.image.extract_patches(tf.cast(features, tf.float32), window, [1, 1, 1, 1], [1, 1, 1, 1], "VALID")
    return tf.reshape(patches, (-1, patches.shape[-1]))


def best_matches(patches: tf.Tensor, of_style: tf.Tensor) -> tf.Tensor:
    """The style's patch of the largest normalised cross-correlation: [n, d] and [m, d] -> int64 [n]."""
    directions = tf.math.l2_normalize(of_style, axis=1)  # a patch's own length does not change which is the best
    parts = [patches[first : first + _ROWS_AT_ONCE] for first in range(0, len(patches), _ROWS_AT_ONCE)]
    return tf.concat([tf.argmax(tf.matmul(part, directions, transpose_b=True), axis=1) for part in parts], 0)


def variation(picture: tf.Tensor) -> tf.Tensor:
    """The mean squared differences of neighbouring pixels, down and to the right: [1, H, W, 3] -> float32 []."""
    down, right = picture[:, 1:] - picture[:, :-1], picture[:, :, 1:] - picture[:, :, :-1]
    return tf.reduce_mean(tf.square(down)) + tf.reduce_mean(tf.square(right))


def mean_square(values: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """The mean squared difference, float32 []."""
    return tf.reduce_mean(tf.square(tf.cast(values, tf.float32) - wanted))


def _resized(picture: np.ndarray, size: tuple[int, int]) -> tf.Tensor:
    return pixels.to_float(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)[np.newaxis])
