"""The losses of section 3.2, from logits and features, one value for each example.

Every function takes tensors of [B, ...] and returns float32 [B]; nothing is averaged over the batch or weighted
against another loss here. Two forms of the adversarial loss: "log", equation (3) as the paper prints it, and
"least_squares", with which the authors trained the released models. For cartoons the discriminator's target is
"real", for edge-smoothed cartoons and generated pictures "fake".
"""

from keras import ops


def discriminator_loss(cartoon_logits, smoothed_logits, generated_logits, kind: str, edge_loss_weight: float = 1.0):
    """Edge-promoting adversarial loss of the discriminator (equation 3), to be minimised.

    Args:
      cartoon_logits, smoothed_logits, generated_logits: [B, h, w, 1], D on cartoons, on the same cartoons with
        smoothed edges, and on generated pictures.
      kind: "log" or "least_squares".
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
    """Adversarial loss of the generator: how far D is from taking the generated pictures for cartoons.

    The non-saturating form (maximise log D(G(p))), which has the fixed point of equation (3) and gradients where D
    is sure of itself; the authors' code trains with it too.

    Returns:
      float32 [B].
    """
    return real_loss(generated_logits, kind)


def real_loss(logits, kind: str):
    """-log D(x), or (D(x) - 1)^2: mean over patches, float32 [B]."""
    logits = ops.cast(logits, "float32")
    return _mean_per_example(ops.softplus(-logits) if _is_log(kind) else ops.square(logits - 1.0))


def fake_loss(logits, kind: str):
    """-log(1 - D(x)), or D(x)^2: mean over patches, float32 [B]."""
    logits = ops.cast(logits, "float32")
    return _mean_per_example(ops.softplus(logits) if _is_log(kind) else ops.square(logits))


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
    difference = ops.cast(features, "float32") - ops.cast(photo_features, "float32")
    return _mean_per_example(ops.abs(difference) if _one_of(kind, "l1", "l2") else ops.square(difference))


def _is_log(kind: str) -> bool:
    return _one_of(kind, "log", "least_squares")


def _one_of(kind: str, first: str, second: str) -> bool:
    """Whether `kind` is the first of the two that there are."""
    if kind not in (first, second):
        raise ValueError(f"no loss {kind!r}; there are {first!r} and {second!r}")
    return kind == first


def _mean_per_example(values):
    return ops.mean(values, axis=tuple(range(1, len(values.shape))))
