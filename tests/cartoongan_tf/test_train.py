import contextlib
import itertools
import json
import os
import re
import resource
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf import atomic, pictures, strategies, train
from cartoongan_tf.checkpoints import found_checkpoints, load_generator
from cartoongan_tf.config import TrainConfig
from cartoongan_tf.options import read_flagfile_values
from cartoongan_tf.run_folder import RunFolder
from tests.helpers import TINY_NETWORKS, scalars

PHOTO = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)


def _flags(data_dir, run_dir, *more):
    """7 photos in batches of 2: 4 steps an epoch; 8 steps of initialization, 12 of adversarial training."""
    flags = [f"--data_dir={data_dir}", f"--run_dir={run_dir}", "--vgg19_weights=random", *TINY_NETWORKS]
    flags += [
        "--batch_size=2",
        "--initialization_epochs=2",
        "--adversarial_epochs=3",
        "--generator_learning_rate=1e-3",
    ]
    return [*flags, "--checkpoint_every_steps=5", "--summary_every_steps=4", "--num_samples=3", *more]


def _train(data_dir, run_dir, *more):
    return train.main(["train", *_flags(data_dir, run_dir, *more)])


def _draw(run_dir):
    return np.asarray(load_generator(run_dir / "generator.keras")(PHOTO))


def _checkpoints(run_dir):
    return sorted(int(re.search(r"step-(\d+)\.index", p.name)[1]) for p in (run_dir / "checkpoints").glob("*.index"))


def _newest(run_dir):
    """The step of the checkpoint that a resumed run starts from."""
    found = found_checkpoints(run_dir / "checkpoints")
    return int(found[-1].rpartition("-")[2]) if found else 0


