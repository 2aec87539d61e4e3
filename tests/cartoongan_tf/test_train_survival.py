"""Interrupted runs, damaged checkpoints, full disks, and losses that are not finite."""

import contextlib
import itertools
import re
import resource
import shutil
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.training import distribution
from cartoongan_tf.training.checkpoints import RunCheckpoints, recent_checkpoints
from cartoongan_tf.training.run_folder import RunFolder
from tests.small_runs import checkpoint_steps, draw_with, newest_step, train_small


class _Interrupted(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("interrupted_at, resumed_from", [(8, 5), (15, 10)])
def test_an_interrupted_run_ends_like_one_that_was_not(
    data_dir, finished, tmp_path, monkeypatch, interrupted_at, resumed_from
):
    """Interrupted in each phase, with steps since the last checkpoint lost: the same networks, up to float noise."""
    write_results = RunFolder.write_results

    def write_and_fail(folder, generator, versions, step):
        write_results(folder, generator, versions, step)
        if step == interrupted_at:
            raise _Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "write_results", write_and_fail)
        with pytest.raises(_Interrupted):
            train_small(data_dir, tmp_path / "run")
    assert checkpoint_steps(tmp_path / "run")[-1] == resumed_from
    assert train_small(data_dir, tmp_path / "run") == 0
    assert checkpoint_steps(tmp_path / "run")[-1] == 20
    np.testing.assert_allclose(draw_with(tmp_path / "run"), draw_with(finished), atol=2e-3)


@contextlib.contextmanager
def _full_disk(monkeypatch, begins_at, ends_at, file_bytes):
    """From one step of a run to another no file can grow beyond so many bytes: writing fails as on a full disk."""
    any_worker, (_, hard) = distribution.any_worker, resource.getrlimit(resource.RLIMIT_FSIZE)
    steps = itertools.count(1)

    def after_each_step(strategy, flag):
        step = next(steps)
        if step in (begins_at, ends_at):
            limit = file_bytes if step == begins_at else resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        return any_worker(strategy, flag)

    try:
        with monkeypatch.context() as patched:
            patched.setattr(distribution, "any_worker", after_each_step)
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))


# 2,000 bytes are too little for generator.keras, 120,000 for a checkpoint. Step 8 is the end of a phase.
@pytest.mark.slow
@pytest.mark.parametrize("file_bytes, begins_at, saved", [(2_000, 7, [5, 15, 20]), (120_000, 9, [8, 15, 20])])
def test_a_full_disk_is_said_and_costs_what_cannot_be_written(
    data_dir, tmp_path, monkeypatch, capsys, file_bytes, begins_at, saved
):
    flags = ["--keep_checkpoints=3", "--summary_every_steps=1"]
    with _full_disk(monkeypatch, begins_at, 13, file_bytes):
        assert train_small(data_dir, tmp_path / "run", *flags) == 0
    error = capsys.readouterr().err
    assert "step 10 is not saved" in error and str(tmp_path / "run") in error
    assert "its curves are not written" in error or file_bytes > 2_000
    assert checkpoint_steps(tmp_path / "run") == saved
    assert not list((tmp_path / "run").rglob("*temp*")) and not list((tmp_path / "run").rglob("*.partial*"))


@pytest.mark.slow
def test_a_disk_that_is_full_in_the_end_is_an_error(data_dir, finished, tmp_path, monkeypatch, capsys):
    with _full_disk(monkeypatch, 19, 1000, 120_000):
        assert train_small(data_dir, tmp_path / "run") == 1
    assert "File too large" in capsys.readouterr().err and checkpoint_steps(tmp_path / "run") == [8, 10, 15]
    assert train_small(data_dir, tmp_path / "run") == 0
    assert newest_step(tmp_path / "run") == 20
    np.testing.assert_allclose(draw_with(tmp_path / "run"), draw_with(finished), atol=2e-3)


def test_checkpoints_are_found_without_tensorflows_list_of_them(finished, tmp_path):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    state_file = run_dir / "checkpoints" / "checkpoint"
    for state in (None, "", "garbage"):
        state_file.unlink(missing_ok=True)
        if state is not None:
            state_file.write_text(state)
        assert RunFolder(run_dir).has_begun and newest_step(run_dir) == 20, state
        step = tf.Variable(0, dtype=tf.int64)
        tf.train.Checkpoint(step=step).read(recent_checkpoints(run_dir / "checkpoints")[-1]).expect_partial()
        assert step.numpy() == 20, state


