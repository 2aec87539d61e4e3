"""Distances between sets of drawings and cartoons, and between drawings and their photos, for `evaluate`.

Distances between sets compare the features of many crops (`Sample`). Crops of one picture are alike. Therefore
intervals come from resampling the pictures, not the crops (`resampling_weights`), and the kernel distance compares
crops of different pictures only.

The features are VGG19's (`vgg19.build_style_features`), not Inception's: compare figures within one table, never with
FID or KID of papers. `evaluator` adds a distance on Inception's features if its weights are given.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np


class Sample(NamedTuple):
    """Features of the crops of some pictures.

    Attributes:
      features: float [N, D].
      pictures: number of the picture that each crop was cut from, int [N]; every picture has a crop at least.
    """

    features: np.ndarray
    pictures: np.ndarray


def resampling_weights(num_pictures: int, num_rounds: int, seed: Sequence[int]) -> np.ndarray:
    """Resample pictures with replacement, many times, for all that is measured on them.

    Args:
      num_pictures: number of pictures in the set, and in each resampling.
      num_rounds: number of resamplings.
      seed: seed of the resamplings; unrelated sets have different ones.

    Returns:
      how often each picture was taken, float [1 + rounds, pictures]; the first row takes each once.
    """
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(num_pictures, np.full(num_pictures, 1 / num_pictures), num_rounds)
    return np.vstack([np.ones(num_pictures), counts])


class Estimate(NamedTuple):
    """A measure with its interval.

    Attributes:
      value: measure on the pictures as they are.
      low, high: limits of the central 95 % of the resampled values, moved so that their mean is the value: resampling
        repeats pictures, which shifts distances.
    """

    value: float
    low: float
    high: float


def estimate(values: np.ndarray) -> Estimate:
    """Estimate a measure from its value on the pictures as they are and its resampled values: float [1 + rounds]."""
    value = float(values[0])
    resampled = values[1:]
    finite = resampled[np.isfinite(resampled)]  # a kernel distance is not finite if one picture alone was taken
    if not np.isfinite(value) or not len(finite):
        return Estimate(value, np.nan, np.nan)
    low, high = np.percentile(finite - finite.mean() + value, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def mean_over_crops(values: np.ndarray, pictures: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean of a measure of crops in each resampling.

    Args:
      values: measure of each crop, float [N]; NaNs are skipped.
      pictures: number of each crop's picture, int [N].
      weights: weights of the pictures, float [1 + rounds, pictures].

    Returns:
      float [1 + rounds]; NaN if no crop has a value.
    """
    num_pictures = weights.shape[1]
    is_finite = np.isfinite(values)
    picture_sums = np.bincount(pictures, np.where(is_finite, values, 0), num_pictures)
    picture_counts = np.bincount(pictures, is_finite, num_pictures)
    return _divided(weights @ picture_sums, weights @ picture_counts)


