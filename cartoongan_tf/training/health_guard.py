"""What goes wrong in adversarial training without stopping it, told from figures and pictures that are there anyway.

A run may go on for days with a discriminator that teaches nothing, or a generator that gives the photo back. The
guard says so once, with what it saw and which flag to turn; it changes nothing. Losses that are not finite stop the
run elsewhere. Knows nothing of TensorFlow.

The limits were set on photos, on cartoons and on what the authors' generator makes of the photos; see each constant.
"""

import math
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from cartoongan_tf.media.image_measures import edge_density

# What is wrong for fewer steps may be passing: a fresh discriminator, or a generator that has just learned photos.
PATIENCE_STEPS = 1000
# Single batches differ by more than a weak discriminator tells apart: figures are averaged over about so many steps.
_MEMORY_STEPS = 200

# Of the loss at chance. Below it everything is told apart, smoothed cartoons too: one that is blind to these, and knows
# all others, still has 0.75 of it (least squares, edge weight 1; 0.17 at 0.1).
_SATURATED_SHARE = 0.05
# Where 0 is D's target for fakes and 1 that for cartoons. Measured: 0.03 at chance, 0.08 where it begins to learn,
# 0.17 at work.
_CHANCE_GAP = 0.05

# Correlation of fine detail. Measured over 6 pictures or more: the authors' drawings 0.46 to 0.64, photos blurred by
# one pixel 0.76 to 0.87, as JPEG of quality 90 above 0.97, with other colours above 0.99.
_PHOTO_CORRELATION = 0.9
_DETAIL_SIGMA_PX = 2.0
# Of the photos' deviation. Measured, 6 pictures: the authors' drawings 0.65 to 1.96; a photo blurred by 4 pixels 0.9.
_GREY_SHARE = 0.15
# Below the fewer and above the more of photos' and cartoons' edges. Measured, 6 pictures each: photos and the authors'
# drawings never beyond a factor of 2; photos blurred by two pixels 29 times in 30 beyond 3.
_EDGE_FACTOR = 3.0
_LEAST_EDGE_SHARE = 0.005  # one short line; added to each share, so that pictures without edges can be compared
# Power at the pattern's frequency over its neighbours'. Measured, 6 pictures: photos, cartoons, JPEG and blurred photos
# below 7, the authors' drawings below 11; photos under a pattern of 8 levels, which the eye just sees, 46 and more.
_CHECKERBOARD_RATIO = 40.0
_TILE_PX = 64

_READ_ON = "Read on in docs/training.md."


class HealthGuard:
    """Watches adversarial training; says each thing that it finds once."""

    def __init__(
        self,
        adversarial_loss: str,
        edge_loss_weight: float,
        say: Callable[[str], None],
        patience_steps: int = PATIENCE_STEPS,
    ):
        """
        Args:
          adversarial_loss: "log", "least_squares" or "hinge".
          edge_loss_weight: of the smoothed cartoons in the discriminator's loss.
          say: is given each warning, one paragraph.
          patience_steps: for how long something has to be so before it is said.
        """
        self._kind, self._edge_loss_weight = adversarial_loss, edge_loss_weight
        self._say, self._patience_steps = say, patience_steps
        self._chance_loss = chance_loss(adversarial_loss, edge_loss_weight)
        self._averages = _Averages()
        self._began: dict[str, int] = {}
        self._said: set[str] = set()

    def see_losses(self, step: int, values: Mapping[str, float]) -> None:
        """Look at the scalars of a step, or at their means since the last look; every 10 to 50 steps is enough.

        Args:
          step: of the run.
          values: finite; has "discriminator_loss" and D's mean "logits_cartoon", "logits_smoothed" and
            "logits_generated". Others are passed over.
        """
        means = self._averages.add(step, values)
        loss = means["discriminator_loss"]
        if self._lasts("saturated", step, loss < _SATURATED_SHARE * self._chance_loss):
            self._warn("saturated", step, _saturated_text(loss, self._chance_loss))
        # Smoothed cartoons count only where the discriminator is asked to tell them apart.
        names = ("cartoon", "smoothed", "generated") if self._edge_loss_weight else ("cartoon", "generated")
        logits = {name: means[f"logits_{name}"] for name in names}
        targets = [_between_targets(logit, self._kind) for logit in logits.values()]
        if self._lasts("chance", step, max(targets) - min(targets) < _CHANCE_GAP):
            self._warn("chance", step, _chance_text(logits, loss, self._chance_loss))

    def see_pictures(self, step: int, photos: np.ndarray, generated: np.ndarray, cartoons: np.ndarray) -> None:
        """Look at what the generator makes of some photos; at each checkpoint, the same photos each time.

        Args:
          step: of the run.
          photos, generated: held-out photos and what becomes of them, in the same order: uint8 RGB [N, S, S, 3].
          cartoons: of the style, uint8 RGB [M, S, S, 3]. Six of each will do, more make the edges' share surer.
        """
        spread = _spread(generated) / max(_spread(photos), 1e-9)
        is_grey = spread < _GREY_SHARE
        if self._lasts("grey", step, is_grey):
            self._warn("grey", step, _grey_text(spread))
        correlation = detail_correlation(photos, generated)
        if self._lasts("photo", step, not is_grey and correlation > _PHOTO_CORRELATION):
            self._warn("photo", step, _photo_text(correlation))
        shares = [edge_share(pictures) for pictures in (photos, generated, cartoons)]
        if self._lasts("edges", step, not is_grey and _edges_are_far(*shares)):
            self._warn("edges", step, _edges_text(*shares))
        ratio = checkerboard(generated)
        if self._lasts("checkerboard", step, ratio > _CHECKERBOARD_RATIO):
            self._warn("checkerboard", step, _checkerboard_text(ratio))

    def _lasts(self, name: str, step: int, is_so: bool) -> bool:
        """Whether it is so, and has been at every look for the steps of patience."""
        if not is_so:
            self._began.pop(name, None)
            return False
        return step - self._began.setdefault(name, step) >= self._patience_steps

    def _warn(self, name: str, step: int, text: str) -> None:
        if name not in self._said:
            self._said.add(name)
            self._say(f"Step {step}: for {step - self._began[name]} steps now, {text} {_READ_ON}")


