"""Training in processes of its own, killed and resumed."""

import random
import signal
import subprocess
import sys
import time

import pytest
import tensorflow as tf

from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.training.checkpoints import recent_checkpoints
from tests.helpers import REPOSITORY, TINY_NETWORKS
from tests.small_runs import newest_step

NUM_STEPS = 120  # 15 epochs of initialization and 12 of adversarial training, of 4 steps each; 12 of warm-up


def _command(data_dir, run_dir):
    flags = [f"--data_dir={data_dir}", f"--run_dir={run_dir}", "--vgg19_weights=random", *TINY_NETWORKS]
    flags += ["--batch_size=2", "--initialization_epochs=15", "--adversarial_epochs=12", "--crop_size=32"]
    flags += ["--checkpoint_every_steps=7", "--deterministic", "--steps_per_call=3"]
    flags += ["--ema_decay=0.99", "--discriminator_warmup_steps=12", "--adversarial_loss=hinge"]
    return [sys.executable, "-m", "tests.small_runs", *flags]


def _final(run_dir):
    """Return the content of the last checkpoint by name: both networks, three optimizers."""
    reader = tf.train.load_checkpoint(recent_checkpoints(run_dir / "checkpoints")[-1])
    values = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    return {name: value.tobytes() for name, value in values.items() if hasattr(value, "tobytes")}


def _start(data_dir, run_dir):
    return subprocess.Popen(
        _command(data_dir, run_dir), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _wait_for_checkpoint(process, run_dir, step):
    deadline = time.monotonic() + 300
    while newest_step(run_dir) < step and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _stop(data_dir, run_dir, step):
    """Resume until a checkpoint, then ask the run to stop: it saves, says how to resume, and exits."""
    process = _start(data_dir, run_dir)
    _wait_for_checkpoint(process, run_dir, step)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM and "Give the same command again" in output
    assert "Traceback" not in output and step <= newest_step(run_dir) < NUM_STEPS


@pytest.fixture(scope="module")
def straight(data_dir, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("straight") / "run"
    assert subprocess.run(_command(data_dir, run_dir), cwd=REPOSITORY, capture_output=True).returncode == 0
    assert newest_step(run_dir) == NUM_STEPS
    return run_dir


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_bits(data_dir, straight, tmp_path):
    run_dir, rng = tmp_path / "run", random.Random(1)
    for step in (14, 63, 80):  # in each phase; the warm-up begins at 60, adversarial training at 72
        process = _start(data_dir, run_dir)
        _wait_for_checkpoint(process, run_dir, step)
        time.sleep(rng.uniform(0, 0.5))
        process.kill()
        process.communicate()
        assert newest_step(run_dir) < NUM_STEPS
        if (run_dir / "generator.keras").exists():
            load_generator(run_dir / "generator.keras")  # complete whenever it exists
    _stop(data_dir, run_dir, 94)
    process = _start(data_dir, run_dir)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0 and "from the checkpoint of step" in output
    assert _final(run_dir) == _final(straight) and len(_final(run_dir)) >= 50
    ours = load_generator(run_dir / "generator.keras").get_weights()
    theirs = load_generator(straight / "generator.keras").get_weights()
    assert all((one == other).all() for one, other in zip(ours, theirs, strict=True))
    assert not list(run_dir.rglob("*partial*"))