def _divided(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Divide, with NaN in place of division by zero."""
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)


def scaler(samples: Sequence[Sample]) -> Callable[[Sample], Sample]:
    """Return a function that scales features, so that each feature's mean square over the samples is 1.

    All samples count equally. Without scaling, the few channels with the largest activations would decide both
    distances. Means are not subtracted: then products of activations stay about as small as Inception's, for which the
    kernel was made, and a few odd crops do not outweigh all others.
    """
    mean_squares = [(sample.features**2).mean(0) for sample in samples]
    squares = np.mean(mean_squares, 0)
    scale = 1 / np.sqrt(squares + 1e-12 * squares.max() + 1e-30)
    return lambda sample: Sample(sample.features * scale, sample.pictures)


def kernel_distance(
    sample: Sample, other: Sample, weights: np.ndarray, other_weights: np.ndarray, same_pictures: bool = False
) -> np.ndarray:
    """Return KID, the squared maximum mean discrepancy with the kernel (x.y / D + 1)^3 (Binkowski et al. 2018).

    It is unbiased: equal distributions give 0 on average, so values below 0 occur. There is no upper bound. Unlike
    the published KID it uses no pairs of crops of one picture, which are more alike than those of the complete set.

    Args:
      sample, other: scaled samples with D features each, of two pictures or more.
      weights, other_weights: weights of the pictures, float [1 + rounds, pictures].
      same_pictures: whether pictures of the same number show the same scene. If so, their crops make no pair.

    Returns:
      float [1 + rounds]; less is nearer.
    """
    within = _mean_kernel(sample, sample, weights, weights, same_pictures=True)
    within_other = _mean_kernel(other, other, other_weights, other_weights, same_pictures=True)
    between = _mean_kernel(sample, other, weights, other_weights, same_pictures)
    return within + within_other - 2 * between


def _mean_kernel(
    sample: Sample, other: Sample, weights: np.ndarray, other_weights: np.ndarray, same_pictures: bool
) -> np.ndarray:
    """Return the kernel's mean over pairs of crops in each resampling; NaN if there is no pair."""
    num_features = sample.features.shape[1]
    kernel = (sample.features @ other.features.T / num_features + 1) ** 3
    sums = _summed_by_picture(kernel, sample.pictures, other.pictures)
    counts = np.outer(np.bincount(sample.pictures), np.bincount(other.pictures)).astype(float)
    if same_pictures:
        np.fill_diagonal(sums, 0)
        np.fill_diagonal(counts, 0)
    total = np.einsum("rp,pq,rq->r", weights, sums, other_weights)
    num_pairs = np.einsum("rp,pq,rq->r", weights, counts, other_weights)
    return _divided(total, num_pairs)


def _summed_by_picture(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Sum over the crops of each picture: [N, M] -> [pictures of the rows, pictures of the columns]."""
    by_row = np.zeros((rows.max() + 1, len(columns)))
    np.add.at(by_row, rows, values)
    by_both = np.zeros((columns.max() + 1, len(by_row)))
    np.add.at(by_both, columns, by_row.T)
    return by_both.T


def frechet_distance(sample: Sample, other: Sample, weights: np.ndarray, other_weights: np.ndarray) -> np.ndarray:
    """Return the Frechet distance of two normal distributions (Heusel et al. 2017, on Inception's features: FID).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). Equal distributions give 0, and there is no upper bound. It is too
    high for small samples. Compare it only at equal numbers of crops, which are at least as many as features.

    Args:
      sample, other: samples with D features each, of one picture or more.
      weights, other_weights: weights of the pictures, float [1 + rounds, pictures].

    Returns:
      float [1 + rounds]; less is nearer.
    """
    values = []
    for moments, other_moments in zip(_moments(sample, weights), _moments(other, other_weights), strict=True):
        values.append(_frechet(moments, other_moments))
    return np.array(values)


class _Moments(NamedTuple):
    mean: np.ndarray  # [D]
    covariance: np.ndarray  # biased, [D, D]


def _moments(sample: Sample, weights: np.ndarray) -> Iterator[_Moments]:
    """Yield the moments of each resampling."""
    for crop_weights in weights[:, sample.pictures]:
        mean = crop_weights @ sample.features / crop_weights.sum()
        centred = sample.features - mean
        yield _Moments(mean, (centred * crop_weights[:, np.newaxis]).T @ centred / crop_weights.sum())


def _frechet(moments: _Moments, other: _Moments) -> float:
    root = _square_root(moments.covariance)
    # The root's product is symmetric and has the eigenvalues of C1 C2, which is not.
    eigenvalues = np.linalg.eigvalsh(root @ other.covariance @ root)
    root_trace = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    trace = np.trace(moments.covariance) + np.trace(other.covariance) - 2 * root_trace
    return float(np.square(moments.mean - other.mean).sum() + trace)


def _square_root(covariance: np.ndarray) -> np.ndarray:
    eigenvalues, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(eigenvalues, 0))) @ vectors.T


def content_distance(features: np.ndarray, photo_features: np.ndarray) -> np.ndarray:
    """Return the content loss of equation (4), as in training: 0 for the photo itself; less means more of it is kept.

    Args:
      features, photo_features: VGG19's conv4_4 features of drawings and of their photos, float [N, h, w, C].

    Returns:
      mean absolute differences, float [N].
    """
    return np.abs(features - photo_features).mean((1, 2, 3))