class _Averages:
    """Exponential averages, by the steps between looks."""

    def __init__(self):
        self._means: dict[str, float] = {}
        self._step = 0

    def add(self, step: int, values: Mapping[str, float]) -> dict[str, float]:
        share = 1.0 - math.exp(-(step - self._step) / _MEMORY_STEPS)
        for name, value in values.items():
            before = self._means.get(name, value)
            self._means[name] = before + share * (value - before)
        self._step = step
        return self._means


def chance_loss(kind: str, edge_loss_weight: float) -> float:
    """The least discriminator's loss of a logit that is the same for all pictures.

    With w the weight of the smoothed cartoons it is, where real(x) + (1 + w) fake(x) is least: "log" at
    sigmoid(x) = 1 / (2 + w), "least_squares" at x = 1 / (2 + w), "hinge" at x = -1.
    """
    num_fake = 1.0 + edge_loss_weight
    num = 1.0 + num_fake
    return {
        "log": math.log(num) + num_fake * math.log(num / num_fake),
        "least_squares": num_fake / num,
        "hinge": 2.0,
    }[kind]


def _between_targets(logit: float, kind: str) -> float:
    """A logit on the scale on which D's target for fakes is 0, and that for cartoons 1."""
    if kind == "log":
        return (1.0 + math.tanh(logit / 2.0)) / 2.0  # the sigmoid, which does not overflow
    return (logit + 1.0) / 2.0 if kind == "hinge" else logit


def detail_correlation(photos: np.ndarray, generated: np.ndarray) -> float:
    """How alike the fine detail of pictures is, whatever their colours and contrast: uint8 RGB [N, S, S, 3] each.

    Returns:
      the correlation of all that a blur of 2 pixels takes away; 1: the same, 0: nothing in common, or no detail.
    """
    of_photos, of_generated = (np.stack([_detail(each) for each in pictures]) for pictures in (photos, generated))
    power = math.sqrt(np.sum(of_photos**2, dtype=np.float64) * np.sum(of_generated**2, dtype=np.float64))
    return float(np.sum(of_photos * of_generated, dtype=np.float64)) / power if power else 0.0