@pytest.fixture(scope="module")
def finished(data_dir, tmp_path_factory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "finished"
    assert _train(data_dir, run_dir) == 0
    return run_dir


def test_a_run_leaves_generator_samples_checkpoints_and_flags(finished, data_dir):
    assert _checkpoints(finished) == [10, 15, 20]
    assert _draw(finished).shape == PHOTO.shape
    samples = sorted(path.name for path in (finished / "samples").iterdir())
    assert samples == [f"step_{step:07}.jpg" for step in (5, 8, 10, 15, 20)]
    assert pictures.read_picture(finished / "samples" / samples[0]).shape == (
        64,
        128,
        3,
    )  # 3 photos, 2 columns
    values = read_flagfile_values(finished / "run.flags")
    assert values["data_dir"] == str(data_dir) and values["adversarial_epochs"] == "3"


def test_tensorboard_has_curves_and_samples(finished):
    found = scalars(finished)
    assert list(found["initialization/content_loss"]) == [4, 8]
    assert list(found["adversarial/discriminator_loss"]) == [12, 16, 20]
    curves = [value for tag, steps in found.items() if "/" in tag for value in steps.values()]
    assert np.isfinite(curves).all()
    assert list(found["samples"]) == [5, 8, 10, 15, 20]
    assert found["samples"][20][2].startswith(b"\x89PNG")


def test_the_same_command_when_all_is_done_changes_nothing(finished, data_dir, capsys):
    before = (finished / "generator.keras").stat().st_mtime_ns
    assert _train(data_dir, finished) == 0
    assert "done already" in capsys.readouterr().out
    assert (finished / "generator.keras").stat().st_mtime_ns == before


class _Cut(Exception):
    pass


@pytest.mark.parametrize("cut_at, resumed_from", [pytest.param(8, 5, marks=pytest.mark.slow), (15, 10)])
def test_a_run_that_was_cut_off_ends_like_one_that_was_not(
    data_dir, finished, tmp_path, monkeypatch, cut_at, resumed_from
):
    """Cut off in each phase, with steps since the last checkpoint lost: the same networks, up to float noise."""
    write_results = RunFolder.write_results

    def cut(folder, generator, photos, cartoons, step):
        write_results(folder, generator, photos, cartoons, step)
        if step == cut_at:
            raise _Cut

    monkeypatch.setattr(RunFolder, "write_results", cut)
    with pytest.raises(_Cut):
        _train(data_dir, tmp_path / "run")
    monkeypatch.setattr(RunFolder, "write_results", write_results)
    assert _checkpoints(tmp_path / "run")[-1] == resumed_from
    assert _train(data_dir, tmp_path / "run") == 0
    assert _checkpoints(tmp_path / "run")[-1] == 20
    np.testing.assert_allclose(_draw(tmp_path / "run"), _draw(finished), atol=2e-3)


def test_run_flags_repeat_the_run(data_dir, finished, tmp_path):
    assert train.main(["train", f"--flagfile={finished}/run.flags", f"--run_dir={tmp_path}/again"]) == 0
    np.testing.assert_allclose(_draw(tmp_path / "again"), _draw(finished), atol=2e-3)


@pytest.mark.slow
def test_another_seed_is_another_run(data_dir, finished, tmp_path):
    assert _train(data_dir, tmp_path / "run", "--seed=7") == 0
    assert np.abs(_draw(tmp_path / "run") - _draw(finished)).max() > 0.01


@pytest.mark.slow
def test_two_devices_train(data_dir, tmp_path, two_replicas):
    flags = [flag.lstrip("-").split("=") for flag in _flags(data_dir, tmp_path / "run")]
    types = {"batch_size": int, "generator_learning_rate": float}
    values = {name: types.get(name, int if text.isdecimal() else str)(text) for name, text in flags}
    train.train(TrainConfig(**values), two_replicas)
    assert _checkpoints(tmp_path / "run")[-1] == 20


def test_a_batch_that_does_not_divide_is_refused(data_dir, tmp_path, two_replicas):
    config = TrainConfig(str(data_dir), str(tmp_path / "run"), batch_size=3)
    with pytest.raises(ValueError, match="--batch_size=3: must be a multiple of the 2"):
        train.train(config, two_replicas)


@pytest.mark.parametrize(
    "flag, before", [("generator_width=8", 4), ("batch_size=4", 2), ("initialization_epochs=3", 2)]
)
def test_going_on_with_other_networks_or_phases_is_refused(data_dir, finished, flag, before, capsys):
    flags_before = (finished / "run.flags").read_text()
    assert _train(data_dir, finished, f"--{flag}") == 1
    error = capsys.readouterr().err
    assert f"--{flag}" in error and f"--{flag.partition('=')[0]}={before}" in error
    assert (finished / "run.flags").read_text() == flags_before


def test_a_run_that_has_no_checkpoint_may_be_begun_otherwise(data_dir, tmp_path):
    assert _train(data_dir, tmp_path / "run", "--vgg19_weights=none.h5") == 1
    assert _train(data_dir, tmp_path / "run", "--generator_width=8", "--adversarial_epochs=0") == 0


@contextlib.contextmanager
def _full_disk(monkeypatch, begins_at, ends_at, file_bytes):
    """From one step of a run to another no file can grow beyond so many bytes: writing fails as on a full disk."""
    any_worker, (_, hard) = strategies.any_worker, resource.getrlimit(resource.RLIMIT_FSIZE)
    steps = itertools.count(1)

    def after_each_step(strategy, flag):
        step = next(steps)
        if step in (begins_at, ends_at):
            limit = file_bytes if step == begins_at else resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        return any_worker(strategy, flag)

    try:
        with monkeypatch.context() as patched:
            patched.setattr(strategies, "any_worker", after_each_step)
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
        assert _train(data_dir, tmp_path / "run", *flags) == 0
    error = capsys.readouterr().err
    assert "step 10 is not saved. Training goes on" in error and str(tmp_path / "run") in error
    assert "its curves are not written" in error or file_bytes > 2_000
    assert _checkpoints(tmp_path / "run") == saved
    assert not list((tmp_path / "run").rglob("*temp*")) and not list((tmp_path / "run").rglob("*.partial*"))


@pytest.mark.slow
def test_a_disk_that_is_full_in_the_end_is_an_error(data_dir, finished, tmp_path, monkeypatch, capsys):
    with _full_disk(monkeypatch, 19, 1000, 120_000):
        assert _train(data_dir, tmp_path / "run") == 1
    assert "File too large" in capsys.readouterr().err and _checkpoints(tmp_path / "run") == [8, 10, 15]
    assert _train(data_dir, tmp_path / "run") == 0
    assert _newest(tmp_path / "run") == 20
    np.testing.assert_allclose(_draw(tmp_path / "run"), _draw(finished), atol=2e-3)


@pytest.mark.parametrize("state", [None, "", "garbage"])
def test_checkpoints_are_found_without_tensorflows_list_of_them(finished, tmp_path, state):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    (run_dir / "checkpoints" / "checkpoint").unlink(missing_ok=True)
    if state is not None:
        (run_dir / "checkpoints" / "checkpoint").write_text(state)
    assert RunFolder(run_dir).has_begun and _newest(run_dir) == 20
    step = tf.Variable(0, dtype=tf.int64)
    tf.train.Checkpoint(step=step).read(found_checkpoints(run_dir / "checkpoints")[-1]).expect_partial()
    assert step.numpy() == 20


def test_two_runs_in_one_folder_are_refused(data_dir, tmp_path, capsys):
    with atomic.locked(tmp_path / "run"):
        assert _train(data_dir, tmp_path / "run") == 1
    assert f"{tmp_path / 'run'}: another run is writing there" in capsys.readouterr().err


@pytest.mark.slow
def test_fewer_steps_than_are_done_are_done(data_dir, finished, tmp_path, capsys):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    assert _train(data_dir, run_dir, "--adversarial_epochs=2") == 0
    assert "done already" in capsys.readouterr().out


def test_a_longer_run_goes_on_with_other_rates(data_dir, finished, tmp_path):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    assert _train(data_dir, run_dir, "--adversarial_epochs=4", "--generator_learning_rate=1e-4") == 0
    assert _checkpoints(run_dir)[-1] == 24


def test_a_deleted_generator_is_written_again(data_dir, finished, tmp_path):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    (run_dir / "generator.keras").unlink()
    assert _train(data_dir, run_dir) == 0
    np.testing.assert_allclose(_draw(run_dir), _draw(finished), atol=1e-6)


def _damage(run_dir, step, suffix="data-00000-of-00001"):
    (path,) = (run_dir / "checkpoints").glob(f"step-{step}.{suffix}")
    path.write_bytes(path.read_bytes()[:-50])


@pytest.mark.parametrize("suffix", [pytest.param("index", marks=pytest.mark.slow), "data-00000-of-00001"])
def test_a_damaged_checkpoint_is_said_and_the_one_before_used(data_dir, finished, tmp_path, capsys, suffix):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    _damage(run_dir, 20, suffix)
    assert _train(data_dir, run_dir) == 0
    captured = capsys.readouterr()
    assert "step-20: damaged" in captured.err and "checkpoint of step 15" in captured.out
    np.testing.assert_allclose(_draw(run_dir), _draw(finished), atol=1e-4)


@pytest.mark.slow
def test_damaged_checkpoints_alone_are_an_error(data_dir, finished, tmp_path, capsys):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    for step in _checkpoints(run_dir):
        _damage(run_dir, step)
    assert _train(data_dir, run_dir) == 1
    assert "step-20: damaged, and so are all" in (error := capsys.readouterr().err) and "--run_dir" in error


@pytest.mark.slow
def test_some_checkpoints_are_kept_for_good(data_dir, tmp_path):
    run_dir = tmp_path / "run"
    flags = ("--keep_checkpoints=1", "--checkpoint_every_steps=2", "--keep_every_steps=6")
    assert _train(data_dir, run_dir, *flags) == 0
    kept = sorted(path.stem for path in (run_dir / "checkpoints" / "kept").glob("*.index"))
    assert kept == ["step-12", "step-18", "step-6"] and _checkpoints(run_dir) == [20]
    _damage(run_dir, 20)
    assert _train(data_dir, run_dir, *flags) == 0
    assert _checkpoints(run_dir) == [20]
    assert _train(data_dir, tmp_path / "other", "--keep_every_steps=7") == 2


def test_a_run_that_is_asked_to_stop_saves_and_goes_on(data_dir, finished, tmp_path, monkeypatch, capsys):
    @contextlib.contextmanager
    def after_seven_steps():
        steps = itertools.count(1)
        yield lambda: signal.SIGTERM if next(steps) >= 7 else 0

    with monkeypatch.context() as patched:
        patched.setattr("cartoongan_tf.signals.stop_requests", after_seven_steps)
        assert _train(data_dir, tmp_path / "run") == 128 + signal.SIGTERM
    assert "same command again" in capsys.readouterr().out
    assert _newest(tmp_path / "run") == 7 and (tmp_path / "run" / "samples" / "step_0000007.jpg").exists()
    assert _train(data_dir, tmp_path / "run") == 0
    np.testing.assert_allclose(_draw(tmp_path / "run"), _draw(finished), atol=1e-4)


def test_missing_data_is_answered_with_the_command(tmp_path, capsys):
    assert _train(tmp_path / "none", tmp_path / "run") == 1
    assert "python -m data_pipeline.build_tfrecords" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", ["photos", "cartoons"])
def test_an_empty_split_is_refused(data_dir, tmp_path, capsys, kind):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    content = json.loads((folder / "dataset.json").read_text())
    content[kind]["train"]["shards"] = []
    (folder / "dataset.json").write_text(json.dumps(content))
    assert _train(folder, tmp_path / "run") == 1
    assert f"there are no {kind} to train on" in (error := capsys.readouterr().err) and "--validation_fraction" in error
    assert not (tmp_path / "run").exists()


def test_a_crop_larger_than_the_pictures_is_refused(data_dir, tmp_path, capsys):
    assert _train(data_dir, tmp_path / "run", "--crop_size=64") == 1
    assert "--crop_size=64: the records' pictures have 32 pixels" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_stops_the_run(data_dir, tmp_path, capsys):
    flags = ("--initialization_learning_rate=1e38", "--initialization_epochs=4", "--checkpoint_every_steps=1000")
    assert _train(data_dir, tmp_path / "run", *flags) == 1
    assert re.search(r"content_loss is (nan|inf).* at step \d+", capsys.readouterr().err)
    assert not (tmp_path / "run" / "generator.keras").exists()


def test_weights_that_are_not_finite_are_never_saved(data_dir, tmp_path, capsys):
    """The loss of the step that broke them was still fine."""
    flags = ("--initialization_learning_rate=1e38", "--checkpoint_every_steps=1")
    assert _train(data_dir, tmp_path / "run", *flags) == 1
    assert re.search(r"the generator .*not finite after step 1\b", capsys.readouterr().err)
    assert not (tmp_path / "run" / "generator.keras").exists() and not _checkpoints(tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["initialization", "adversarial"])
def test_a_phase_can_be_left_out(data_dir, tmp_path, phase):
    assert _train(data_dir, tmp_path / "run", f"--{phase}_epochs=0") == 0
    assert _checkpoints(tmp_path / "run")[-1] == {"initialization": 12, "adversarial": 8}[phase]


def test_training_without_a_gpu_says_so_once(data_dir, tmp_path, capsys):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    assert _train(data_dir, tmp_path / "run", "--adversarial_epochs=0") == 0
    assert capsys.readouterr().out.count("No GPU found") == 1


def test_fine_tuning_starts_from_the_given_generator(finished, data_dir, tmp_path):
    """Without initialization, and only the first time: going on needs the file no more."""
    initial = shutil.copy(finished / "generator.keras", tmp_path / "initial.keras")
    run_dir, flags = tmp_path / "run", [f"--initial_generator={initial}", "--generator_learning_rate=1e-7"]
    assert _train(data_dir, run_dir, *flags, "--adversarial_epochs=1") == 0
    assert _newest(run_dir) == 4
    np.testing.assert_allclose(_draw(run_dir), _draw(finished), atol=1e-3)
    os.remove(initial)
    assert _train(data_dir, run_dir, *flags, "--adversarial_epochs=2") == 0
    assert _newest(run_dir) == 8


def test_an_initial_generator_that_does_not_fit_is_refused(generator_path, data_dir, tmp_path, capsys):
    flags = [f"--initial_generator={generator_path}", "--generator_width=8"]
    assert _train(data_dir, tmp_path / "run", *flags) == 1
    assert "--initial_generator: has" in (error := capsys.readouterr().err) and "_width" in error
    assert _train(data_dir, tmp_path / "run", "--initial_generator=none.keras", "--vgg19_weights=none.h5") == 1
    assert "--initial_generator: none.keras: no such file" in capsys.readouterr().err
    assert _train(data_dir, tmp_path / "run", "--initial_generator=hayao.pth") == 1
    assert "--initial_generator=hayao.pth: give a .keras file; import_weights" in capsys.readouterr().err
