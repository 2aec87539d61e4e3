import cv2
import numpy as np
import pytest
from keras import ops

from cartoongan_tf.models import losses
from cartoongan_tf.training import health_guard, health_measures
from tests.helpers import draw

WORDS = {  # words of the warning, by the problem
    "saturated": "never been wrong",
    "chance": "not distinguished anything",
    "grey": "almost one colour",
    "photo": "returning the photo",
    "edges": "pixels on edges",
    "checkerboard": "a pattern of 2 or 4 pixels",
}
PHOTOS = np.stack([draw(seed, 128, 128) for seed in range(6)])
CARTOONS = np.stack([draw(100 + seed, 128, 128) for seed in range(6)])


def _problems(warnings):
    """Return the problem of each warning."""
    problems = []
    for text in warnings:
        (problem,) = (problem for problem, words in WORDS.items() if words in text)
        problems.append(problem)
    return problems


def _watch_losses(logits, loss, num_steps, kind="least_squares", edge_loss_weight=1.0, noise=0.0, every=10):
    """Return the warnings about mean logits for cartoons, smoothed cartoons and generated pictures."""
    warnings = []
    rng = np.random.default_rng(0)
    guard = health_guard.HealthGuard(kind, edge_loss_weight, warnings.append)
    for step in range(every, num_steps + 1, every):
        values = dict(zip(("logits_cartoon", "logits_smoothed", "logits_generated"), logits, strict=True))
        values = {name: value + noise * rng.normal() for name, value in values.items()}
        guard.see_losses(step, values | {"discriminator_loss": loss, "generator_loss": 1.0, "content_loss": 3.0})
    return warnings


def _watch_pictures(generated, photos=PHOTOS, cartoons=CARTOONS, steps=(500, 1000, 1500, 2000)):
    warnings = []
    guard = health_guard.HealthGuard("least_squares", 1.0, warnings.append)
    for step in steps:
        guard.see_pictures(step, photos, generated, cartoons)
    return warnings


@pytest.mark.parametrize("kind", ["log", "least_squares", "hinge"])
def test_the_loss_at_chance_is_the_least_one_of_equal_logits(kind):
    logits = np.linspace(-4, 4, 8001, dtype=np.float32).reshape(-1, 1, 1, 1)
    for edge_loss_weight in (0.0, 0.1, 1.0, 3.0):
        all_losses = ops.convert_to_numpy(losses.discriminator_loss(logits, logits, logits, kind, edge_loss_weight))
        at_chance = health_measures.chance_loss(kind, edge_loss_weight)
        assert at_chance == pytest.approx(all_losses.min(), abs=1e-5), edge_loss_weight


def test_measured_figures_of_chance_are_told_from_those_of_one_at_work():
    """Of a CPU trial (docs/training.md), with single batches as noisy as small ones are."""
    assert _problems(_watch_losses((0.35, 0.35, 0.32), 0.67, 3000, noise=0.05)) == ["chance"]
    assert not _watch_losses((0.59, 0.59, 0.42), 0.55, 3000, noise=0.05)


def test_what_lasts_for_less_than_the_patience_is_not_reported():
    assert not _watch_losses((0.35, 0.35, 0.32), 0.67, 1000)
    warnings = _watch_losses((0.35, 0.35, 0.32), 0.67, 5000)
    assert len(warnings) == 1 and warnings[0].startswith("Step 1010: for 1000 steps now, ")


@pytest.mark.parametrize(
    "kind, at_chance, at_work",
    [("log", (-0.7, -0.7, -0.8), (0.9, 0.6, -2.0)), ("hinge", (-0.98, -0.98, -1.02), (0.4, 0.3, -0.2))],
)
def test_each_adversarial_loss_has_its_own_scale(kind, at_chance, at_work):
    loss = 0.9 * health_measures.chance_loss(kind, 1.0)
    assert _problems(_watch_losses(at_chance, loss, 2000, kind)) == ["chance"]
    assert not _watch_losses(at_work, loss, 2000, kind)


def test_smoothed_cartoons_count_only_where_they_are_weighted():
    logits = (0.50, 0.20, 0.49)
    assert _problems(_watch_losses(logits, 0.5, 2000, edge_loss_weight=0.0)) == ["chance"]
    assert not _watch_losses(logits, 0.5, 2000, edge_loss_weight=0.1)


@pytest.mark.parametrize("kind, logits", [("least_squares", (1, 0, 0)), ("log", (6, -6, -6)), ("hinge", (2, -2, -2))])
def test_a_discriminator_that_is_never_wrong_is_saturated(kind, logits):
    assert _problems(_watch_losses(logits, 0.01, 2000, kind)) == ["saturated"]
    assert not _watch_losses(logits, 0.3, 2000, kind)


def test_a_single_batch_starts_nothing_and_ends_nothing():
    warnings = []
    guard = health_guard.HealthGuard("least_squares", 1.0, warnings.append, patience_steps=100)
    logits = {"logits_cartoon": 0.9, "logits_smoothed": 0.5, "logits_generated": 0.1}
    for step in range(10, 3000, 10):
        guard.see_losses(step, logits | {"discriminator_loss": 0.0 if step % 200 == 0 else 0.4})
    assert not warnings
    for step in range(3000, 6000, 10):
        guard.see_losses(step, logits | {"discriminator_loss": 0.4 if step % 2000 == 0 else 0.001})
    assert _problems(warnings) == ["saturated"]


