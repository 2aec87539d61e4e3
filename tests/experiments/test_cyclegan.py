import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.models import pixels
from cartoongan_tf.training import loop, step_graph
from cartoongan_tf.training.cadence import Cadence
from cartoongan_tf.training.checkpoints import RunCheckpoints
from cartoongan_tf.training.feeds import Feeds
from cartoongan_tf.training.image_pool import Shown
from experiments.baselines import cyclegan
from experiments.baselines.cyclegan import cyclegan_losses, cyclegan_step
from experiments.baselines.cyclegan_config import CycleGANConfig
from experiments.baselines.cyclegan_networks import build_cyclegan

IMAGE_SIZE = 32
NUM_STEPS = 30
pytestmark = pytest.mark.usefixtures("small_cyclegan")


def _config(**changes):
    values = {
        "generator_width": 4,
        "generator_num_blocks": 1,
        "discriminator_width": 4,
        "batch_size": 4,
        "pool_size": 0,
        "learning_rate": 2e-3,
    }
    return CycleGANConfig(**(values | changes))


def _batch():
    """Photos of bluish noise, cartoons of reddish noise."""
    rng = np.random.default_rng(0)
    dark = rng.integers(0, 128, (4, IMAGE_SIZE, IMAGE_SIZE, 1))
    light = rng.integers(128, 256, (4, IMAGE_SIZE, IMAGE_SIZE, 1))
    photo = np.concatenate([dark, dark, light], -1)
    cartoon = np.concatenate([light, dark, dark], -1)
    return {"photo": tf.constant(photo, tf.uint8), "cartoon": tf.constant(cartoon, tf.uint8)}


def _batches():
    return tf.data.Dataset.from_tensors(_batch()).repeat()


def _fresh(config):
    keras.utils.set_random_seed(0)
    return build_cyclegan(config, 10, IMAGE_SIZE)


def _run(config, num_steps, strategy=None, build=_fresh):
    """A few steps on one batch; returns the scalars of each step and the networks."""
    strategy = strategy or tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        networks = build(config)
    batches = iter(strategy.experimental_distribute_dataset(_batches()))
    run = step_graph.several_steps(lambda batch: cyclegan_step(networks, batch, config), batches, strategy)
    scalars = run(num_steps)
    return [{name: float(values[i]) for name, values in scalars.items()} for i in range(num_steps)], networks


def _expected_terms(networks):
    """Each term as the mean over the batch, from the networks one by one, and each objective by its definition."""
    photo, cartoon = (pixels.to_float(images) for images in _batch().values())
    to_cartoon, to_photo = networks.generators
    of_cartoons, of_photos = networks.discriminators

    def difference(pictures, wanted):
        return tf.reduce_mean(tf.abs(pictures - wanted))

    def squared(logits, target):
        return tf.reduce_mean(tf.square(logits - target))

    generated_cartoon, generated_photo = to_cartoon(photo), to_photo(cartoon)
    terms = {
        "generator_loss": squared(of_cartoons(generated_cartoon), 1) + squared(of_photos(generated_photo), 1),
        "cycle_loss": difference(to_photo(generated_cartoon), photo) + difference(to_cartoon(generated_photo), cartoon),
        "identity_loss": difference(to_cartoon(cartoon), cartoon) + difference(to_photo(photo), photo),
        "discriminator_loss": (squared(of_cartoons(cartoon), 1) + squared(of_cartoons(generated_cartoon), 0)) / 2
        + (squared(of_photos(photo), 1) + squared(of_photos(generated_photo), 0)) / 2,
        "logits_cartoon": tf.reduce_mean(of_cartoons(cartoon)),
        "logits_generated": tf.reduce_mean(of_cartoons(generated_cartoon)),
        "logits_photo": tf.reduce_mean(of_photos(photo)),
        "logits_generated_photo": tf.reduce_mean(of_photos(generated_photo)),
    }
    generators = terms["generator_loss"] + 10 * terms["cycle_loss"] + 5 * terms["identity_loss"]
    return terms, {"generators": generators, "discriminators": terms["discriminator_loss"]}


