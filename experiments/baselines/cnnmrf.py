"""CNNMRF (Li and Wand, CVPR 2016): each patch of a photo's features becomes like the best match in a style picture.

The energy E_s + a1 E_c + a2 TV is minimised from coarse to fine. E_s is the squared distance of each 3x3 patch of
relu3_1 and relu4_1 to the style's patch with the largest normalised cross-correlation, E_c the squared distance from
the photo at relu4_2, and TV the squared differences of neighbouring pixels.

Departures: Adam instead of L-BFGS, started from the photo; patches are matched every few steps and kept in between; the
style picture is used as it is, without rotated and scaled copies; and distances are means over features, as with sums
and the published a1 = 1 the result is the style picture itself.
"""

import cv2
import keras
import numpy as np
import tensorflow as tf

from cartoongan_tf.models import pixels, vgg19
from experiments.baselines.descent import Descent

MRF_LAYERS = ("block3_conv1", "block4_conv1")
CONTENT_LAYER = "block4_conv2"
PATCH_SIZE = 3
_CONTENT_WEIGHT = 1.0  # a1
_VARIATION_WEIGHT = 1e-3  # a2
_COARSEST_PX = 64  # for the longer side
_SMALLEST_STYLE_PX = 32
_MATCH_EVERY_STEPS = 10
_LEARNING_RATE = 0.03  # for pixels in [-1, 1]
_ROWS_AT_ONCE = 1024  # patches matched at once, to save memory


class CNNMRF:
    """The method, with its network."""

    def __init__(self, features: keras.Model):
        """
        Args:
          features: extractor of MRF_LAYERS and CONTENT_LAYER, see `vgg19.build_vgg19_layers`.
        """
        self._features = features

    @classmethod
    def load(cls, vgg19_weights: str = "imagenet", seed: int = 0) -> "CNNMRF":
        """Load the network.

        Args:
          vgg19_weights, seed: see `vgg19.build_vgg19_features`.

        Raises:
          InputError: the weights cannot be loaded.
        """
        return cls(vgg19.build_vgg19_layers(vgg19_weights, (*MRF_LAYERS, CONTENT_LAYER), seed))

    def draw(self, photo: np.ndarray, style: np.ndarray, num_steps: int) -> np.ndarray:
        """Draw a photo with the patches of a style picture.

        Args:
          photo, style: uint8 RGB [H, W, 3], of any sizes from 32 px up.
          num_steps: number of steps at each size.

        Returns:
          the drawing, of the photo's size.
        """
        picture = None
        for size in pyramid_sizes(photo.shape[:2]):
            shrink = max(size) / max(photo.shape[:2])
            style_size = tuple(max(_SMALLEST_STYLE_PX, round(side * shrink)) for side in style.shape[:2])
            resized_photo = _resized(photo, size)
            start = resized_photo if picture is None else tf.image.resize(picture, size, "bicubic")
            picture = self._draw(start, resized_photo, _resized(style, style_size), num_steps)
        return pixels.to_uint8(picture)[0].numpy()

    def _draw(self, picture: tf.Tensor, photo: tf.Tensor, style: tf.Tensor, num_steps: int) -> tf.Tensor:
        """Draw at one size, starting from `picture`: float32 [1, H, W, 3] each."""
        content = self.content(photo)
        style_patches = self.patches(style)
        matches = [tf.Variable(patches) for patches in self.matches(picture, style_patches)]
        descent = Descent(lambda moved: self.energy(moved, matches, content), picture, num_steps, _LEARNING_RATE)
        for num_done in range(0, num_steps, _MATCH_EVERY_STEPS):
            if num_done:
                for variable, patches in zip(matches, self.matches(picture, style_patches), strict=True):
                    variable.assign(patches)
            picture = descent.run(min(num_steps - num_done, _MATCH_EVERY_STEPS))
        return picture

    def content(self, picture: tf.Tensor) -> tf.Tensor:
        """Return the content features of a picture, [1, H, W, 3] in [-1, 1]: float32 [1, h, w, C]."""
        return tf.cast(self._features(picture)[-1], tf.float32)

    def patches(self, picture: tf.Tensor) -> list[tf.Tensor]:
        """Return the patches of each of MRF_LAYERS, see `patches_of`."""
        return [patches_of(features) for features in self._features(picture)[:-1]]

    def matches(self, picture: tf.Tensor, style_patches: list[tf.Tensor]) -> list[tf.Tensor]:
        """Return, for each patch of a picture, the best match of the style, for each of MRF_LAYERS."""
        matches = []
        for patches, candidates in zip(self.patches(picture), style_patches, strict=True):
            matches.append(tf.gather(candidates, best_matches(patches, candidates)))
        return matches

    def energy(self, picture: tf.Tensor, matches: list[tf.Variable], wanted_content: tf.Tensor) -> tf.Tensor:
        """Compute the energy of a picture, given its patches' matches and the photo's content: float32 []."""
        *mrf_features, content = self._features(picture)
        total = _CONTENT_WEIGHT * mean_square(content, wanted_content)
        for features, patches in zip(mrf_features, matches, strict=True):
            total += mean_square(patches_of(features), patches)
        return total + _VARIATION_WEIGHT * variation(127.5 * picture)


def pyramid_sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the heights and widths of the levels, from coarse to fine.

    Sizes are halved as long as the longer side keeps at least 64 px, and the shorter side at least 32.
    """
    sizes = [size]
    while max(sizes[0]) >= 2 * _COARSEST_PX and min(sizes[0]) >= _COARSEST_PX:
        height, width = sizes[0]
        sizes.insert(0, (round(height / 2), round(width / 2)))
    return sizes


def patches_of(features: tf.Tensor) -> tf.Tensor:
    """Return all 3x3 patches of features [1, h, w, C]: float32 [(h - 2) (w - 2), 9 C]."""
    window = [1, PATCH_SIZE, PATCH_SIZE, 1]
    patches = tf.image.extract_patches(tf.cast(features, tf.float32), window, [1, 1, 1, 1], [1, 1, 1, 1], "VALID")
    return tf.reshape(patches, (-1, patches.shape[-1]))


def best_matches(patches: tf.Tensor, style_patches: tf.Tensor, rows_at_once: int = _ROWS_AT_ONCE) -> tf.Tensor:
    """Find the style's patch with the largest normalised cross-correlation.

    Args:
      patches: [n, d].
      style_patches: [m, d].
      rows_at_once: number of patches that are matched at once.

    Returns:
      numbers of the style's patches, int64 [n].
    """
    directions = tf.math.l2_normalize(style_patches, axis=1)  # a patch's own length does not change its best match
    matches = []
    for first in range(0, len(patches), rows_at_once):
        correlations = tf.matmul(patches[first : first + rows_at_once], directions, transpose_b=True)
        matches.append(tf.argmax(correlations, axis=1))
    return tf.concat(matches, 0)


def variation(picture: tf.Tensor) -> tf.Tensor:
    """Compute the mean squared differences of pixels to those below and to the right: [1, H, W, 3] -> float32 []."""
    down = picture[:, 1:] - picture[:, :-1]
    right = picture[:, :, 1:] - picture[:, :, :-1]
    return tf.reduce_mean(tf.square(down)) + tf.reduce_mean(tf.square(right))


def mean_square(values: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Compute the mean squared difference, float32 []."""
    return tf.reduce_mean(tf.square(tf.cast(values, tf.float32) - wanted))


def _resized(picture: np.ndarray, size: tuple[int, int]) -> tf.Tensor:
    height, width = size
    return pixels.to_float(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)[np.newaxis])
