"""One training run in two processes that TF_CONFIG joins."""

import json
import re
import shutil
import signal
import sys

import numpy as np
import pytest

from cartoongan_tf import train
from cartoongan_tf.media import pictures
from cartoongan_tf.training import steps
from tests import workers
from tests.helpers import TINY_NETWORKS, build_records, draw, scalars
from tests.small_runs import newest_step, run_train
from tests.small_steps import BUILD_SMALL, run_steps, small_config

NUM_STEPS = 30  # 10 epochs of initialization, 5 of adversarial training: 7 photos in batches of 4


def _flags(data_dir, run_dir, *more):
    flags = [f"--data_dir={data_dir}", f"--run_dir={run_dir}", "--vgg19_weights=random", *TINY_NETWORKS]
    flags += ["--batch_size=4", "--initialization_epochs=10", "--adversarial_epochs=5", "--pool_size=6"]
    return [*flags, "--checkpoint_every_steps=5", "--summary_every_steps=1", *more]


def _started(data_dir, run_dir, *more):
    flags = [*_flags(data_dir, run_dir, "--strategy=multi_worker"), *more]
    return workers.started([sys.executable, "-m", "tests.small_runs", *flags], num_workers=2)


def _assert_same_losses(run_dir, other, first_steps, rtol):
    """Assert that the curves of all losses agree. Adam makes rounding noise grow from step to step."""
    ours, theirs = scalars(run_dir), scalars(other)
    losses = [tag for tag in theirs if tag.endswith("_loss")]
    assert len(losses) == 4
    for tag in losses:
        for step in range(1, first_steps + 1):
            if step in theirs[tag]:
                np.testing.assert_allclose(ours[tag][step], theirs[tag][step], rtol=rtol, err_msg=f"{tag} {step}")


@pytest.fixture(scope="module")
def alone(data_dir, tmp_path_factory):
    """The same recipe in one process."""
    run_dir = tmp_path_factory.mktemp("alone") / "run"
    assert run_train(*_flags(data_dir, run_dir)) == 0
    return run_dir


@pytest.mark.slow
def test_two_workers_take_the_steps_of_one(small_networks):
    """By gradient descent, which shows gradients of the wrong size; with a pool, which all workers fill."""
    expected, networks = run_steps(steps.adversarial_step, small_config(pool_size=4), 5, build=BUILD_SMALL)
    with workers.started([sys.executable, "-m", "tests.small_steps"], num_workers=2) as both:
        assert [worker.wait(200) for worker in both] == [0, 0], both[0].output + both[1].output
        for worker in both:
            scalars_of = json.loads(re.search(r"^scalars (.*)$", worker.output, re.MULTILINE)[1])
            for ours, theirs in zip(scalars_of, expected, strict=True):
                for name in (name for name in theirs if not name.endswith("_norm")):
                    np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-4, err_msg=name)
            sums = json.loads(re.search(r"^weights (.*)$", worker.output, re.MULTILINE)[1])
            np.testing.assert_allclose(sums, [np.sum(each) for each in networks.generator.get_weights()], atol=1e-3)


@pytest.mark.slow
def test_two_workers_train_what_one_does(data_dir, alone, tmp_path):
    with _started(data_dir, tmp_path / "run") as both:
        assert [worker.wait(400) for worker in both] == [0, 0], both[0].output + both[1].output
        chief, other = (worker.output for worker in both)
    assert newest_step(tmp_path / "run") == NUM_STEPS
    _assert_same_losses(tmp_path / "run", alone, first_steps=8, rtol=1e-3)
    _assert_same_losses(tmp_path / "run", alone, first_steps=NUM_STEPS, rtol=0.1)
    assert "step/s" in chief and "step/s" not in other
    assert "The generator is" in chief and "The generator is" not in other
    assert "Traceback" not in chief + other