@pytest.fixture(scope="module")
def trained():
    """With identity loss, and pools with room for one batch: its scalars, and its networks after."""
    return _run(_config(pool_size=4, learning_rate=4e-3), NUM_STEPS)


def test_a_step_reports_what_was_before_its_update(trained):
    networks = _fresh(_config())
    with tf.GradientTape(persistent=True) as tape:
        expected, objectives = _expected_terms(networks)
    for name, objective in objectives.items():
        gradients = tape.gradient(objective, getattr(networks, name).trainable_variables)
        assert None not in gradients
        expected[f"{name}_gradient_norm"] = tf.linalg.global_norm(gradients)
    scalars = trained[0][0]
    assert set(scalars) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(scalars[name], value, rtol=1e-3, atol=1e-6, err_msg=name)


def test_without_identity_loss_there_is_none():
    config = _config(identity_weight=0.0)
    expected, _ = _expected_terms(_fresh(config))
    objective = expected["generator_loss"] + 10 * expected["cycle_loss"]
    forward = cyclegan_losses(_fresh(config), _batch(), config)
    np.testing.assert_allclose(forward.objectives["generators"], objective, rtol=1e-4)
    assert "identity_loss" not in forward.scalars


def test_a_picture_comes_back_from_its_round_and_a_cartoon_stays_as_it_is(trained):
    scalars, networks = trained
    for name in ("cycle_loss", "identity_loss"):
        assert scalars[-1][name] < 0.6 * scalars[0][name], name
    cartoon = pixels.to_float(_batch()["cartoon"])
    before = np.abs(_fresh(_config()).generators.cartoon(cartoon) - cartoon).mean()
    after = np.abs(networks.generators.cartoon(cartoon) - cartoon).mean()
    assert after < 0.6 * before


@pytest.mark.slow
def test_without_identity_loss_a_cartoon_is_changed_more():
    cartoon = pixels.to_float(_batch()["cartoon"])
    num_steps = 2 * NUM_STEPS
    _, with_identity = _run(_config(pool_size=4), num_steps)
    scalars, without = _run(_config(identity_weight=0.0), num_steps)
    assert scalars[-1]["cycle_loss"] < 0.6 * scalars[0]["cycle_loss"]
    with_identity_change = np.abs(with_identity.generators.cartoon(cartoon) - cartoon).mean()
    without_identity_change = np.abs(without.generators.cartoon(cartoon) - cartoon).mean()
    assert with_identity_change < 0.9 * without_identity_change


def test_pools_are_filled(trained):
    """With pictures like those that are drawn now, but older."""
    _, networks = trained
    drawn = cyclegan_losses(networks, _batch(), _config()).generated
    for pool, generated in zip((networks.cartoon_pool, networks.photo_pool), tf.split(drawn, 2), strict=True):
        distances = np.abs(pool.pictures.numpy()[:, None] - generated.numpy()).mean((2, 3, 4)).min(1)
        assert distances.min() > 0 and distances.max() < 0.5


def test_what_the_pools_show_is_for_the_discriminators_alone():
    networks, batch, config = _fresh(_config()), _batch(), _config()
    plain = cyclegan_losses(networks, batch, config)
    instead = tf.constant([True, False, True, False])[:, None, None, None]
    shown = cyclegan.ShownPair(*(Shown(pixels.to_float(batch[name]), instead) for name in ("cartoon", "photo")))
    pooled = cyclegan_losses(networks, batch, config, shown)
    np.testing.assert_allclose(pooled.objectives["generators"], plain.objectives["generators"], rtol=1e-5)
    generated_cartoon, generated_photo = tf.split(plain.generated, 2)
    for name, discriminator, generated, real in (
        ("logits_generated", networks.discriminators.cartoon, generated_cartoon, batch["cartoon"]),
        ("logits_generated_photo", networks.discriminators.photo, generated_photo, batch["photo"]),
    ):
        seen = tf.where(instead, pixels.to_float(real), generated)
        np.testing.assert_allclose(pooled.scalars[name], tf.reduce_mean(discriminator(seen)), rtol=1e-3, atol=1e-6)
        assert abs(pooled.scalars[name] - plain.scalars[name]) > 1e-4


