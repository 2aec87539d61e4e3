"""The losses of section 3.2, from logits and features, one value for each example.

Each function takes tensors [B, ...] and returns float32 [B]. Averages over the batch, and weights of one loss against
another, belong to the training steps.

There are three adversarial losses: "log" is equation (3) as the paper prints it; with "least_squares" the authors
trained the released models; "hinge" (Lim and Ye, 2017) is in neither. The discriminator's target is "real" for
cartoons, and "fake" for edge-smoothed cartoons and generated pictures.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops


class _Adversarial(NamedTuple):
    """The losses of a logit: D's for a real picture, D's for a fake one, and G's for a generated picture."""

    real: Callable[[Any], Any]
    fake: Callable[[Any], Any]
    generator: Callable[[Any], Any]


def _softplus_of_minus(logits):
    return ops.softplus(-logits)


def _squares_to_one(logits):
    return ops.square(logits - 1.0)


_ADVERSARIAL = {
    # G maximises log D(G(p)). This non-saturating form has the fixed point of equation (3), and gradients where D is
    # sure of itself. The authors' code has it, too.
    "log": _Adversarial(_softplus_of_minus, ops.softplus, _softplus_of_minus),
    "least_squares": _Adversarial(_squares_to_one, ops.square, _squares_to_one),
    "hinge": _Adversarial(lambda logits: ops.relu(1.0 - logits), lambda logits: ops.relu(1.0 + logits), ops.negative),
}
_DISTANCE = {"l1": ops.abs, "l2": ops.square}

# BT.601's blue and red differences of an RGB colour: they do not depend on its brightness.
_CHROMA = ((-0.168736, 0.5), (-0.331264, -0.418688), (0.5, -0.081312))


def discriminator_loss(cartoon_logits, smoothed_logits, generated_logits, kind: str, edge_loss_weight: float = 1.0):
    """Compute the edge-promoting adversarial loss of the discriminator (equation 3), to be minimised.

    Args:
      cartoon_logits: D's logits for cartoons, [B, h, w, K].
      smoothed_logits: D's logits for the same cartoons with smoothed edges, [B, h, w, K].
      generated_logits: D's logits for generated pictures, [B, h, w, K].
      kind: "log", "least_squares" or "hinge".
      edge_loss_weight: weight of the smoothed term; 1 is the paper's, 0 removes it (Figure 9d).

    Returns:
      float32 [B].
    """
    return (
        real_loss(cartoon_logits, kind)
        + edge_loss_weight * fake_loss(smoothed_logits, kind)
        + fake_loss(generated_logits, kind)
    )


def generator_loss(generated_logits, kind: str):
    """Compute the adversarial loss of the generator from D's logits for generated pictures; float32 [B]."""
    return _mean_per_example(_adversarial(kind).generator(ops.cast(generated_logits, "float32")))


def real_loss(logits, kind: str):
    """Compute -log D(x), (D(x) - 1)^2 or max(0, 1 - D(x)), by kind: mean over patches, float32 [B]."""
    return _mean_per_example(_adversarial(kind).real(ops.cast(logits, "float32")))


def fake_loss(logits, kind: str):
    """Compute -log(1 - D(x)), D(x)^2 or max(0, 1 + D(x)), by kind: mean over patches, float32 [B]."""
    return _mean_per_example(_adversarial(kind).fake(ops.cast(logits, "float32")))


def content_loss(features, photo_features, kind: str, place_weights=None):
    """Compute the semantic content loss of equation (4): the distance of feature maps, as the mean over elements.

    Thanks to the mean, a weight omega has the same effect at every picture size.

    Args:
      features: VGG19 conv4_4 of G(photo), or its pixels for a cheap initialization: [B, ...].
      photo_features: the same of the photo, of the same shape.
      kind: "l1", the paper's sparse regularisation, or "l2", mean squares (Figure 9c).
      place_weights: weight of each place, [B, h, w, 1] for features of that size; None: all are 1. The mean is not
        divided by them, so a place of weight 1 counts the same whatever the others have.

    Returns:
      float32 [B].
    """
    if kind not in _DISTANCE:
        raise ValueError(f"no distance {kind!r}; there are {', '.join(_DISTANCE)}")
    distance = _DISTANCE[kind](ops.cast(features, "float32") - ops.cast(photo_features, "float32"))
    return _mean_per_example(distance if place_weights is None else place_weights * distance)


def gradient_loss(generated, drawing, place_weights=None):
    """Compute the difference of edges from a drawing's: a blurred line costs more here than by its pixels.

    Not in the paper.

    Args:
      generated: generated pictures, RGB [B, H, W, 3] in [-1, 1].
      drawing: drawings of the same photos, of the same shape.
      place_weights: weight of each pixel, [B, H, W, 1], as for `content_loss`; a step has the mean of its two pixels'.

    Returns:
      float32 [B], the mean absolute difference between the steps to the right neighbours, plus that between the steps
      to the lower neighbours.
    """
    difference = ops.cast(generated, "float32") - ops.cast(drawing, "float32")
    to_the_right = ops.abs(difference[:, :, 1:] - difference[:, :, :-1])
    downwards = ops.abs(difference[:, 1:] - difference[:, :-1])
    if place_weights is not None:
        to_the_right *= (place_weights[:, :, 1:] + place_weights[:, :, :-1]) / 2
        downwards *= (place_weights[:, 1:] + place_weights[:, :-1]) / 2
    return _mean_per_example(to_the_right) + _mean_per_example(downwards)


def color_loss(generated, photo):
    """Compute the difference of colours from the photo's, brightness apart. Not in the paper; AnimeGAN has one like it.

    Args:
      generated: generated pictures, RGB [B, H, W, 3] in [-1, 1].
      photo: their photos, of the same shape.

    Returns:
      float32 [B], the mean absolute difference of the chroma (BT.601's Cb and Cr, in [-1, 1]).
    """
    difference = ops.cast(generated, "float32") - ops.cast(photo, "float32")
    return _mean_per_example(ops.abs(ops.matmul(difference, ops.convert_to_tensor(_CHROMA, "float32"))))


def _adversarial(kind: str) -> _Adversarial:
    if kind not in _ADVERSARIAL:
        raise ValueError(f"no adversarial loss {kind!r}; there are {', '.join(_ADVERSARIAL)}")
    return _ADVERSARIAL[kind]


def _mean_per_example(values):
    return ops.mean(values, axis=tuple(range(1, len(values.shape))))
