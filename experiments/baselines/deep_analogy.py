"""Deep Analogy (Liao et al., SIGGRAPH 2017): a photo drawn with the patches of a style picture that mean the same.

For a photo A and a style picture B', PatchMatch matches places of A and B' on VGG19's features, from relu5_1 down to
relu1_1, in both directions at once. Two unknown pictures are made up on the way, as features: A', the photo in the
style, and B, the style picture as a photo. A match must be alike in both pairs: A with B, and A' with B' (their
equation 4). From a layer to the finer one, A' keeps the photo's own features where these are strong, and elsewhere
takes features that lead to the matched ones of B' (their section 4.3); B likewise. At the end A' is B' itself, at the
matches of the finest layer, averaged over overlapping patches.

Patch sizes, radii and weights are theirs. Departures: Adam instead of L-BFGS to find the features of a finer layer,
started from the finer layer's features at the same matches (theirs: noise); PatchMatch updates all places at once.
"""

from typing import NamedTuple

import cv2
import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from cartoongan_tf.models import pixels, vgg19
from experiments.baselines import patch_match
from experiments.baselines.descent import minimise

LAYERS = tuple(f"block{level}_conv1" for level in range(1, 6))
_PATCH_SIZES = {5: 3, 4: 3, 3: 3, 2: 5, 1: 5}
_SEARCH_RADII = {4: 6, 3: 6, 2: 4, 1: 4}  # of random candidates; at the coarsest layer anywhere
_PHOTO_WEIGHTS = {4: 0.8, 3: 0.7, 2: 0.6, 1: 0.1}  # alpha: how much of its own features a picture keeps
_STEEPNESS = 300.0  # kappa: with tau it decides which of a picture's features are strong
_THRESHOLD = 0.05  # tau
_MULTIPLE_PX = 16  # relu5_1 has a sixteenth of the size
_LEARNING_RATE = 0.05  # of features, in units of their root mean square
_FEWEST_PX = 32

Pyramid = dict[int, np.ndarray]  # a picture's features by level, float32 [h, w, C]


class _Side(NamedTuple):
    """One of the two pictures, and the other one's counterpart made of it.

    Attributes:
      pyramid: features of the picture.
      made_up: features of its counterpart at the present level: A' for the photo, B for the style picture.
      field: matches of its places in the other picture.
    """

    pyramid: Pyramid
    made_up: np.ndarray
    field: np.ndarray