def test_every_warning_names_figures_flags_and_where_to_read_on():
    warnings = _watch_losses((0.35, 0.35, 0.32), 0.67, 2000)
    assert "cartoon 0.35, smoothed 0.35, generated 0.32" in warnings[0] and "0.667" in warnings[0]
    assert "--discriminator_warmup_steps" in warnings[0] and warnings[0].endswith("docs/training.md.")


def test_drawings_of_the_photos_are_fine():
    """Outlines moved and surfaces repainted: edges as the cartoons have, but other detail than the photos'."""
    drawn = np.stack([cv2.GaussianBlur(np.roll(each, 5, (0, 1)), (3, 3), 0) for each in PHOTOS])
    assert not _watch_pictures(drawn)


def _recolour(pictures):
    return np.clip(pictures * np.array([0.8, 0.9, 0.6]) + np.array([30, 10, 20]), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("change", [np.copy, _recolour])
def test_the_photo_given_back_is_seen_in_other_colours_too(change):
    assert _problems(_watch_pictures(change(PHOTOS))) == ["photo"]


def test_one_colour_is_said_as_such_alone():
    assert _problems(_watch_pictures(np.full_like(PHOTOS, 120))) == ["grey"]
    faint = np.random.default_rng(0).normal(120, 3, PHOTOS.shape).astype(np.uint8)
    assert _problems(_watch_pictures(faint)) == ["grey"]


def test_too_few_and_too_many_edges():
    blurred = np.stack([cv2.GaussianBlur(each, (0, 0), 6) for each in PHOTOS])
    (few,) = _watch_pictures(blurred)
    assert _problems([few]) == ["edges"] and "They are blurred" in few
    noise = np.random.default_rng(0).normal(0, 60, PHOTOS.shape)
    (many,) = _watch_pictures(np.clip(blurred + noise, 0, 255).astype(np.uint8))
    assert _problems([many]) == ["edges"] and "Noise" in many


def test_pictures_without_any_edges_can_be_compared():
    ramp = np.broadcast_to(np.arange(128, dtype=np.uint8)[:, None, None], PHOTOS.shape).copy()
    assert health_measures.edge_share(ramp) == 0.0
    assert not _watch_pictures(ramp[:, ::-1].copy(), ramp, ramp)


@pytest.mark.parametrize("period", [2, 4])
def test_a_pattern_on_the_pixel_grid_is_a_checkerboard(period):
    drawn = np.roll(PHOTOS, 5, (1, 2))
    y, x = np.mgrid[0:128, 0:128]
    pattern = np.where((y + x) % period < period // 2, 8, -8)[..., None]
    checked = np.clip(drawn.astype(int) + pattern, 0, 255).astype(np.uint8)
    assert "checkerboard" in _problems(_watch_pictures(checked))
    assert health_measures.checkerboard(drawn) < 20


def test_small_pictures_can_be_looked_at():
    assert health_measures.checkerboard(PHOTOS[:, :32, :32]) == 0.0
    small = PHOTOS[:, :32, :32]
    assert _problems(_watch_pictures(small, small, CARTOONS[:, :32, :32])) == ["photo"]


def test_what_begins_anew_has_to_last_anew():
    warnings = []
    guard = health_guard.HealthGuard("least_squares", 1.0, warnings.append)
    drawn = np.roll(PHOTOS, 5, (1, 2))
    for step, generated in ((0, PHOTOS), (900, PHOTOS), (1000, drawn), (1100, PHOTOS), (2000, PHOTOS)):
        guard.see_pictures(step, PHOTOS, generated, CARTOONS)
    assert not warnings
    guard.see_pictures(2100, PHOTOS, PHOTOS, CARTOONS)
    assert _problems(warnings) == ["photo"]


def test_dead_filters_are_told_from_those_that_learn():
    warnings = []
    guard = health_guard.HealthGuard("least_squares", 1.0, warnings.append)
    for step in range(0, 3000, 500):
        guard.see_filters(step, "up1_relu", 0.8)
    assert not warnings
    for step in range(3000, 6000, 500):
        guard.see_filters(step, "up2_relu", 1.0)
    (warning,) = warnings
    assert "up2_relu" in warning and "100%" in warning and "--initialization_learning_rate" in warning


def _tiles(path, size, side_px=96):
    picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if size else picture
    places = [
        (y, x) for y in range(0, picture.shape[0] - 95, side_px) for x in range(0, picture.shape[1] - 95, side_px)
    ]
    return [picture[y : y + side_px, x : x + side_px] for y, x in places], picture.shape[1::-1]


def test_the_authors_own_drawings_are_fine(assets):
    photos, drawn = [], []
    for name in ("in1", "in2"):
        drawing_tiles, size = _tiles(assets / "authors" / "pairs" / f"{name}_hayao.png", None)
        photos += _tiles(assets / "authors" / "pairs" / f"{name}.png", size)[0]
        drawn += drawing_tiles
    panels = sorted((assets / "cartoons" / "peppercarrot").glob("*.jpg"))[:12]
    cartoons = [_tiles(path, (256, 256))[0][0] for path in panels]
    assert len(photos) == len(drawn) >= 12
    assert not _watch_pictures(np.stack(drawn), np.stack(photos), np.stack(cartoons))
    assert _problems(_watch_pictures(np.stack(photos), np.stack(photos), np.stack(cartoons))) == ["photo"]
