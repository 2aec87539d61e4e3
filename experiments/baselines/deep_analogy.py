"""Deep Analogy (Liao et al., SIGGRAPH 2017): a photo drawn with the patches of a style picture that mean the same.

For a photo A and a style picture B', places of A and B' are matched by PatchMatch on VGG19's features, from relu5_1
down to relu1_1, in both directions at once. Two pictures that are not there are made up on the way, as features: A',
the photo in the style, and B, the style picture as a photo. A match must be alike in both pairs: A with B, and A' with
B' (their equation 4). From a layer to the finer one, A' is the photo's own features where these are strong, and
elsewhere what the matched features of B' come from (their section 4.3); B likewise. At the end A' is B' itself, at the
matches of the finest layer, the mean of overlapping patches.

Sizes of patches, radii and weights are theirs. Departures: Adam in place of L-BFGS where features are brought a layer
back, starting from the finer layer's features at the same matches (theirs: noise); PatchMatch takes all places at once.
"""

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
_STEEPNESS, _THRESHOLD = 300.0, 0.05  # kappa and tau: which of its features are strong
_MULTIPLE_PX = 16  # relu5_1 has a sixteenth of the size
_LEARNING_RATE = 0.05  # of features, in units of their root mean square
_FEWEST_PX = 32


class DeepAnalogy:
    """The method, with its network."""

    def __init__(self, vgg19_weights: str = "imagenet", seed: int = 0):
        """
        Args:
          vgg19_weights: as of `vgg19.build_vgg19_features`.
          seed: of PatchMatch, and of random weights.

        Raises:
          InputError: the weights cannot be had.
        """
        network = vgg19.load_vgg19(vgg19_weights, seed)
        outputs = [network.get_layer(name).output for name in LAYERS]
        self._seed, self._features = seed, vgg19.frozen(network, outputs, "deep_analogy")
        # By level: the layers that lead from the finer level to it.
        self._steps = {
            level: keras.Model(outputs[level - 2], outputs[level - 1], name=f"to_level_{level}")
            for level in range(2, len(LAYERS) + 1)
        }

    def draw(self, photo: np.ndarray, style: np.ndarray, num_steps: int, num_iterations: int = 10):
        """Draw a photo with the patches of a style picture.

        Args:
          photo, style: uint8 RGB [H, W, 3], of any sizes.
          num_steps: of each way back from a layer to the finer one.
          num_iterations: of PatchMatch, at each layer.

        Returns:
          the drawing, uint8 RGB of the photo's size.
        """
        rng, size = np.random.default_rng(self._seed), photo.shape[:2]
        photo, style = _fitting(photo), _fitting(style)
        of_photo, of_style = self._pyramid(photo), self._pyramid(style)
        coarsest = len(LAYERS)
        drawn, undrawn = of_photo[coarsest], of_style[coarsest]  # A' and B
        sizes = [features[coarsest].shape[:2] for features in (of_photo, of_style)]
        there, back = patch_match.random_field(*sizes, rng), patch_match.random_field(*sizes[::-1], rng)
        for level in tqdm(range(coarsest, 0, -1), desc="deep analogy", unit="layer", leave=False):
            own, others = _joined(of_photo[level], drawn), _joined(undrawn, of_style[level])
            search = _SEARCH_RADII.get(level, max(*own.shape[:2], *others.shape[:2]))
            how = (_PATCH_SIZES[level], search, num_iterations, rng)
            there = patch_match.improve(there, own, others, *how)
            if level == 1:
                break
            back = patch_match.improve(back, others, own, *how)
            drawn, there = self._finer(level, there, of_photo, of_style, num_steps)
            undrawn, back = self._finer(level, back, of_style, of_photo, num_steps)
        result = patch_match.vote(style.astype(np.float32), there, _PATCH_SIZES[1]).round().astype(np.uint8)
        return cv2.resize(result, size[::-1], interpolation=cv2.INTER_CUBIC)

    def _pyramid(self, picture: np.ndarray) -> dict[int, np.ndarray]:
        """By level, float32 [h, w, C]."""
        found = self._features(pixels.to_float(picture[np.newaxis]))
        return {level: features[0].numpy().astype(np.float32) for level, features in enumerate(found, 1)}

    def _finer(
        self, level: int, field: np.ndarray, own: dict, others: dict, num_steps: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """What was made up at a level, at the next finer one: its features, and the field there."""
        finer = level - 1
        larger = patch_match.enlarged(field, own[finer].shape[:2], others[finer].shape[:2])
        wanted, start = others[level][field[..., 0], field[..., 1]], others[finer][larger[..., 0], larger[..., 1]]
        brought = self._brought_back(level, wanted, start, num_steps)
        keeps = _PHOTO_WEIGHTS[finer] * strong(own[finer])
        return own[finer] * keeps + brought * (1 - keeps), larger

    def _brought_back(self, level: int, wanted: np.ndarray, start: np.ndarray, num_steps: int) -> np.ndarray:
        """Features of the finer level, [h, w, C], which lead to those wanted."""
        unit = max(float(np.sqrt(np.mean(start**2))), 1e-6)

        def loss(features):
            reached = tf.cast(self._steps[level](unit * features), tf.float32)
            return tf.reduce_sum(tf.square(reached - wanted)) / unit**2

        found = minimise(loss, start[np.newaxis] / unit, num_steps, _LEARNING_RATE)
        return unit * found[0].numpy()


def strong(features: np.ndarray) -> np.ndarray:
    """Where features are strong: 0 to 1, float32 [h, w, 1], of their squared lengths scaled to 0..1."""
    lengths = np.square(features).sum(-1, keepdims=True)
    scaled = (lengths - lengths.min()) / max(float(np.ptp(lengths)), 1e-12)
    return 1 / (1 + np.exp(-_STEEPNESS * (scaled - _THRESHOLD)))


def _joined(features: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Both, normalised place by place, side by side: one product tells how alike both pairs are."""
    return np.concatenate([_normalised(features), _normalised(others)], -1)


def _normalised(features: np.ndarray) -> np.ndarray:
    return features / np.maximum(np.linalg.norm(features, axis=-1, keepdims=True), 1e-6)


def _fitting(picture: np.ndarray) -> np.ndarray:
    """Resized to the nearest multiples of 16 px."""
    size = [max(_FEWEST_PX, _MULTIPLE_PX * round(side / _MULTIPLE_PX)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