class DeepAnalogy:
    """The method, with its network.

    Attributes:
      level_steps: networks that lead from the next finer level to a level, by level.
    """

    def __init__(self, features: keras.Model, level_steps: dict[int, keras.Model], seed: int):
        """
        Args:
          features: extractor of LAYERS.
          level_steps: networks that lead from the next finer level to a level, by level.
          seed: seed of PatchMatch.
        """
        self.level_steps = level_steps
        self._features = features
        self._seed = seed

    @classmethod
    def load(cls, vgg19_weights: str = "imagenet", seed: int = 0) -> "DeepAnalogy":
        """Load the network.

        Args:
          vgg19_weights: see `vgg19.build_vgg19_features`.
          seed: seed of PatchMatch, and of random weights.

        Raises:
          InputError: the weights cannot be loaded.
        """
        network = vgg19.load_vgg19(vgg19_weights, seed)
        outputs = [network.get_layer(name).output for name in LAYERS]
        level_steps = {}
        for level in range(2, len(LAYERS) + 1):
            level_steps[level] = keras.Model(outputs[level - 2], outputs[level - 1], name=f"to_level_{level}")
        return cls(vgg19.frozen(network, outputs, "deep_analogy"), level_steps, seed)

    def draw(self, photo: np.ndarray, style: np.ndarray, num_steps: int, num_iterations: int = 10) -> np.ndarray:
        """Draw a photo with the patches of a style picture.

        Args:
          photo, style: uint8 RGB [H, W, 3], of any sizes.
          num_steps: number of steps to find the features of a finer layer.
          num_iterations: number of PatchMatch's iterations at each layer.

        Returns:
          the drawing, uint8 RGB of the photo's size.
        """
        fitting_photo = _fitting(photo)
        fitting_style = _fitting(style)
        field = self._match(self.pyramid(fitting_photo), self.pyramid(fitting_style), num_steps, num_iterations)
        drawing = patch_match.vote(fitting_style.astype(np.float32), field, _PATCH_SIZES[1])
        height, width = photo.shape[:2]
        return cv2.resize(drawing.round().astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)

    def pyramid(self, picture: np.ndarray) -> Pyramid:
        """Return the features of a picture, uint8 RGB [H, W, 3], at all levels."""
        levels = self._features(pixels.to_float(picture[np.newaxis]))
        return {level: features[0].numpy().astype(np.float32) for level, features in enumerate(levels, 1)}

    def _match(self, photo_pyramid: Pyramid, style_pyramid: Pyramid, num_steps: int, num_iterations: int) -> np.ndarray:
        """Match the photo's places at the finest level: a field, see `patch_match`."""
        rng = np.random.default_rng(self._seed)
        coarsest = len(LAYERS)
        photo_size = photo_pyramid[coarsest].shape[:2]
        style_size = style_pyramid[coarsest].shape[:2]
        photo_field = patch_match.random_field(photo_size, style_size, rng)
        style_field = patch_match.random_field(style_size, photo_size, rng)
        photo = _Side(photo_pyramid, photo_pyramid[coarsest], photo_field)
        style = _Side(style_pyramid, style_pyramid[coarsest], style_field)
        for level in tqdm(range(coarsest, 0, -1), desc="deep analogy", unit="layer", leave=False):
            photo_pair = _joined(photo.pyramid[level], photo.made_up)  # A and A'
            style_pair = _joined(style.made_up, style.pyramid[level])  # B and B'
            radius = _SEARCH_RADII.get(level, max(*photo_pair.shape[:2], *style_pair.shape[:2]))
            settings = (_PATCH_SIZES[level], radius, num_iterations, rng)
            photo = photo._replace(field=patch_match.improve(photo.field, photo_pair, style_pair, *settings))
            if level > 1:
                style = style._replace(field=patch_match.improve(style.field, style_pair, photo_pair, *settings))
                photo = self._finer(level, photo, style.pyramid, num_steps)
                style = self._finer(level, style, photo.pyramid, num_steps)
        return photo.field

    def _finer(self, level: int, side: _Side, other_pyramid: Pyramid, num_steps: int) -> _Side:
        """Bring a side to the next finer level."""
        finer = level - 1
        own_features = side.pyramid[finer]
        field = patch_match.enlarged(side.field, own_features.shape[:2], other_pyramid[finer].shape[:2])
        wanted = patch_match.at_matches(other_pyramid[level], side.field)
        start = patch_match.at_matches(other_pyramid[finer], field)
        matched = self.features_leading_to(level, wanted, start, num_steps)
        own_share = _PHOTO_WEIGHTS[finer] * strong(own_features)
        return _Side(side.pyramid, own_features * own_share + matched * (1 - own_share), field)

    def features_leading_to(self, level: int, wanted: np.ndarray, start: np.ndarray, num_steps: int) -> np.ndarray:
        """Find features of the next finer level that lead to the wanted ones of a level.

        Args:
          level: level of the wanted features.
          wanted: float32 [h, w, C].
          start: features of the finer level to start from, float32 [H, W, D].
          num_steps: number of steps.

        Returns:
          float32 [H, W, D].
        """
        unit = max(float(np.sqrt(np.mean(start**2))), 1e-6)

        def loss(features):
            reached = tf.cast(self.level_steps[level](unit * features), tf.float32)
            return tf.reduce_sum(tf.square(reached - wanted)) / unit**2

        features = minimise(loss, start[np.newaxis] / unit, num_steps, _LEARNING_RATE)
        return unit * features[0].numpy()


def strong(features: np.ndarray) -> np.ndarray:
    """Return how strong features are: 0 to 1, float32 [h, w, 1], from their squared lengths scaled to 0..1."""
    lengths = np.square(features).sum(-1, keepdims=True)
    scaled = (lengths - lengths.min()) / max(float(np.ptp(lengths)), 1e-12)
    return 1 / (1 + np.exp(-_STEEPNESS * (scaled - _THRESHOLD)))


def _joined(features: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Normalise both place by place and join them, so that one product tells how alike both pairs are."""
    return np.concatenate([_normalised(features), _normalised(others)], -1)


def _normalised(features: np.ndarray) -> np.ndarray:
    return features / np.maximum(np.linalg.norm(features, axis=-1, keepdims=True), 1e-6)


def _fitting(picture: np.ndarray) -> np.ndarray:
    """Resize to the nearest multiples of 16 px."""
    height, width = picture.shape[:2]
    return cv2.resize(picture, (_fitting_side(width), _fitting_side(height)), interpolation=cv2.INTER_AREA)


def _fitting_side(side_px: int) -> int:
    return max(_FEWEST_PX, _MULTIPLE_PX * round(side_px / _MULTIPLE_PX))
