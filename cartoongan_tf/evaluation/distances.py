"""Distances between sets of drawings and cartoons, and between drawings and their photos, for `evaluate`.

Distances of sets compare the features of many crops (`Sample`). Crops of one picture are alike, so all intervals are
those of the pictures, drawn anew with replacement (`resampling_weights`), and so are the pairs of the kernel distance.

The features are VGG19's (`vgg19.build_style_features`), not Inception's: compare figures within one table, never with
FID or KID of papers. `evaluator` measures Inception's beside them where its weights are at hand.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np


class Sample(NamedTuple):
    """Features of the crops of some pictures.

    Attributes:
      features: float [N, D].
      pictures: int [N], the number of the picture that each crop was cut from; 0 up to the last, each at least once.
    """

    features: np.ndarray
    pictures: np.ndarray


def resampling_weights(num_pictures: int, num_rounds: int, seed: Sequence[int]) -> np.ndarray:
    """Draw pictures with replacement, many times, for all that is measured on them.

    Args:
      num_pictures: of the set.
      num_rounds: how often as many are drawn out of it.
      seed: of the draws; sets that have nothing to do with each other have different ones.

    Returns:
      how often each picture was drawn, float [1 + rounds, pictures]; the first row has each once.
    """
    drawn = np.random.default_rng(seed).multinomial(num_pictures, np.full(num_pictures, 1 / num_pictures), num_rounds)
    return np.vstack([np.ones(num_pictures), drawn])


class Estimate(NamedTuple):
    """A measure, and how sure it is.

    Attributes:
      value: on the pictures as they are.
      low, high: where 95 % of the resampled values lie, moved so that their mean is the value: resampling repeats
        pictures, which shifts distances.
    """

    value: float
    low: float
    high: float


def estimate(values: np.ndarray) -> Estimate:
    """Of values by `resampling_weights`, the first of them those of the pictures as they are: float [1 + rounds]."""
    known = values[1:][np.isfinite(values[1:])]  # a kernel distance is not, where one picture alone was drawn
    if not np.isfinite(values[0]) or not len(known):
        return Estimate(float(values[0]), np.nan, np.nan)
    low, high = np.percentile(known - known.mean() + values[0], [2.5, 97.5])
    return Estimate(float(values[0]), float(low), float(high))


def mean_over_crops(values: np.ndarray, pictures: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean of a measure of crops, for each resampling.

    Args:
      values: float [N]; those that are not a number are left out.
      pictures: int [N], whose crops they are.
      weights: float [1 + rounds, pictures].

    Returns:
      float [1 + rounds]; not a number where no crop has a value.
    """
    there = np.isfinite(values)
    sums = np.bincount(pictures, np.where(there, values, 0), weights.shape[1])
    counts = weights @ np.bincount(pictures, there, weights.shape[1])
    return np.divide(weights @ sums, counts, out=np.full(len(weights), np.nan), where=counts > 0)


def scaler(samples: Sequence[Sample]) -> Callable[[Sample], Sample]:
    """What brings each feature's mean square to 1 over the samples, each of which counts as much.

    Without it the few channels with the largest activations would decide both distances. Means are left where they
    are: then products of activations stay about as small as Inception's, for which the kernel was made, and a few odd
    crops do not outweigh all others.
    """
    squares = np.mean([(sample.features**2).mean(0) for sample in samples], 0)
    scale = 1 / np.sqrt(squares + 1e-12 * squares.max() + 1e-30)
    return lambda sample: Sample(sample.features * scale, sample.pictures)


def kernel_distance(
    sample: Sample, other: Sample, weights: np.ndarray, other_weights: np.ndarray, same_pictures: bool = False
) -> np.ndarray:
    """KID: squared maximum mean discrepancy with the kernel (x.y / D + 1)^3 (Binkowski et al. 2018). Less is nearer.

    Unbiased, so that equal distributions give 0 on average, and values below 0 now and then; there is no upper bound.
    Unlike theirs it takes no pairs of crops of one picture, which would pass for likeness of the whole set.

    Args:
      sample, other: scaled, D features each, of two pictures or more.
      weights, other_weights: how often each picture counts, float [1 + rounds, pictures].
      same_pictures: a picture of one and that of this number of the other are the same, drawn otherwise: no pair.

    Returns:
      float [1 + rounds].
    """
    within = _mean_kernel(sample, sample, weights, weights, same_pictures=True)
    within_other = _mean_kernel(other, other, other_weights, other_weights, same_pictures=True)
    return within + within_other - 2 * _mean_kernel(sample, other, weights, other_weights, same_pictures)


def _mean_kernel(
    sample: Sample, other: Sample, weights: np.ndarray, other_weights: np.ndarray, same_pictures: bool
) -> np.ndarray:
    """The kernel's mean over pairs of crops, for each resampling; not a number where there is no pair."""
    kernel = (sample.features @ other.features.T / sample.features.shape[1] + 1) ** 3
    sums = _summed_by_picture(kernel, sample.pictures, other.pictures)
    counts = np.outer(np.bincount(sample.pictures), np.bincount(other.pictures)).astype(float)
    if same_pictures:
        np.fill_diagonal(sums, 0)
        np.fill_diagonal(counts, 0)
    total, number = (np.einsum("rp,pq,rq->r", weights, values, other_weights) for values in (sums, counts))
    return np.divide(total, number, out=np.full(len(weights), np.nan), where=number > 0)


def _summed_by_picture(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """[N, M] -> [pictures of the rows, pictures of the columns]."""
    by_row = np.zeros((rows.max() + 1, len(columns)))
    np.add.at(by_row, rows, values)
    by_both = np.zeros((columns.max() + 1, len(by_row)))
    np.add.at(by_both, columns, by_row.T)
    return by_both.T


def frechet_distance(sample: Sample, other: Sample, weights: np.ndarray, other_weights: np.ndarray) -> np.ndarray:
    """Frechet distance of the two normal distributions (Heusel et al. 2017, there on Inception's features: FID).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), 0 for equal distributions and without upper bound; less is nearer. Too
    high for small samples, so it is to be compared at equal numbers of crops only, at least as many as features.

    Args, returns: as of `kernel_distance`; one picture is enough.
    """
    moments, other_moments = _moments(sample, weights), _moments(other, other_weights)
    return np.array([_frechet(*own, *others) for own, others in zip(moments, other_moments, strict=True)])


def _moments(sample: Sample, weights: np.ndarray):
    """Mean and biased covariance for each resampling."""
    for row in weights[:, sample.pictures]:
        mean = row @ sample.features / row.sum()
        centred = sample.features - mean
        yield mean, (centred * row[:, np.newaxis]).T @ centred / row.sum()


def _frechet(mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray, other_covariance: np.ndarray) -> float:
    eigenvalues, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(eigenvalues, 0))) @ vectors.T
    eigenvalues = np.linalg.eigvalsh(root @ other_covariance @ root)  # those of the product, which is not symmetric
    trace = np.trace(covariance) + np.trace(other_covariance) - 2 * np.sqrt(np.maximum(eigenvalues, 0)).sum()
    return float(np.square(mean - other_mean).sum() + trace)


def content_distance(features: np.ndarray, photo_features: np.ndarray) -> np.ndarray:
    """The content loss of equation (4), as training has it: 0 is the photo itself, less is more of it kept.

    Args:
      features, photo_features: VGG19's conv4_4 of drawings and of their photos, float [N, h, w, C].

    Returns:
      float [N], mean absolute differences.
    """
    return np.abs(features - photo_features).mean((1, 2, 3))