def test_two_runs_in_one_folder_are_refused(data_dir, tmp_path, capsys):
    with atomic.locked(tmp_path / "run"):
        assert train_small(data_dir, tmp_path / "run") == 1
    assert str(tmp_path / "run") in capsys.readouterr().err


def _damage(run_dir, step, suffix="data-00000-of-00001"):
    (path,) = (run_dir / "checkpoints").glob(f"step-{step}.{suffix}")
    path.write_bytes(path.read_bytes()[:-50])


@pytest.mark.parametrize("suffix", ["index", "data-00000-of-00001"])
def test_a_damaged_checkpoint_is_said_and_the_one_before_used(data_dir, finished, tmp_path, capsys, suffix):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    _damage(run_dir, 20, suffix)
    assert train_small(data_dir, run_dir) == 0
    captured = capsys.readouterr()
    assert "step-20: damaged" in captured.err and "checkpoint of step 15" in captured.out
    np.testing.assert_allclose(draw_with(run_dir), draw_with(finished), atol=1e-4)


def test_damaged_checkpoints_alone_are_an_error(data_dir, finished, tmp_path, capsys):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    for step in checkpoint_steps(run_dir):
        _damage(run_dir, step)
    assert train_small(data_dir, run_dir) == 1
    assert "step-20: damaged, and so are all" in (error := capsys.readouterr().err) and "--run_dir" in error


@pytest.mark.slow
def test_some_checkpoints_are_kept_for_good(data_dir, tmp_path):
    run_dir = tmp_path / "run"
    flags = ("--keep_checkpoints=1", "--checkpoint_every_steps=2", "--keep_every_steps=6")
    assert train_small(data_dir, run_dir, *flags) == 0
    kept = sorted(path.stem for path in (run_dir / "checkpoints" / "kept").glob("*.index"))
    assert kept == ["step-12", "step-18", "step-6"] and checkpoint_steps(run_dir) == [20]
    _damage(run_dir, 20)
    assert train_small(data_dir, run_dir, *flags) == 0
    assert checkpoint_steps(run_dir) == [20]
    assert train_small(data_dir, tmp_path / "other", "--keep_every_steps=7") == 2


@pytest.mark.slow
def test_a_run_that_is_asked_to_stop_saves_and_can_be_resumed(data_dir, finished, tmp_path, monkeypatch, capsys):
    @contextlib.contextmanager
    def after_seven_steps():
        steps = itertools.count(1)
        yield lambda: signal.SIGTERM if next(steps) >= 7 else 0

    with monkeypatch.context() as patched:
        patched.setattr("cartoongan_tf.base.signals.stop_requests", after_seven_steps)
        assert train_small(data_dir, tmp_path / "run") == 128 + signal.SIGTERM
    assert "same command again" in capsys.readouterr().out
    assert newest_step(tmp_path / "run") == 7 and (tmp_path / "run" / "samples" / "step_0000007.jpg").exists()
    assert train_small(data_dir, tmp_path / "run") == 0
    np.testing.assert_allclose(draw_with(tmp_path / "run"), draw_with(finished), atol=1e-4)


def test_a_loss_that_is_not_finite_stops_the_run(data_dir, tmp_path, capsys):
    flags = ("--initialization_learning_rate=1e38", "--initialization_epochs=4", "--checkpoint_every_steps=1000")
    assert train_small(data_dir, tmp_path / "run", *flags) == 1
    assert re.search(r"content_loss is (nan|inf).* at step \d+", capsys.readouterr().err)
    assert not (tmp_path / "run" / "generator.keras").exists()


def test_weights_that_are_not_finite_are_never_saved(data_dir, tmp_path, capsys):
    """The loss of the step that broke them was still fine."""
    flags = ("--initialization_learning_rate=1e38", "--checkpoint_every_steps=1")
    assert train_small(data_dir, tmp_path / "run", *flags) == 1
    assert re.search(r"the generator.*not finite after step 1\b", capsys.readouterr().err)
    assert not (tmp_path / "run" / "generator.keras").exists() and not checkpoint_steps(tmp_path / "run")


def test_a_weight_that_is_not_finite_is_named(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="last")])
    run_checkpoints = RunCheckpoints(tmp_path, {"generator": model}, 1)
    run_checkpoints.require_finite(7)
    model.get_layer("last").kernel.assign([[1.0], [np.inf]])
    with pytest.raises(InputError, match=r"generator's .*last/kernel .*step 7"):
        run_checkpoints.require_finite(7)
