"""Measures of a discriminator's losses and of generated pictures, by which the health guard judges training.

Knows nothing of TensorFlow.
"""

import math

import cv2
import numpy as np

from cartoongan_tf.media.image_measures import edge_density

_DETAIL_SIGMA_PX = 2.0
_TILE_PX = 64
_PEAK_RADIUS = 1  # the window spreads a frequency over its neighbours
_RING_RADIUS = 5


def chance_loss(adversarial_loss: str, edge_loss_weight: float) -> float:
    """Return the least discriminator loss of a logit that is the same for all pictures.

    With w the weight of the smoothed cartoons, it is where real(x) + (1 + w) fake(x) is least: "log" at
    sigmoid(x) = 1 / (2 + w), "least_squares" at x = 1 / (2 + w), "hinge" at x = -1.
    """
    fake_weight = 1.0 + edge_loss_weight
    total_weight = 1.0 + fake_weight
    return {
        "log": math.log(total_weight) + fake_weight * math.log(total_weight / fake_weight),
        "least_squares": fake_weight / total_weight,
        "hinge": 2.0,
    }[adversarial_loss]


def between_targets(logit: float, adversarial_loss: str) -> float:
    """Return a logit on a scale on which the discriminator's target is 0 for fakes, and 1 for cartoons."""
    if adversarial_loss == "log":
        return (1.0 + math.tanh(logit / 2.0)) / 2.0  # the sigmoid, in a form that does not overflow
    return (logit + 1.0) / 2.0 if adversarial_loss == "hinge" else logit


def detail_correlation(photos: np.ndarray, generated: np.ndarray) -> float:
    """Compare the fine detail of pictures, whatever their colours and contrast: uint8 RGB [N, S, S, 3] each.

    Returns:
      the correlation of the detail that a blur of 2 pixels removes. 1: the same; 0: nothing in common, or no detail.
    """
    photo_detail = _detail(photos)
    generated_detail = _detail(generated)
    photo_power = np.sum(photo_detail**2, dtype=np.float64)
    generated_power = np.sum(generated_detail**2, dtype=np.float64)
    power = math.sqrt(photo_power * generated_power)
    return float(np.sum(photo_detail * generated_detail, dtype=np.float64)) / power if power else 0.0


def _detail(pictures: np.ndarray) -> np.ndarray:
    """Return the brightness of pictures without what a blur keeps: float32 [N, S, S]."""
    details = []
    for picture in pictures:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        details.append(grey - cv2.GaussianBlur(grey, (0, 0), _DETAIL_SIGMA_PX))
    return np.stack(details)


def edge_share(pictures: np.ndarray) -> float:
    """Return the share of pixels that Canny finds on an edge, 0 to 1, of uint8 RGB [N, S, S, 3]."""
    return float(np.mean([edge_density(picture) for picture in pictures]))


def color_deviation(pictures: np.ndarray) -> float:
    """Return the distance of pixels from their picture's mean colour, in levels (root mean square)."""
    return math.sqrt(np.mean(np.var(pictures.astype(np.float32), axis=(1, 2))))


def checkerboard(pictures: np.ndarray) -> float:
    """Measure how much stronger a pattern of 2 or 4 pixels is than others of nearly that size.

    Such patterns come from upsampling and lie on the pixel grid. In the spectrum all their power is at half or a
    quarter of the sampling frequency, where ordinary pictures have no more than beside it.

    Args:
      pictures: uint8 RGB [N, S, S, 3].

    Returns:
      the largest ratio of the power at one of these frequencies to the mean of its neighbours; 0 for pictures that
      are too small to measure.
    """
    if min(pictures.shape[1:3]) < _TILE_PX:
        return 0.0
    power = _power_spectrum(pictures)
    quarter = _TILE_PX // 4
    ratios = []
    for row in range(3):
        for column in range(4):
            if (row, column) != (0, 0):
                ratios.append(_peak_ratio(power, row * quarter, column * quarter))
    return max(ratios)


def _power_spectrum(pictures: np.ndarray) -> np.ndarray:
    """Return the mean over overlapping tiles, [64, 64]; a pattern that changes over the picture is constant in one."""
    window = np.outer(np.hanning(_TILE_PX + 1)[:-1], np.hanning(_TILE_PX + 1)[:-1])
    spectra = []
    for picture in pictures:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        tiles = np.lib.stride_tricks.sliding_window_view(grey, (_TILE_PX, _TILE_PX))[:: _TILE_PX // 2, :: _TILE_PX // 2]
        tiles = tiles - tiles.mean(axis=(-2, -1), keepdims=True)
        spectra.append(np.mean(np.abs(np.fft.fft2(tiles * window)) ** 2, axis=(0, 1)))
    return np.mean(spectra, axis=0)


def _peak_ratio(power: np.ndarray, row: int, column: int) -> float:
    """Return the power around a frequency over the mean of a ring around it.

    On an axis of the spectrum the neighbours along that axis take the ring's place, because upright edges make the
    axes stronger than the rest.
    """
    size = 2 * _RING_RADIUS + 1
    around = np.roll(power, (_RING_RADIUS - row, _RING_RADIUS - column), (0, 1))[:size, :size]
    distance = np.abs(np.mgrid[-_RING_RADIUS : _RING_RADIUS + 1, -_RING_RADIUS : _RING_RADIUS + 1]).max(axis=0)
    axis = slice(_RING_RADIUS, _RING_RADIUS + 1)
    rows = axis if row == 0 else slice(None)
    columns = axis if column == 0 else slice(None)
    ring = around[rows, columns][distance[rows, columns] > _PEAK_RADIUS + 1]
    return float(around[distance <= _PEAK_RADIUS].max() / (ring.mean() + 1e-9))
