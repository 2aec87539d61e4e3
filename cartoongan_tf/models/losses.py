"""The losses of section 3.2, from logits and features, one value for each example.

Every function takes tensors of [B, ...] and returns float32 [B]; nothing is averaged over the batch or weighted
against another loss here. Three forms of the adversarial loss: "log", equation (3) as the paper prints it,
"least_squares", with which the authors trained the released models, and "hinge" (Lim and Ye, 2017), which neither has.
For cartoons the discriminator's target is "real", for edge-smoothed cartoons and generated pictures "fake".
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops


class _Adversarial(NamedTuple):
    """What D pays for a logit of something real and of something fake, and G for D's logit of what it made."""

    real: Callable[[Any], Any]
    fake: Callable[[Any], Any]
    generator: Callable[[Any], Any]


def _softplus_of_minus(logits):
    return ops.softplus(-logits)


def _squares_to_one(logits):
    return ops.square(logits - 1.0)


_ADVERSARIAL = {
    # G maximises log D(G(p)): the non-saturating form, which has the fixed point of equation (3) and gradients where D
    # is sure of itself; the authors' code trains with it too.
    "log": _Adversarial(_softplus_of_minus, ops.softplus, _softplus_of_minus),
    "least_squares": _Adversarial(_squares_to_one, ops.square, _squares_to_one),
    "hinge": _Adversarial(lambda logits: ops.relu(1.0 - logits), lambda logits: ops.relu(1.0 + logits), ops.negative),
}
_DISTANCE = {"l1": ops.abs, "l2": ops.square}

# BT.601's blue and red differences, of RGB: what is left of a colour when its brightness is taken away.
_CHROMA = ((-0.168736, 0.5), (-0.331264, -0.418688), (0.5, -0.081312))


def discriminator_loss(cartoon_logits, smoothed_logits, generated_logits, kind: str, edge_loss_weight: float = 1.0):
    """Edge-promoting adversarial loss of the discriminator (equation 3), to be minimised.

    Args:
      cartoon_logits, smoothed_logits, generated_logits: [B, h, w, 1], D on cartoons, on the same cartoons with
        smoothed edges, and on generated pictures.
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
    """Adversarial loss of the generator: how far D is from taking the generated pictures for cartoons; float32 [B]."""
    return _mean_per_example(_adversarial(kind).generator(ops.cast(generated_logits, "float32")))


def real_loss(logits, kind: str):
    """-log D(x), (D(x) - 1)^2, or what D(x) lacks to 1: mean over patches, float32 [B]."""
    return _mean_per_example(_adversarial(kind).real(ops.cast(logits, "float32")))


def fake_loss(logits, kind: str):
    """-log(1 - D(x)), D(x)^2, or what D(x) is above -1: mean over patches, float32 [B]."""
    return _mean_per_example(_adversarial(kind).fake(ops.cast(logits, "float32")))


def content_loss(features, photo_features, kind: str):
    """Semantic content loss of equation (4): distance of feature maps, as the mean over their elements.

    The mean makes the weight omega mean the same at every picture size.

    Args:
      features, photo_features: [B, ...] of one shape; VGG19 conv4_4 of G(photo) and of the photo (or the pixels
        themselves, for a cheap initialization).
      kind: "l1", the paper's sparse regularisation, or "l2", mean squares (Figure 9c).

    Returns:
      float32 [B].
    """
    if kind not in _DISTANCE:
        raise ValueError(f"no distance {kind!r}; there are {', '.join(_DISTANCE)}")
    return _mean_per_example(_DISTANCE[kind](ops.cast(features, "float32") - ops.cast(photo_features, "float32")))


def color_loss(generated, photo):
    """How far colours are from the photo's, brightness apart; not in the paper (AnimeGAN has one like it).

    Args:
      generated, photo: RGB [B, H, W, 3] in [-1, 1].

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