def _detail(picture: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return grey - cv2.GaussianBlur(grey, (0, 0), _DETAIL_SIGMA_PX)


def edge_share(pictures: np.ndarray) -> float:
    """The share of pixels that Canny finds on an edge, 0 to 1, of uint8 RGB [N, S, S, 3]."""
    return float(np.mean([edge_density(picture) for picture in pictures]))


def _edges_are_far(of_photos: float, of_generated: float, of_cartoons: float) -> bool:
    """Whether there are far fewer or far more edges than in both photos and cartoons: drawings lie in between."""
    photos, generated, cartoons = (share + _LEAST_EDGE_SHARE for share in (of_photos, of_generated, of_cartoons))
    return generated * _EDGE_FACTOR < min(photos, cartoons) or generated > _EDGE_FACTOR * max(photos, cartoons)


def _spread(pictures: np.ndarray) -> float:
    """How far pixels are from their picture's mean colour, in levels (root mean square)."""
    return math.sqrt(np.mean(np.var(pictures.astype(np.float32), axis=(1, 2))))


def checkerboard(pictures: np.ndarray) -> float:
    """How much stronger a pattern of 2 or 4 pixels is than others of nearly that size.

    Such patterns come of upsampling and lie on the pixel grid: in the spectrum all their power is at half or a quarter
    of the sampling frequency, where pictures have no more than beside it.

    Args:
      pictures: uint8 RGB [N, S, S, 3].

    Returns:
      the largest ratio of the power at one of these frequencies to the mean of its neighbours; 0 for pictures too
      small to tell.
    """
    if min(pictures.shape[1:3]) < _TILE_PX:
        return 0.0
    power = _power_spectrum(pictures)
    period = _TILE_PX // 4
    places = [(y * period, x * period) for y in range(3) for x in range(4) if (y, x) != (0, 0)]
    return max(_peak(power, *place) for place in places)


def _power_spectrum(pictures: np.ndarray) -> np.ndarray:
    """Mean over overlapping tiles, in which a pattern that changes over the picture is still one: [64, 64]."""
    window = np.outer(np.hanning(_TILE_PX + 1)[:-1], np.hanning(_TILE_PX + 1)[:-1])
    spectra = []
    for picture in pictures:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        tiles = np.lib.stride_tricks.sliding_window_view(grey, (_TILE_PX, _TILE_PX))[:: _TILE_PX // 2, :: _TILE_PX // 2]
        tiles = tiles - tiles.mean(axis=(-2, -1), keepdims=True)
        spectra.append(np.mean(np.abs(np.fft.fft2(tiles * window)) ** 2, axis=(0, 1)))
    return np.mean(spectra, axis=0)


def _peak(power: np.ndarray, row: int, column: int) -> float:
    """The power around a place over the mean of a ring around that, or along the axis on which the place lies.

    Upright edges make the axes of the spectrum stronger than what is beside them.
    """
    near, far = 1, 5  # the window spreads a frequency over its neighbours
    around = np.roll(power, (far - row, far - column), (0, 1))[: 2 * far + 1, : 2 * far + 1]
    rows = slice(far, far + 1) if row == 0 else slice(None)
    columns = slice(far, far + 1) if column == 0 else slice(None)
    distance = np.abs(np.mgrid[-far : far + 1, -far : far + 1]).max(axis=0)
    ring = around[rows, columns][distance[rows, columns] > near + 1]
    return float(around[distance <= near].max() / (ring.mean() + 1e-9))


def _saturated_text(loss: float, at_chance: float) -> str:
    return (
        f"the discriminator has been almost never wrong: its loss is {loss:.3g}, where guessing gives {at_chance:.3g}. "
        "It is so far ahead that the generator hardly learns from it. Lower --discriminator_learning_rate, raise "
        "--generator_learning_rate, or begin anew with fewer --discriminator_warmup_steps; of the losses, "
        "--adversarial_loss=least_squares is the gentlest."
    )


def _chance_text(logits: Mapping[str, float], loss: float, at_chance: float) -> str:
    found = ", ".join(f"{name} {logit:.2f}" for name, logit in logits.items())
    lower = " and a lower --edge_loss_weight (0.1)" if "smoothed" in logits else ""
    return (
        f"the discriminator has told nothing apart: its mean logits are {found}, its loss is {loss:.3g}, and guessing "
        f"gives {at_chance:.3g}. The generator learns nothing of the style from it. Begin with "
        f"--discriminator_warmup_steps=500 or more{lower} in a new run, or raise --discriminator_learning_rate or "
        "--batch_size. Only where the samples look like the cartoons already is all well."
    )


def _grey_text(spread: float) -> str:
    return (
        f"the generator has been drawing almost one colour: its pictures vary {spread:.0%} as much as the photos. It "
        "has lost the photo, or never learned it. Train it longer first (--initialization_epochs; on a short budget "
        "--initialization_loss=pixels), lower --generator_learning_rate, or raise --content_weight."
    )


def _photo_text(correlation: float) -> str:
    return (
        f"the generator has been returning the photo: their fine detail agrees to {correlation:.0%} (drawings: below "
        "70%). The content loss outweighs the discriminator, or that has nothing to say yet. Lower --content_weight "
        "(tenfold steps), raise --generator_learning_rate, or strengthen the discriminator "
        "(--discriminator_warmup_steps, --discriminator_learning_rate)."
    )


def _edges_text(of_photos: float, of_generated: float, of_cartoons: float) -> str:
    seen = (
        f"generated pictures have had {of_generated:.1%} of their pixels on edges, the cartoons {of_cartoons:.1%}, the "
        f"photos {of_photos:.1%}."
    )
    if of_generated < of_cartoons:
        return (
            f"{seen} They are blurred. Raise --content_weight, train longer first (--initialization_epochs), or raise "
            "--edge_loss_weight, which asks for the cartoons' clear edges."
        )
    return (
        f"{seen} Noise or invented lines cover them. Lower --generator_learning_rate, raise --content_weight or "
        "--batch_size, or average the weights (--ema_decay=0.999)."
    )


def _checkerboard_text(ratio: float) -> str:
    return (
        "a pattern of 2 or 4 pixels has lain over the generated pictures (its frequency is "
        f"{ratio:.0f} times as strong as those beside it; ordinary pictures: up to 10). It comes of the generator's "
        "upsampling, and fades as training settles: lower --generator_learning_rate, raise --content_weight, or "
        "average the weights (--ema_decay=0.999)."
    )