def test_a_checkpoint_holds_everything(trained, tmp_path):
    _, networks = trained
    RunCheckpoints(tmp_path, networks.saved(), 2).save(NUM_STEPS)
    restored = build_cyclegan(_config(pool_size=4), 10, IMAGE_SIZE)
    assert RunCheckpoints(tmp_path, restored.saved(), 2).restore() == NUM_STEPS
    assert len(networks.saved()) == 8
    for name, saved in networks.saved().items():
        for values, expected in zip(restored.saved()[name].variables, saved.variables, strict=True):
            np.testing.assert_array_equal(np.asarray(values), np.asarray(expected), err_msg=name)


def test_the_phase_runs_the_step_for_all_epochs(monkeypatch):
    config = _config(epochs=7)
    networks = _fresh(config)
    phase = cyclegan.build_phase(config, networks, 3)
    assert phase.num_steps == 21
    assert phase.rates() == pytest.approx({"learning_rate": 2e-3})
    assert set(phase.validation_step(_batch())) >= {"generator_loss", "cycle_loss", "identity_loss"}
    monkeypatch.setattr(cyclegan, "cyclegan_step", lambda *arguments: arguments)
    batch = _batch()
    assert phase.step(batch) == (networks, batch, config)


@pytest.mark.slow
def test_the_loop_trains_saves_and_resumes(tmp_path):
    config = _config(pool_size=4, identity_weight=0.0, decay_epochs=1, epochs=1)
    feeds = Feeds(lambda *_: _batches(), config.batch_size)
    curves = []

    def run():
        networks = build_cyclegan(config, 3, IMAGE_SIZE)
        phase = cyclegan.build_phase(config, networks, 3)
        hooks = loop.Hooks(on_values=lambda _, step, values: curves.append((step, values)))
        checkpoints = RunCheckpoints(tmp_path, networks.saved(), 2)
        return loop.run([phase], feeds, tf.distribute.get_strategy(), checkpoints, Cadence(2, 3), hooks)

    assert run() == (0, 3)
    assert [step for step, _ in curves] == [3] and curves[0][1]["cycle_loss"] > 0
    assert run() == (3, 3)


def _descent(pair, learning_rate):
    optimizer = keras.optimizers.SGD(learning_rate)
    optimizer.build(pair.trainable_variables)
    return optimizer


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["compiled", "two replicas"])
def test_other_ways_compute_the_same(kind, two_replicas):
    def build(config):
        networks = _fresh(config)
        pairs = (networks.generators, networks.discriminators)
        optimizers = dict(zip(("generators_optimizer", "discriminators_optimizer"), pairs, strict=True))
        return dataclasses.replace(networks, **{name: _descent(pair, 1e-3) for name, pair in optimizers.items()})

    plain, _ = _run(_config(pool_size=4), 3, build=build)
    if kind == "compiled":
        others, _ = _run(_config(pool_size=4, jit_compile=True), 3, build=build)
    else:
        others, _ = _run(_config(pool_size=4), 3, two_replicas, build)
    for ours, theirs in zip(others, plain, strict=True):
        for name in theirs:
            if not name.endswith("_gradient_norm"):
                np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-3, err_msg=name)


def test_the_defaults_are_those_of_its_paper():
    config = CycleGANConfig()
    assert (config.cycle_weight, config.identity_weight, config.pool_size, config.batch_size) == (10.0, 0.5, 50, 1)
    networks = _fresh(_config(learning_rate=2e-4))
    for optimizer in (networks.generators_optimizer, networks.discriminators_optimizer):
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
        rates = []
        for step in (0, 1000, 1500, 2000):  # of 10 an epoch
            optimizer.iterations.assign(step)
            rates.append(float(optimizer.learning_rate))
        np.testing.assert_allclose(rates, [2e-4, 2e-4, 1e-4, 0.0], rtol=1e-5)