@pytest.mark.slow
def test_a_lost_worker_ends_the_chief_and_the_run_can_be_resumed(data_dir, alone, tmp_path):
    with _started(data_dir, tmp_path / "run") as both:
        both[0].wait_for(r"adversarial:.*[1-9]\d*/10", 400)
        chief, other = both
        other.kill()
        assert chief.wait(120) == 1
        assert "another worker was lost" in chief.output and "same command" in chief.output
        assert "Traceback" not in chief.output
    assert newest_step(tmp_path / "run") < NUM_STEPS
    with _started(data_dir, tmp_path / "run") as both:
        assert [worker.wait(400) for worker in both] == [0, 0]
        assert "from the checkpoint of step" in both[0].output
    _assert_same_losses(tmp_path / "run", alone, first_steps=NUM_STEPS, rtol=0.1)


@pytest.mark.slow
def test_two_workers_resume_with_more_photos(picture_folders, alone, tmp_path):
    """4 batches an epoch where there were 2: an epoch more, of the same length on both."""
    photos = shutil.copytree(picture_folders[0], tmp_path / "photos")
    run_dir = shutil.copytree(alone, tmp_path / "run")
    for seed in range(8):
        pictures.write_picture(photos / f"more{seed}.png", draw(500 + seed))
    records = build_records((photos, picture_folders[1]), tmp_path / "records")
    with _started(records, run_dir, "--adversarial_epochs=6") as both:
        assert [worker.wait(400) for worker in both] == [0, 0], both[0].output + both[1].output
        assert "4 batches an epoch where there were 2" in both[0].output and "not the data" not in both[1].output
    assert newest_step(run_dir) == NUM_STEPS + 4


@pytest.mark.slow
def test_a_schedule_that_one_worker_does_not_see_is_noticed(data_dir, alone, tmp_path):
    """The storage is shared late: the checkpoints are equal, the lengths of the phases are not."""
    other = shutil.copytree(alone, tmp_path / "other")
    content = json.loads((other / "schedule.json").read_text())
    content["phases"][-1]["epochs"] = 4  # where the chief sees 5
    (other / "schedule.json").write_text(json.dumps(content))
    outputs = _wait_for_both(data_dir, (shutil.copytree(alone, tmp_path / "run"), other))
    assert all("--run_dir: the workers found different schedule.json there" in output for output in outputs)


@pytest.mark.slow
def test_a_signal_to_one_worker_stops_both_at_one_step(data_dir, tmp_path):
    with _started(data_dir, tmp_path / "run", "--adversarial_epochs=500") as both:
        both[0].wait_for(r"adversarial:.*[1-9]\d*/1000", 400)
        both[1].process.send_signal(signal.SIGTERM)
        assert [worker.wait(120) for worker in both] == [128 + signal.SIGTERM] * 2
        assert "Stopped with a checkpoint" in both[0].output
    assert 20 < newest_step(tmp_path / "run") < 1000


def _wait_for_both(data_dir, run_dirs, *flags_of_other):
    """Start two workers that differ, wait until both have failed, and return their outputs."""
    both = []
    for tf_config, run_dir, more in zip(workers.tf_configs(2), run_dirs, ((), flags_of_other), strict=True):
        flags = _flags(data_dir, run_dir, "--strategy=multi_worker", "--adversarial_epochs=9", *more)
        both.append(workers.start([sys.executable, "-m", "tests.small_runs", *flags], tf_config))
    try:
        assert [worker.wait(200) for worker in both] == [1, 1]
    finally:
        for worker in both:
            worker.kill()
    return [worker.output for worker in both]


@pytest.mark.slow
def test_run_folders_that_are_not_shared_are_noticed(data_dir, alone, tmp_path):
    """The machines share no storage: worker 1 does not see the chief's checkpoints."""
    _, other = _wait_for_both(data_dir, (alone, tmp_path / "other"))
    assert "checkpoints of the steps 30, 0" in other and "storage that all of them share" in other


@pytest.mark.slow
def test_workers_with_different_flags_are_noticed(data_dir, tmp_path):
    _, other = _wait_for_both(data_dir, [tmp_path / "run"] * 2, "--checkpoint_every_steps=7")
    assert "the workers were started with different flags or data" in other


def test_without_tf_config_the_message_shows_one(data_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert train.main(["train", *_flags(data_dir, tmp_path / "run", "--strategy=multi_worker")]) == 1
    error = capsys.readouterr().err
    assert "--strategy=multi_worker" in error and '"cluster": {"worker": [' in error
    assert not (tmp_path / "run").exists()
