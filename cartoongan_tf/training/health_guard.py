"""A guard that warns of training that has gone wrong without stopping.

A run may take days with a discriminator that teaches nothing, or a generator that returns the photo. The guard warns
once of each problem, with its figures and the flag to change; it changes nothing itself. Losses that are not finite
stop the run elsewhere. Knows nothing of TensorFlow.

The limits were set on photos, on cartoons, and on cartoons that the authors' generator makes of the photos; see each
constant.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from cartoongan_tf.training.health_measures import (
    between_targets,
    chance_loss,
    checkerboard,
    color_deviation,
    detail_correlation,
    edge_share,
)

# A problem of fewer steps may pass: a fresh discriminator, or a generator that has just learned photos.
PATIENCE_STEPS = 1000
# Steps over which figures are averaged: single batches differ by more than a weak discriminator can distinguish.
_AVERAGED_STEPS = 200

# Share of the loss at chance. Below it the discriminator distinguishes everything, smoothed cartoons too: if it is
# blind to these alone, the share is still 0.75 (least squares, edge weight 1; 0.17 at 0.1).
_SATURATED_SHARE = 0.05
# Difference of mean logits, on a scale with D's target for fakes at 0 and that for cartoons at 1. Measured: 0.03 at
# chance, 0.08 where D begins to learn, 0.17 at work.
_CHANCE_GAP = 0.05

# Correlation of fine detail. Measured over 6 pictures or more: the authors' cartoons 0.46 to 0.64, photos blurred by
# one pixel 0.76 to 0.87, as JPEG of quality 90 above 0.97, with other colours above 0.99.
_PHOTO_CORRELATION = 0.9
# Share of the photos' deviation. Measured, 6 pictures: the authors' cartoons 0.65 to 1.96; a photo blurred by 4 pixels
# 0.9.
_GREY_SHARE = 0.15
# Factor below the fewer, or above the more, of the photos' and the cartoons' edges. Measured, 6 pictures each: photos
# and the authors' cartoons never beyond a factor of 2; photos blurred by two pixels 29 times in 30 beyond 3.
_EDGE_FACTOR = 3.0
_LEAST_EDGE_SHARE = 0.005  # one short line; added to each share, so that pictures without edges can be compared
# Power at the pattern's frequency over its neighbours'. Measured, 6 pictures: photos, cartoons, JPEG and blurred photos
# below 7, the authors' cartoons below 11; photos under a barely visible pattern of 8 levels 46 and more.
_CHECKERBOARD_RATIO = 40.0


# Largest share of dead filters in a layer. Measured: up to 0.8 in light generators that learn, 1 in one that had
# stopped.
_DEAD_SHARE = 0.95


class HealthGuard:
    """A guard of training that reports each problem once."""

    def __init__(
        self,
        adversarial_loss: str,
        edge_loss_weight: float,
        warn: Callable[[str], None],
        patience_steps: int = PATIENCE_STEPS,
    ):
        """
        Args:
          adversarial_loss: "log", "least_squares" or "hinge".
          edge_loss_weight: weight of the smoothed cartoons in the discriminator's loss.
          warn: function that is given each warning, one paragraph.
          patience_steps: number of steps for which a problem must last before it is reported.
        """
        self._adversarial_loss = adversarial_loss
        self._edge_loss_weight = edge_loss_weight
        self._warn = warn
        self._patience_steps = patience_steps
        self._averages = _Averages()
        self._first_steps: dict[str, int] = {}  # of each problem that lasts
        self._reported: set[str] = set()

    def see_losses(self, step: int, values: Mapping[str, float]) -> None:
        """Look at the scalars of a step, or at their means since the last look; every 10 to 50 steps is enough.

        Args:
          step: number of the step in the run.
          values: finite scalars; "discriminator_loss" and D's mean "logits_cartoon", "logits_smoothed" and
            "logits_generated" are used.
        """
        means = self._averages.add(step, values)
        loss = means["discriminator_loss"]
        loss_at_chance = chance_loss(self._adversarial_loss, self._edge_loss_weight)
        is_saturated = loss < _SATURATED_SHARE * loss_at_chance
        self._note("saturated", step, is_saturated, _saturated_text(loss, loss_at_chance))
        # Smoothed cartoons count only if the discriminator is asked to distinguish them.
        names = ("cartoon", "smoothed", "generated") if self._edge_loss_weight else ("cartoon", "generated")
        logits = {name: means[f"logits_{name}"] for name in names}
        places = [between_targets(logit, self._adversarial_loss) for logit in logits.values()]
        is_at_chance = max(places) - min(places) < _CHANCE_GAP
        self._note("chance", step, is_at_chance, _chance_text(logits, loss, loss_at_chance))

    def see_pictures(self, step: int, photos: np.ndarray, generated: np.ndarray, cartoons: np.ndarray) -> None:
        """Look at generated pictures, of the same photos each time; at each checkpoint is enough.

        Args:
          step: number of the step in the run.
          photos, generated: held-out photos and the cartoons made of them, in the same order: uint8 RGB [N, S, S, 3].
          cartoons: cartoons of the style, uint8 RGB [M, S, S, 3]. Six of each are enough; more make the share of edges
            surer.
        """
        deviation = color_deviation(generated) / max(color_deviation(photos), 1e-9)
        is_grey = deviation < _GREY_SHARE
        self._note("grey", step, is_grey, _grey_text(deviation))
        correlation = detail_correlation(photos, generated)
        is_photo = not is_grey and correlation > _PHOTO_CORRELATION
        self._note("photo", step, is_photo, _photo_text(correlation))
        shares = (edge_share(photos), edge_share(generated), edge_share(cartoons))
        has_wrong_edges = not is_grey and _are_edges_far(*shares)
        self._note("edges", step, has_wrong_edges, _edges_text(*shares))
        ratio = checkerboard(generated)
        self._note("checkerboard", step, ratio > _CHECKERBOARD_RATIO, _checkerboard_text(ratio))

    def see_filters(self, step: int, layer: str, dead_share: float) -> None:
        """Look at the layer with the largest share of dead filters, in any phase; at each checkpoint is enough."""
        self._note("dead", step, dead_share > _DEAD_SHARE, _dead_text(layer, dead_share))

    def _note(self, problem: str, step: int, is_present: bool, text: str) -> None:
        """Take note of whether a problem is present; report it once it has been at every look for long enough."""
        if not is_present:
            self._first_steps.pop(problem, None)
            return
        num_steps = step - self._first_steps.setdefault(problem, step)
        if num_steps >= self._patience_steps and problem not in self._reported:
            self._reported.add(problem)
            self._warn(f"Step {step}: for {num_steps} steps now, {text} See docs/training.md.")


class _Averages:
    """Exponential averages of scalars, by the steps between looks."""

    def __init__(self):
        self._means: dict[str, float] = {}
        self._step = 0

    def add(self, step: int, values: Mapping[str, float]) -> dict[str, float]:
        """Add the values of a step; return the averages."""
        share = 1.0 - math.exp(-(step - self._step) / _AVERAGED_STEPS)
        for name, value in values.items():
            before = self._means.get(name, value)
            self._means[name] = before + share * (value - before)
        self._step = step
        return self._means


def _are_edges_far(photo_share: float, generated_share: float, cartoon_share: float) -> bool:
    """Return whether there are far fewer or far more edges than in photos and in cartoons; good results lie between."""
    photos = photo_share + _LEAST_EDGE_SHARE
    generated = generated_share + _LEAST_EDGE_SHARE
    cartoons = cartoon_share + _LEAST_EDGE_SHARE
    return generated * _EDGE_FACTOR < min(photos, cartoons) or generated > _EDGE_FACTOR * max(photos, cartoons)


def _saturated_text(loss: float, loss_at_chance: float) -> str:
    return (
        f"the discriminator has almost never been wrong: its loss is {loss:.3g}, where guessing gives "
        f"{loss_at_chance:.3g}. It is so far ahead that the generator hardly learns from it. Lower "
        "--discriminator_learning_rate, raise --generator_learning_rate, or start a new run with fewer "
        "--discriminator_warmup_steps; of the losses, --adversarial_loss=least_squares is the gentlest."
    )


def _chance_text(logits: Mapping[str, float], loss: float, loss_at_chance: float) -> str:
    means = ", ".join(f"{name} {logit:.2f}" for name, logit in logits.items())
    lower = " and a lower --edge_loss_weight (0.1)" if "smoothed" in logits else ""
    return (
        f"the discriminator has not distinguished anything: its mean logits are {means}, its loss is {loss:.3g}, and "
        f"guessing gives {loss_at_chance:.3g}. The generator learns nothing of the style from it. Start a new run with "
        f"--discriminator=features, or with --discriminator_warmup_steps=500 or more{lower}; or raise "
        "--discriminator_learning_rate or --batch_size. "
        "If the samples look like the cartoons already, all is well."
    )


def _dead_text(layer: str, share: float) -> str:
    return (
        f"{share:.0%} of the filters of the generator's layer {layer} have given 0 on all samples. They learn no "
        "more, and without them a generator can hardly do more than change colours. The steps were too large: start a "
        "new run with --update_clipping=1, or with a third of --initialization_learning_rate (of "
        "--generator_learning_rate if it began later)."
    )


def _grey_text(deviation: float) -> str:
    return (
        f"the generator's pictures have had almost one colour: they vary {deviation:.0%} as much as the photos. It has "
        "lost the photo, or never learned it. Train it longer first (--initialization_epochs; on a short budget "
        "--initialization_loss=pixels), lower --generator_learning_rate, or raise --content_weight."
    )


def _photo_text(correlation: float) -> str:
    return (
        f"the generator has been returning the photo: their fine detail agrees to {correlation:.0%} (cartoons: below "
        "70%). The content loss outweighs the discriminator, or the discriminator has not learned anything yet. Lower "
        "--content_weight (tenfold steps), raise --generator_learning_rate, or strengthen the discriminator "
        "(--discriminator_warmup_steps, --discriminator_learning_rate)."
    )


def _edges_text(photo_share: float, generated_share: float, cartoon_share: float) -> str:
    shares = (
        f"generated pictures have had {generated_share:.1%} of their pixels on edges, the cartoons "
        f"{cartoon_share:.1%}, the photos {photo_share:.1%}."
    )
    if generated_share < cartoon_share:
        return (
            f"{shares} They are blurred. Raise --content_weight, train longer first (--initialization_epochs), or "
            "raise --edge_loss_weight, which asks for the cartoons' clear edges."
        )
    return (
        f"{shares} Noise or invented lines cover them. Lower --generator_learning_rate, raise --content_weight or "
        "--batch_size, or average the weights (--ema_decay=0.999)."
    )


def _checkerboard_text(ratio: float) -> str:
    return (
        "the generated pictures have had a pattern of 2 or 4 pixels (its frequency is "
        f"{ratio:.0f} times as strong as those beside it; ordinary pictures: up to 10). It comes from the generator's "
        "upsampling, and fades as training settles: lower --generator_learning_rate, raise --content_weight, or "
        "average the weights (--ema_decay=0.999)."
    )
